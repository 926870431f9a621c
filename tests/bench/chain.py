"""The orders of 500 desks of one wallet over a node whose answers take 20 ms, beside sending one after the other."""

import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.bench.report import report
from tests.chain.avantis_house import MinedStage, staged
from tests.chain.fleet import Clock, allowed, fleet, opening
from tests.chain.fleet_proxy import Proxy, proxied
from tests.chain.node import KEYS, Node, executable
from tests.chain.stage import TRADER
from venue.avantis.addresses import BASE
from venue.avantis.rules import rules
from venue.chain.guard import Guard
from venue.chain.rpc import Rpc
from venue.chain.signer import Signer, account_of

DESKS = 500
NAIVE = 20
"""Orders the naive way sends; its figure is scaled to all of them."""
RPC_S = 0.02
BASELINE = f"naive: nonce, send and receipt of {NAIVE} in turn, scaled to {DESKS}"


@dataclass(frozen=True)
class _Took:
    sent_s: float
    mined_s: float


def fleet_of_desks() -> None:
    """Seconds until all are with the node, and until the journal knows the blocks of all; sends a second without the
    delay."""
    if executable() is None:
        sys.stdout.write(json.dumps({"bench": "chain.fleet", "skipped": "anvil is not here"}) + "\n")
        return
    with Node() as node, staged(node) as stage:
        slow, naive = asyncio.run(_both(stage, RPC_S))
        report("chain.fleet", f"{DESKS} sent, 20 ms", slow.sent_s, "s", BASELINE, naive)
        report("chain.fleet", f"{DESKS} mined, 20 ms", slow.mined_s, "s", BASELINE, naive)
        fast, naive = asyncio.run(_both(stage, 0))
        report("chain.fleet", f"{DESKS} sent, no delay", DESKS / fast.sent_s, "sent/s", BASELINE, DESKS / naive)


async def _both(stage: MinedStage, delay_s: float) -> tuple[_Took, float]:
    before = await stage.node.snapshot()
    await allowed(stage)
    async with proxied(stage.node.http_url, delay_s) as proxy:
        ours = await _together(stage, proxy)
        await stage.node.revert(before)
        await allowed(stage)
        naive = await _in_turn(stage, proxy)
    await stage.node.rpc("anvil_dropAllTransactions")
    return ours, naive


async def _together(stage: MinedStage, proxy: Proxy) -> _Took:
    with tempfile.TemporaryDirectory() as directory:
        async with fleet(proxy, Path(directory), Clock()) as ship:
            await ship.sender.adopt()
            began = time.perf_counter()
            answers = await asyncio.gather(*(ship.order(number) for number in range(DESKS)))
            sent_s = time.perf_counter() - began
            while any(not tx.included for tx in (await ship.chain()).open.values()):
                await stage.node.mine()
                await ship.sender.pass_once()
            mined_s = time.perf_counter() - began
    if any(answers):
        raise AssertionError(next(filter(None, answers)))
    return _Took(sent_s, mined_s)


async def _in_turn(stage: MinedStage, proxy: Proxy) -> float:
    """What a script does: no journal, the node's word for the nonce, and the next one once this one is mined."""
    rpc = Rpc(httpx.URL(proxy.url), within_s=20.0)
    signer = Signer(account_of(bytes.fromhex(KEYS[0][2:])), BASE)

    async def fine(_: object) -> str:
        return ""

    guard = Guard(rules(TRADER), fine)
    began = time.perf_counter()
    for number in range(NAIVE):
        passed = await guard.passes(opening(number))
        nonce, gas = await rpc.nonce(TRADER, "pending"), await rpc.estimate_gas(passed.call, TRADER)
        signed = signer.sign(passed, nonce=nonce, gas=gas * 5 // 4, max_fee=5 * 10**9, max_priority=10**6)
        await rpc.send_raw(signed.raw)
        await stage.node.mine()
        receipt = await rpc.receipt(signed.hash)
        if receipt is None or not receipt.succeeded:
            raise AssertionError(f"{signed.hash} did not happen")
    took = time.perf_counter() - began
    await rpc.aclose()
    return took / NAIVE * DESKS
