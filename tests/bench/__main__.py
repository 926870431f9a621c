"""`python -m tests.bench [NAME]`: runs the benchmarks whose name starts with NAME."""

import sys
from collections.abc import Callable

from tests.bench import attach, chain, clearing, desks, feed, grid, liquidation, requests, settlement, terminal

BENCHES: dict[str, Callable[[], None]] = {
    "attach": attach.attach,
    "chain.fleet": chain.fleet_of_desks,
    "clearing.step": clearing.step,
    "desks": desks.management_pass,
    "feed.parse": feed.parse,
    "liquidation": liquidation.step,
    "settlement.serial": settlement.serial,
    "settlement.grouped": settlement.grouped,
    "requests": requests.keeper_pass,
    "start": terminal.start,
    "tui.bytes": terminal.screen,
    "tui.idle": terminal.idle,
    "tui.key_latency": terminal.keys,
    "tui.gap": terminal.gap,
    "tui.memory": terminal.memory,
    "tui.grid": grid.ten_thousand,
}


def main(only: str) -> int:
    """Exit status 64 when no benchmark has that name."""
    chosen = [bench for name, bench in BENCHES.items() if name.startswith(only)]
    if not chosen:
        sys.stderr.write(f"no benchmark {only!r}; there are {', '.join(BENCHES)}\n")
        return 64
    for bench in chosen:
        bench()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
