"""What a test asks of a program that may die at any moment."""

import asyncio
import time
from pathlib import Path

from engine.remote import RemoteError, RemotePort
from tests.patient import PATIENCE_S
from tests.proof.zygote import Life

LOOK_EVERY_S = 0.004


async def ready(state: Path, life: Life) -> float:
    """When it first answers, on the monotonic clock. Raises AssertionError when it ends, or does not by then."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            async with await RemotePort.connect(state, 1.0) as port:
                await port.info()
                return time.monotonic()
        except RemoteError:
            assert not life.ended(), life.words()
            await asyncio.sleep(LOOK_EVERY_S)
    raise AssertionError(f"not ready within {PATIENCE_S} s: {life.words()}")
