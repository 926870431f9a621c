"""A snapshot as it crosses a thin line: what changed, in as many digits as anybody sees."""

from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from engine.delta import diff
from engine.plain import plain
from engine.port import EVERYTHING
from engine.snapshot import DeskRow, ExitQuote, LiquidationRow, MarketRow, Snapshot

DIGITS = 12
"""Of an amount about which nothing else is said."""
PRICE_DIGITS = 8
"""Of a price: a closing price that is off by so little is the same price."""
CENT = 10**16
DECIMALS = 5
"""Of a ratio."""
ALWAYS = ("seq", "at_ms", "status")
_LONG = 10**15
_CENTS: Mapping[type, frozenset[str]] = {
    DeskRow: frozenset(("collateral", "notional", "pnl", "pnl_price", "pnl_carry")),
    ExitQuote: frozenset(("payout",)),
    LiquidationRow: frozenset(("notional", "fee")),
    MarketRow: frozenset(("long_oi", "short_oi", "depth")),
}
"""USD that no column shows in more than cents."""
_PRICES: Mapping[type, frozenset[str]] = {
    DeskRow: frozenset(("entry", "mark")),
    ExitQuote: frozenset(("price",)),
    MarketRow: frozenset(("index", "mark", "conf")),
}
_COARSE: Mapping[type, Mapping[str, int]] = {
    DeskRow: {"liq_move": 3},
    LiquidationRow: {"loss_share": 3, "move": 4, "leverage": 1},
    MarketRow: {"change": 4},
}
"""Ratios of which fewer decimals are shown."""


class Thin:
    """What one reader has been sent. A field nobody looks at stays as it was sent last."""

    def __init__(self) -> None:
        self._sent: dict[str, Any] | None = None
        self._seen: dict[str, Any] = {}
        self._rows: dict[int, tuple[Any, Any]] = {}
        """Rows that were sent, with what they became: most are the same object in the next picture."""

    def change(self, snapshot: Snapshot, want: Collection[str], *, whole: bool) -> Any:  # noqa: ANN401 - JSON
        """From what was sent last; None: nothing. The first is whole."""
        if self._sent is None or whole:
            self._sent = self._taken(snapshot, EVERYTHING)
            return [0, self._sent]
        names = [name for name in (*ALWAYS, *want) if getattr(snapshot, name) != self._seen[name]]
        new = self._sent | self._taken(snapshot, names)
        change, self._sent = diff(self._sent, new), new
        return change

    def _taken(self, snapshot: Snapshot, names: Collection[str]) -> dict[str, Any]:
        self._seen |= {name: getattr(snapshot, name) for name in names}
        taken = {name: self._short(getattr(snapshot, name)) for name in names}
        held = {id(row): row for value in self._seen.values() if isinstance(value, tuple) for row in value}
        self._rows = {key: made for key, made in self._rows.items() if held.get(key) is made[0]}
        return taken

    def _short(self, value: Any) -> Any:  # noqa: ANN401
        if not isinstance(value, tuple):
            return short(value)
        return [self._row(row) if is_dataclass(row) else short(row) for row in value]

    def _row(self, row: Any) -> Any:  # noqa: ANN401
        made = self._rows.get(id(row))
        if made is None or made[0] is not row:
            made = self._rows[id(row)] = (row, short(row))
        return made[1]


def short(value: Any) -> Any:  # noqa: ANN401 - walks any part of a snapshot
    """As plain JSON, with digits that nobody sees left out."""
    if isinstance(value, float):
        return _decimals(value, DECIMALS)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(_significant(value, DIGITS) if abs(value) >= _LONG else value)
    if isinstance(value, tuple):
        return [short(item) for item in value]
    kind: type[object] = type(value)
    if is_dataclass(kind):
        return {name: _field(kind, name, getattr(value, name)) for name in _names(kind)}
    return plain(value)


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _field(kind: type, name: str, value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        if name in _CENTS.get(kind, ()):
            return str(_rounded(value, CENT))
        if name in _PRICES.get(kind, ()):
            return str(_significant(value, PRICE_DIGITS))
        if kind is MarketRow and name == "age_ms":
            return str(value // 1000 * 1000)
    if isinstance(value, float):
        return _decimals(value, _COARSE.get(kind, {}).get(name, DECIMALS))
    return short(value)


def _decimals(value: float, places: int) -> float:
    return round(value, places) + 0.0  # no negative nought


def _significant(value: int, digits: int) -> int:
    return _rounded(value, 10 ** max(len(str(abs(value))) - digits, 0))


def _rounded(value: int, unit: int) -> int:
    """To the nearest multiple, away from zero where both are as near."""
    half = (abs(value) + unit // 2) // unit * unit
    return half if value >= 0 else -half
