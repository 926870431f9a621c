"""A whole engine holds in every history, and a history that does not is replayed by its seed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.scale import SEED, Progress, scaled
from tests.simulation.crowd import houses_all

HISTORIES = scaled(10, 500, 10_000)
SEEN = {
    "OrderFilled",
    "OrderDeclined",
    "OrderUnsettled",
    "PositionLiquidated",
    "PoolPositionLiquidated",
    "DeskLiquidated",
    "CurveOrderExecuted",
    "RequestCancelled",
    "BuybackFilled",
    "BuybackUnsettled",
    "TxReorged",
    "TxSettled",
    "IntentTaken",
    "IntentEnded",
    "death",
}
"""What must happen somewhere, or nothing is shown."""


@pytest.mark.timeout(120 + 20 * HISTORIES)
def test_every_history_of_a_whole_engine_ends_with_nothing_left(
    tried: Callable[[int], None], progress: Progress
) -> None:
    seen, broken = houses_all(SEED, HISTORIES, progress)
    tried(HISTORIES)
    assert not broken, f"{len(broken)} of {HISTORIES}:\n" + "\n".join(broken[:20])
    assert not SEEN - seen.keys(), f"never happened, so never tried: {SEEN - seen.keys()}"


@pytest.mark.timeout(300)
def test_a_seed_is_the_same_history_in_every_process() -> None:
    """Also where strings hash otherwise, so that no set decides what happens next."""
    first, again, other = told(SEED, "1"), told(SEED, "2"), told(SEED + 1, "1")
    assert first == again
    assert first["trace"] != other["trace"]


def told(seed: int, hashing: str) -> dict[str, object]:
    ran = subprocess.run(
        (sys.executable, "-m", "tests.simulation", "--seed", str(seed)),
        env=os.environ | {"PYTHONHASHSEED": hashing},
        capture_output=True,
        check=True,
        timeout=280,
    )
    line: dict[str, object] = json.loads(ran.stdout)
    return line
