"""What has been typed into a form so far, read against the markets on the screen; wrong entries are named in a line."""

import re
from dataclasses import dataclass
from decimal import Decimal

from engine.exchange_rows import PoolRow
from engine.snapshot import Snapshot
from tui.format import amount, clean, fit

ENTRY_CAP = 40
"""Longest entry: no amount and no path a person types is longer."""
_SHOWN = 16
_NUMBER = re.compile(r"(\d+|\d{1,3}(,\d{3})+)(\.\d+)?|\.\d+", re.ASCII)
EXAMPLE = "a number like 1250.5"


class Wrong(ValueError):
    """An entry that cannot be meant: the field, what is in it, and what is expected."""

    def __init__(self, field: str, value: str, expected: str) -> None:
        super().__init__(f"{field}: {fit(value, min(len(value), _SHOWN))!r} given, {expected} expected")
        self.field = field


def number(field: str, text: str, expected: str = EXAMPLE) -> Decimal:
    """An exact decimal; a comma counts only where it parts thousands, so that `1,5` is not taken for fifteen."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        raise Wrong(field, text, expected)
    return Decimal(text.replace(",", ""))


@dataclass(frozen=True)
class Draft:
    """Entries by field, and the picture they are read against."""

    values: dict[str, str]
    snapshot: Snapshot

    def text(self, field: str) -> str:
        """What is in a field."""
        return self.values.get(field, "").strip()

    def amount(self, field: str) -> Decimal:
        """An amount; nothing typed is nought."""
        return number(field, self.text(field)) if self.text(field) else Decimal(0)

    def price(self, field: str) -> Decimal | None:
        """A price; nothing typed is any."""
        return number(field, self.text(field)) if self.text(field) else None

    def path(self, field: str) -> tuple[str, ...]:
        """Pools in the order they are swapped through, as the engine spells them."""
        names = [name.strip() for name in self.text(field).split(",") if name.strip()]
        known = {pool.symbol.casefold(): pool.symbol for pool in self.snapshot.pools}
        for name in names:
            if name.casefold() not in known:
                raise Wrong(field, name, "pools parted by commas")
        return tuple(known[name.casefold()] for name in names)

    def pools(self) -> tuple[str, ...]:
        """Where liquidity can be added and taken."""
        return tuple(pool.symbol for pool in self.snapshot.pools)

    def markets(self) -> tuple[str, ...]:
        """Where positions can be held: pools, and markets on a curve."""
        return (*self.pools(), *(row.symbol for row in self.snapshot.markets if row.mark is not None))

    def pool(self) -> PoolRow | None:
        """The pool chosen; None for a market on a curve."""
        return next((pool for pool in self.snapshot.pools if pool.symbol == self.text("market")), None)

    def of(self, token: str) -> str:
        """A token, and how much of it the operator has."""
        held = self.snapshot.mine.held(token)
        return f"of {amount(held)} {token.removeprefix('MT:')}" if self.snapshot.mine.name else token

    def collateral_tokens(self) -> tuple[str, ...]:
        """What a position in the chosen pool may be held in."""
        pool = self.pool()
        return () if pool is None else tuple(dict.fromkeys((pool.short, pool.long)))

    def tokens(self) -> tuple[str, ...]:
        """All tokens of all pools."""
        return tuple(dict.fromkeys(token for pool in self.snapshot.pools for token in (pool.short, pool.long)))

    def token(self, which: str) -> str:
        """The name of the chosen pool's long or short token, as a unit beside a figure."""
        pool = self.pool()
        return "" if pool is None else clean(pool.long if which == "long" else pool.short)
