"""`python -m tests.bench [NAME]`: runs the benchmarks whose name starts with NAME."""

import sys
from collections.abc import Callable

from tests.bench import (
    attach,
    chain,
    clearing,
    desks,
    feed,
    flood,
    grid,
    liquidation,
    recovery,
    requests,
    settlement,
    simulation,
    terminal,
    view,
)

BENCHES: dict[str, Callable[[], None]] = {
    "attach": attach.attach,
    "chain.fleet": chain.fleet_of_desks,
    "clearing.step": clearing.step,
    "desks": desks.management_pass,
    "feed.parse": feed.parse,
    "feed.flood": flood.flood,
    "liquidation.step": liquidation.step,
    "settlement.serial": settlement.serial,
    "settlement.grouped": settlement.grouped,
    "recovery.snapshot": recovery.snapshot,
    "requests": requests.keeper_pass,
    "simulation.speed": simulation.speed,
    "start.first_paint": terminal.start,
    "tui.bytes": terminal.screen,
    "tui.cpu": terminal.screen,
    "tui.idle": terminal.idle,
    "tui.key_latency": terminal.keys,
    "tui.gap": terminal.gap,
    "tui.memory": terminal.memory,
    "tui.grid": grid.ten_thousand,
    "view.build": view.build,
}


def main(only: str) -> int:
    """Exit status 64 when no benchmark has that name. What is measured together is measured once."""
    chosen = dict.fromkeys(bench for name, bench in BENCHES.items() if name.startswith(only))
    if not chosen:
        sys.stderr.write(f"no benchmark {only!r}; there are {', '.join(BENCHES)}\n")
        return 64
    for bench in chosen:
        bench()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
