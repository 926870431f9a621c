"""The engine's side of snapshots: when enough has been written since the newest, a process of its own makes the next.

Never the engine itself: to pickle a world holds the interpreter, and with it every loop, for as long as that takes.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from engine.clock import Clock

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
ENOUGH = 20_000
"""Facts behind the newest snapshot: at most about so many are folded at a start."""
_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "TZDIR",
    "TMPDIR",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "PYTHONHOME",
    "LD_LIBRARY_PATH",
)


class NoSnapshot(Exception):
    """The process has not made one; its last words."""


class _Made(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    seq: int
    folded: int


class StillMaker:
    """Has the next snapshot made when it is time. `newest` is the fact the start had a snapshot of, 0 for none."""

    def __init__(self, directory: Path, seq: Callable[[], int], newest: int, clock: Clock) -> None:
        self._directory = directory
        self._seq = seq
        self._newest = newest
        self._clock = clock
        self._took = ""

    async def pass_once(self) -> str:
        """Which there is. Raises NoSnapshot when one was to be made and was not."""
        if self._seq() - self._newest >= ENOUGH:
            began = self._clock.monotonic()
            made = await self._make()
            self._newest = made.seq
            self._took = f", took {self._clock.monotonic() - began:.1f} s"
            log.info("snapshot", seq=made.seq, folded=made.folded)
        return f"fact {self._newest:,}{self._took}" if self._newest else f"none below {ENOUGH:,} facts"

    async def _make(self) -> _Made:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "engine.stills.make", str(self._directory)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(os.environ),
        )
        try:
            out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()
        words = err.decode(errors="replace").splitlines()
        if process.returncode:
            raise NoSnapshot(words[-1] if words else f"exit status {process.returncode}")
        for line in words:
            log.warning("snapshot", said=line)
        try:
            return _Made.model_validate_json(out)
        except ValidationError as error:
            raise NoSnapshot(f"unexpected answer {out[:80]!r}") from error


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Of the process that makes one, which only reads a journal and so is told no secret."""
    return {name: value for name, value in environ.items() if name in _PASSED_ON}
