"""A chain of our own on loopback: one anvil process, and what tests do to it behind everybody's back."""

from __future__ import annotations

import asyncio
import ctypes
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

CHAIN_ID: Final = 8453
START_S: Final = 20.0
MINED_TRIES: Final = 1000
_FETCHED: Final = Path(__file__).parents[2] / ".anvil" / "node_modules" / "@foundry-rs"

KEYS: Final = (  # of the phrase "test test ... junk": known to everybody, 10 000 coins each
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
)
ADDRESSES: Final = (
    "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
)


class NodeError(Exception):
    """The node did not start, or refused a request."""


def executable() -> Path | None:
    """The fetched anvil, or the one that ANVIL_BINARY names."""
    if named := os.environ.get("ANVIL_BINARY"):
        return Path(named)
    return next(iter(sorted(_FETCHED.glob("anvil-*/bin/anvil"))), None)


class Node:
    """One anvil. Mines a block per transaction, unless `arguments` say otherwise. Dies with its parent."""

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        self._arguments = tuple(arguments)
        self._process: subprocess.Popen[str] | None = None
        self._home: tempfile.TemporaryDirectory[str] | None = None
        self._port = 0
        self._asked = 0

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self._process.pid if self._process else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Starts it on a free port, or on the one it had before. Raises NodeError."""
        program = executable()
        if program is None:
            raise NodeError("anvil is missing: run `make .anvil/.stamp`")
        self._home = self._home or tempfile.TemporaryDirectory(prefix="perpdesk-anvil-")
        command = [str(program), "--host", "127.0.0.1", "--port", str(self._port), "--chain-id", str(CHAIN_ID)]
        self._process = subprocess.Popen(
            [*command, "--accounts", str(len(KEYS)), *self._arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"HOME": self._home.name, "PATH": os.environ.get("PATH", "")},
            preexec_fn=_die_with_parent,
        )
        self._port = self._listening(self._process)

    def stop(self) -> None:
        """Ends the process, whatever state it is in."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        if self._home is not None:
            self._home.cleanup()
            self._home = None

    def kill(self) -> None:
        """The process is gone, as after a crash; `start` brings an empty chain back to the same port."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def rpc(self, method: str, *params: object) -> Any:
        """The raw result of one JSON-RPC request. Raises NodeError for an error in its place."""
        self._asked += 1
        asked = {"jsonrpc": "2.0", "id": self._asked, "method": method, "params": list(params)}
        timeout = aiohttp.ClientTimeout(total=START_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(self.http_url, json=asked) as response,
        ):
            answer = await response.json()
        if "error" in answer:
            raise NodeError(f"{method}: {answer['error']}")
        return answer["result"]

    async def receipt(self, tx_hash: str) -> Any:
        """The receipt of what was sent a moment ago: the node answers before it has mined. Raises NodeError."""
        for _ in range(MINED_TRIES):
            if raw := await self.rpc("eth_getTransactionReceipt", tx_hash):
                return raw
            await asyncio.sleep(0.005)
        raise NodeError(f"{tx_hash} was not mined")

    async def snapshot(self) -> str:
        """Names the state as it is now; a name can be reverted to once."""
        return str(await self.rpc("evm_snapshot"))

    async def revert(self, name: str) -> None:
        """Back to that state; later blocks are gone."""
        if not await self.rpc("evm_revert", name):
            raise NodeError(f"no snapshot {name}")

    async def mine(self, blocks: int = 1) -> None:
        """So many blocks more, 2 s apart on the chain's clock."""
        await self.rpc("anvil_mine", hex(blocks), "0x2")

    async def set_code(self, address: str, code: bytes) -> None:
        await self.rpc("anvil_setCode", address, f"0x{code.hex()}")

    async def set_balance(self, address: str, wei: int) -> None:
        await self.rpc("anvil_setBalance", address, hex(wei))

    async def set_storage(self, address: str, slot: int, word: bytes) -> None:
        await self.rpc("anvil_setStorageAt", address, f"0x{slot:064x}", f"0x{word.rjust(32, bytes(1)).hex()}")

    def _listening(self, process: subprocess.Popen[str]) -> int:
        """The port it says it listens on; what it says afterwards is read and dropped, so that it never blocks."""
        if process.stdout is None:
            raise AssertionError("started with a pipe")
        late = threading.Timer(START_S, process.kill)
        late.start()
        try:
            said = []
            for line in process.stdout:
                if found := re.fullmatch(r"Listening on 127\.0\.0\.1:(\d+)\s*", line):
                    threading.Thread(target=_drain, args=(process,), daemon=True).start()
                    return int(found[1])
                said.append(line.strip())
        finally:
            late.cancel()
        raise NodeError(f"anvil did not start: {' '.join(said)[-300:]}")


def _drain(process: subprocess.Popen[str]) -> None:
    if process.stdout is not None:
        with process.stdout as stream:
            for _ in stream:
                pass


def _die_with_parent() -> None:
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
