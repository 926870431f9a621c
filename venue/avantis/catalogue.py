"""The pairs of the venue, found by their symbols and read no more generously than our own limits allow.

Desks trade pairs with a fixed fee. Their Upside twins share the symbol's price but not its fees or order types, so they
are left out, and so is every pair that cannot be read whole; each with the reason.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from venue.avantis.answers import bare
from venue.avantis.hosts import DATA, Api, Service
from venue.avantis.pair import Ceilings, Pair, read_pair
from venue.avantis.wire import AvantisCode, AvantisError, Fields
from venue.net.client import Reply

VERSION: Final = 3
FRESH_MS: Final = 60_000
KEPT_MS: Final = 5_000
"""How long one answer serves everybody who asks."""
_UPSIDE: Final = "_UPSIDE"
_WHAT: Final = "catalogue"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One answer. `taken_ms`: when it was true, by our clock."""

    pairs: Mapping[str, Pair]
    left_out: Mapping[str, str]
    """By symbol: why a pair is not among them."""
    max_trades: int
    """Most positions per wallet and pair."""
    taken_ms: int

    def pair(self, symbol: str, quote: str = "USD") -> Pair:
        """The pair with a fixed fee of a symbol. Raises NOT_LISTED."""
        if found := self.pairs.get(_key(symbol, quote)):
            return found
        why = self.left_out.get(_key(symbol, quote), "the venue has no such pair")
        raise AvantisError(AvantisCode.NOT_LISTED, f"pair {symbol}/{quote}: {why}")

    def check(self, now_ms: int) -> None:
        """Raises STALE once nothing may be opened on its word."""
        if not self.is_fresh(now_ms):
            age_s = (now_ms - self.taken_ms) // 1000
            raise AvantisError(AvantisCode.STALE, f"{_WHAT} is {age_s} s old: expected at most {FRESH_MS // 1000}")

    def is_fresh(self, now_ms: int) -> bool:
        """Whether it may be opened on. A clock that was set back makes no old answer new."""
        return abs(now_ms - self.taken_ms) <= FRESH_MS


def _key(symbol: str, quote: str) -> str:
    return f"{symbol}/{quote}"


def _symbol(pair: Pair) -> str:
    return _key(pair.symbol, pair.quote)


def read_catalogue(fields: Fields, ceilings: Ceilings, taken_ms: int) -> Catalogue:
    """Raises UNKNOWN_VERSION, or WRONG_SHAPE for what no pair can do without."""
    version = fields.get("dataVersion")
    if version != VERSION or isinstance(version, bool):
        shown = fields.integer("dataVersion")
        raise AvantisError(AvantisCode.UNKNOWN_VERSION, f"{_WHAT}.dataVersion is {shown}: expected {VERSION}")
    rows, groups = fields.inner("pairInfos"), fields.inner("groupInfo")
    good: list[Pair] = []
    left_out: dict[str, str] = {}
    for name in rows.names():
        symbol, found = _entry(rows, name, groups, ceilings)
        if isinstance(found, Pair):
            good.append(found)
        else:
            left_out[symbol] = found
    pairs, doubled = _told_apart(good)
    return Catalogue(
        pairs=pairs,
        left_out={symbol: why for symbol, why in left_out.items() if symbol not in pairs} | doubled,
        max_trades=fields.integer("maxTradesPerPair", least=1, most=1000),
        taken_ms=taken_ms,
    )


def _entry(rows: Fields, name: str, groups: Fields, ceilings: Ceilings) -> tuple[str, Pair | str]:
    """The pair under a key, or why it is left out: one that the venue broke is no reason to lose the others."""
    symbol = name
    try:
        row = rows.inner(name)
        symbol = _key(row.text("from"), row.text("to"))
        return symbol, _unfit(row) or read_pair(row, groups, ceilings)
    except AvantisError as error:
        return symbol, error.text


def _unfit(row: Fields) -> str:
    if not row.flag("isPairListed"):
        return "not listed any more"
    upside = row.inner("storagePairParams").integer("isPnlTypeAllowed", most=1) == 1
    if upside or row.text("from").endswith(_UPSIDE):
        return "an Upside pair: its fee is a share of the profit"
    return ""


def _told_apart(good: list[Pair]) -> tuple[dict[str, Pair], dict[str, str]]:
    """Pairs by symbol, and why others are none: where a symbol or an index is shared, nobody knows which is meant."""
    symbols, indexes = Counter(map(_symbol, good)), Counter(pair.index for pair in good)
    pairs: dict[str, Pair] = {}
    doubled: dict[str, str] = {}
    for pair in good:
        symbol = _symbol(pair)
        if symbols[symbol] > 1:
            doubled[symbol] = "several pairs have this symbol"
        elif indexes[pair.index] > 1:
            doubled[symbol] = f"index {pair.index} is given to several pairs"
        else:
            pairs[symbol] = pair
    return pairs, doubled


def _age_ms(reply: Reply) -> int:
    """How long a cache on the way has kept the answer."""
    text: str = reply.headers.get("age", "")
    return int(text) * 1000 if text.isascii() and text.isdigit() and len(text) < 9 else 0


@dataclass(slots=True)
class Catalogues:
    """The catalogue, asked for at most every 5 s, and the last one for as long as it is fresh."""

    api: Api
    now_ms: Callable[[], int]
    ceilings: Ceilings = field(default_factory=Ceilings)
    _last: Catalogue | None = None
    _trouble: AvantisError | None = None

    @property
    def last(self) -> Catalogue | None:
        """The last one that was read, however old."""
        return self._last

    @property
    def trouble(self) -> AvantisError | None:
        """Why the newest attempt brought nothing."""
        return self._trouble

    async def newest(self) -> Catalogue:
        """One that is at most 60 s old. Raises AvantisError: why there is none, or STALE for what a cache has kept."""
        asked_ms = self.now_ms()
        if self._last is not None and 0 <= asked_ms - self._last.taken_ms <= KEPT_MS:
            return self._last
        try:
            self._last = await self.api.read(Service.GATEWAY, f"{DATA}/v2/trading", self._judge(asked_ms))
            self._trouble = None
        except AvantisError as error:
            self._trouble = error
            # A version nobody knows stops opening at once: what the last one said may not hold any more.
            if error.code is AvantisCode.UNKNOWN_VERSION:
                self._last = None
            if self._last is None or not self._last.is_fresh(self.now_ms()):
                raise
        self._last.check(self.now_ms())
        return self._last

    def _judge(self, asked_ms: int) -> Callable[[Reply], Catalogue]:
        def judge(reply: Reply) -> Catalogue:
            return read_catalogue(bare(reply, _WHAT), self.ceilings, asked_ms - _age_ms(reply))

        return judge
