"""10,000 prices a second for as long as it is asked to: the engine keeps time, forgets nobody and does not grow."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.flood import FLOOD
from tests.proof.soaking import COMMAND_S
from tests.scale import scaled

SECONDS = scaled(8, 60, 600)
P99_MS = scaled(500, 50, 50)
MOST_MS = scaled(5_000, 250, 250)
GROWN_MIB = scaled(60, 20, 20)
ACCEPTED = scaled(30, 90, 90) / 100
"""Limits of `make test` leave room for a machine that has other things to do."""


def test_a_flood_with_a_stalled_screen_beside_it(tmp_path: Path, tried: Callable[[int], None]) -> None:
    tmp_path.chmod(0o700)
    found = soaked(tmp_path, SECONDS)
    assert found["p99_ms"] <= P99_MS, found
    assert found["most_ms"] <= MOST_MS, found
    assert found["grown_mib"] < GROWN_MIB, found
    assert found["descriptors"] <= 5, found
    assert found["dropped"] == found["refused"] == 0, found
    assert found["commands"] >= SECONDS / COMMAND_S / scaled(4, 2, 2), found
    assert found["accepted_per_s"] >= FLOOD * ACCEPTED, found
    sys.stderr.write(f"soak: {found}\n")
    tried(round(found["accepted_per_s"] * SECONDS))


def soaked(folder: Path, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.proof.soaking", str(seconds), str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 150, check=False)
    assert run.returncode == 0, run.stderr
    made: dict[str, Any] = json.loads(run.stdout)
    return made
