"""A snapshot as it crosses a thin line: what changed, in as many digits as anybody sees.

Whatever is left out of a number is left out so that it still rounds, to any coarser digit, as the whole number does:
digits are cut off, and a last digit of 0 or 5 that stands for more is made one larger. So nothing but nought becomes
nought, and a cell in few or in many decimals is the same on both ends.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache, partial
from typing import Any

from engine.delta import diff
from engine.plain import plain
from engine.port import EVERYTHING
from engine.snapshot import DeskRow, ExitQuote, LiquidationRow, MarketRow, Snapshot

DIGITS = 12
"""Of an amount about which nothing else is said."""
PRICE_DIGITS = 8
"""Of a price: a closing price that is off by so little is the same price."""
DECIMALS = 5
"""Of a ratio: one more than a percentage with two of its own needs."""
ALWAYS = ("seq", "at_ms", "status")
_WAD = 10**18
_MICRO = 10**12
_LONG = 10**15
"""No amount is cut coarser: a tenth of a cent."""
_NO_RATIO = 10**9
"""From here on a float is sent as it is, as are infinity and what is no number."""
_UNKNOWN_PRICE = 10**6 * _WAD
Short = Callable[[Any, Any], Any]
"""What is sent of a value, which is the first, in a row, which is the second."""


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
        names = [name for name in (*ALWAYS, *want) if self._differs(name, snapshot)]
        new = self._sent | self._taken(snapshot, names)
        change, self._sent = diff(self._sent, new), new
        return change

    def _differs(self, name: str, snapshot: Snapshot) -> bool:
        # An age that stays while time goes on is another moment.
        moved = name == "markets" and snapshot.at_ms != self._seen["at_ms"]
        return moved or bool(getattr(snapshot, name) != self._seen[name])

    def _taken(self, snapshot: Snapshot, names: Collection[str]) -> dict[str, Any]:
        self._seen |= {name: getattr(snapshot, name) for name in names}
        taken = {name: self._short(getattr(snapshot, name)) for name in names}
        if "markets" in taken:
            taken["markets"] = [_since(row, snapshot.at_ms) for row in taken["markets"]]
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


def _since(row: dict[str, Any], at_ms: int) -> dict[str, Any]:
    """A market with the moment of its price in place of the age: that stays, where an age changes all the time."""
    return row if row["age_ms"] is None else {**row, "age_ms": str(at_ms - int(row["age_ms"]))}


def picture(read: Mapping[str, Any]) -> Snapshot:
    """The snapshot of fields as `Thin` sends them, read by their types."""
    markets = tuple(
        row if row.age_ms is None else replace(row, age_ms=read["at_ms"] - row.age_ms) for row in read["markets"]
    )
    return Snapshot(**{**read, "markets": markets})


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
        own = _OWN.get(kind, {})
        return {name: _field(value, getattr(value, name), own.get(name)) for name in _names(kind)}
    return plain(value)


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _field(row: Any, value: Any, own: Short | None) -> Any:  # noqa: ANN401
    if isinstance(value, bool) or value is None:
        return value
    return short(value) if own is None else own(value, row)


def _money(value: int, _row: object) -> str:
    return str(_cut(value, _LONG))


def _summed(value: int, _row: object) -> str:
    """Of many together it is still right to the cent."""
    return str(_cut(value, _MICRO))


def _price(value: int, _row: object) -> str:
    return str(_significant(value, PRICE_DIGITS))


def _ratio(value: float, _row: object, places: int) -> float:
    return _decimals(value, places)


def _distance(value: float, row: Any, of: str) -> float:  # noqa: ANN401
    """A share of a price, from which a price is computed: off by less than a tenth of the last decimal of that."""
    price = abs(_UNKNOWN_PRICE if (known := getattr(row, of)) is None else known)
    decimals = 2 if price >= 100 * _WAD else 4 if price >= _WAD else 6
    return _decimals(value, decimals + len(str(price // _WAD)) + 1)


_OWN: Mapping[type, Mapping[str, Short]] = {
    DeskRow: {
        **dict.fromkeys(("pnl_price", "pnl_carry"), _money),
        **dict.fromkeys(("collateral", "notional", "pnl"), _summed),
        **dict.fromkeys(("entry", "mark"), _price),
        "liq_move": partial(_distance, of="mark"),
    },
    ExitQuote: {"price": _price, "payout": _summed},
    LiquidationRow: {
        **dict.fromkeys(("notional", "fee"), _money),
        "loss_share": partial(_ratio, places=3),
        "leverage": partial(_ratio, places=2),
        "move": partial(_distance, of="entry"),
    },
    MarketRow: {
        **dict.fromkeys(("long_oi", "short_oi"), _money),
        # What a position would cost is computed of it.
        "depth": _summed,
        **dict.fromkeys(("index", "mark", "conf"), _price),
        "carry_per_hour": partial(_ratio, places=7),
        # A million is multiplied by it, and shown in cents.
        "open_fee": partial(_ratio, places=10),
    },
}
"""What columns, pages and dialogs show of a field in more or fewer digits than of any other."""


def _decimals(value: float, places: int) -> float:
    scale: int = 10**places
    if not abs(value) < _NO_RATIO or round(value * scale) / scale == value:
        return value + 0.0  # no negative nought
    over, under = value.as_integer_ratio()
    return _sticky(over * scale, under) / scale


def _significant(value: int, digits: int) -> int:
    return _cut(value, min(10 ** max(len(str(abs(value))) - digits, 0), _LONG))


def _cut(value: int, unit: int) -> int:
    return _sticky(value, unit) * unit


def _sticky(over: int, under: int) -> int:
    """How many times, towards nought; one more where something is left and 0 or 5 would round as if nothing was."""
    times, left = divmod(abs(over), under)
    times += bool(left) and times % 5 == 0
    return times if over >= 0 else -times
