"""The one line a benchmark prints."""

import json
import sys
import time
from collections.abc import Callable

FIGURES = 4
"""As many digits as a measurement is worth."""


def report(bench: str, case: str, value: float, unit: str, baseline: str, baseline_value: float) -> None:
    """Prints a figure beside its baseline; the ratio is written so that more is better."""
    better_small = unit in ("s", "ms", "us", "B/s", "%", "MiB")
    over, under = (baseline_value, value) if better_small else (value, baseline_value)
    ratio = over / under if under else 0.0
    line = {
        "bench": bench,
        "case": case,
        "value": _rounded(value),
        "unit": unit,
        "baseline": baseline,
        "baseline_value": _rounded(baseline_value),
        "ratio": _rounded(ratio),
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _rounded(value: float) -> float:
    return float(f"{value:.{FIGURES}g}")


def best_of(times: int, work: Callable[[], float]) -> float:
    """The least of several measurements: what the machine can do when it is not disturbed."""
    return min(work() for _ in range(times))


def timed(work: Callable[[], object]) -> float:
    """Seconds one call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
