"""`make bench | python -m tests.bench.table`: the lines of the benchmarks as a table in Markdown."""

import json
import sys
from collections.abc import Iterable

HEADS = ("bench", "case", "figure", "goal", "baseline", "its figure", "ratio")
GOALS = {
    ("liquidation.step", "1000000", "numpy"): "x100",
    ("liquidation.memory", "1000000", ""): "1,536 MiB",
    ("settlement.serial", "", ""): "1,500 operations/s, x0.5",
    ("settlement.grouped", "", ""): "15,000 operations/s, x0.5",
    ("feed.parse", "", ""): "50,000 updates/s",
    ("feed.flood.lag", "p99", ""): "50 ms",
    ("recovery.snapshot", "", ""): "3 s",
    ("simulation.speed", "100 desks, the whole", ""): "2,000 virtual s/s",
}
"""By bench and how case and baseline begin, what was to be reached; of the others nothing but the figure was asked."""


def table(lines: Iterable[str]) -> str:
    """One row per line; a ratio is how many times better than the baseline. Raises ValueError for a line that is no
    JSON, KeyError for one that is no figure."""
    rows = [HEADS, ["---", "---", "---:", "---:", "---", "---:", "---:"], *map(_row, filter(str.strip, lines))]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(line: str) -> list[str]:
    figure = json.loads(line)
    bench, case, baseline, unit = figure["bench"], figure["case"], figure["baseline"], figure["unit"]
    goals = (
        goal
        for (name, *begins), goal in GOALS.items()
        if name == bench and case.startswith(begins[0]) and baseline.startswith(begins[1])
    )
    value, other = (f"{_shown(figure[key])} {unit}" for key in ("value", "baseline_value"))
    return [f"`{bench}`", case, value, next(goals, ""), baseline, other, f"x{_shown(figure['ratio'])}"]


def _shown(value: float) -> str:
    """Three figures, without an exponent."""
    return f"{float(f'{value:.3g}'):,.10f}".rstrip("0").rstrip(".")


if __name__ == "__main__":
    sys.stdout.write(table(sys.stdin) + "\n")
