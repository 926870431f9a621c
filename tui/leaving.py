"""What closing many positions at once would give: on a curve every close moves the price for those behind it.

Constant product (seed vamm-clearinghouse, 3): taking `n` USD out of a quote reserve of `Q` moves mark by
`((Q - n) / Q)²`; a short that leaves puts its notional in and moves it up. Of a market without a curve no such effect
is known here.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from engine.commands import Leave
from engine.exchange_rows import Side, Wad
from engine.snapshot import DeskRow, Snapshot
from tui.orders import WORSE_PERCENT
from tui.reasons import closable

_UNIT = 10**9
"""Ratios of prices are kept in integers of this."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """One desk in the line: average exit price and payout after those before it, and the worst price it accepts."""

    desk: DeskRow
    price: Wad
    payout: Wad
    worst: Wad

    @property
    def impact(self) -> float:
        """Signed move of the exit price away from mark, negative is worse for the desk."""
        if not self.desk.mark:
            return 0.0
        move = self.price / self.desk.mark - 1
        return move if self.desk.side is Side.LONG else -move


def in_line(snapshot: Snapshot) -> list[Leaving]:
    """Every position that can be closed, the largest first, each quoted behind those before it.

    The worst price counts in that all others of its market and side might go first, and 1 % more.
    """
    depth = {market.symbol: market.depth for market in snapshot.markets}
    desks = sorted((desk for desk in snapshot.desks if closable(desk) is None), key=lambda desk: -(desk.notional or 0))
    together: dict[tuple[str, Side], Wad] = defaultdict(int)
    for desk in desks:
        together[_queue(desk)] += desk.notional or 0
    before: dict[tuple[str, Side], Wad] = defaultdict(int)
    found = []
    for desk in desks:
        queue = _queue(desk)
        reserve = depth.get(queue[0])
        here = _moved(reserve, before[queue], queue[1])
        last = _moved(reserve, together[queue] - (desk.notional or 0), queue[1])
        before[queue] += desk.notional or 0
        found.append(_quoted(desk, here, last))
    return found


def leaves(line: Iterable[Leaving]) -> tuple[Leave, ...]:
    """What a command carries."""
    return tuple(Leave(each.desk.address, each.worst) for each in line)


def _queue(desk: DeskRow) -> tuple[str, Side]:
    return desk.market or "", desk.side or Side.LONG


def _moved(reserve: Wad | None, gone: Wad, side: Side) -> int:
    """Mark after others have left, as a share of mark now, in `_UNIT`; 0 where the curve would be empty."""
    if not reserve or not gone:
        return _UNIT
    left = max(reserve - gone if side is Side.LONG else reserve + gone, 0)
    return left * left * _UNIT // (reserve * reserve)


def _quoted(desk: DeskRow, here: int, last: int) -> Leaving:
    assert desk.exit is not None  # noqa: S101 - closable() asked
    percent = 100 - WORSE_PERCENT if desk.side is Side.LONG else 100 + WORSE_PERCENT
    lost = abs(desk.notional or 0) * abs(_UNIT - here) // _UNIT
    return Leaving(
        desk,
        desk.exit.price * here // _UNIT,
        max(desk.exit.payout - lost, 0),
        desk.exit.price * last // _UNIT * percent // 100,
    )
