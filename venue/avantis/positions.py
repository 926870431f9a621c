"""What three sources say about the wallet's positions: the venue's index, its transaction builder and the chain."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from venue.avantis.addresses import AVANTIS
from venue.avantis.answers import bare, built
from venue.avantis.contracts import OPEN_TRADES, OPEN_TRADES_COUNT
from venue.avantis.hosts import CORE, Api, Service
from venue.avantis.wire import AvantisCode, AvantisError, Fields, wrong
from venue.chain.abi import AbiError
from venue.chain.call import Call
from venue.perp import Usdc

_MOST_INDEX: Final = 10_000
_MOST_TIME_S: Final = 10**11
_MOST_COST: Final = 10**15
"""A thousand million USDC."""


class From(StrEnum):
    """A source."""

    CORE = "core"
    BUILDER = "tx-builder"
    CHAIN = "chain"


Slot = tuple[int, int]
"""pairIndex and index of a position; reused once it is closed."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One position and no other: its slot, and when it was opened. The venue sets the time anew when it is changed."""

    pair_index: int
    trade_index: int
    opened_at_s: int

    @property
    def slot(self) -> Slot:
        return self.pair_index, self.trade_index


@dataclass(frozen=True, slots=True)
class Held:
    """A position as one source tells it. Prices and leverage in 1e-10; None is what the source does not tell."""

    pair_index: int
    trade_index: int
    is_long: bool
    collateral: Usdc
    leverage: int
    open_price: int
    opened_at_s: int
    liquidation_price: int | None = None
    rollover: Usdc | None = None
    funding: Usdc | None = None
    """Owed if positive, like `rollover`."""
    is_pnl: bool | None = None
    """The fee is a share of the profit (Upside)."""

    @property
    def identity(self) -> Identity:
        return Identity(self.pair_index, self.trade_index, self.opened_at_s)

    @property
    def slot(self) -> Slot:
        return self.pair_index, self.trade_index


@dataclass(frozen=True, slots=True)
class Report:
    """What one source answered. `covers`: the slots it was asked about, None for all."""

    source: From
    held: tuple[Held, ...]
    covers: frozenset[Slot] | None = None

    def tells(self, slot: Slot) -> bool:
        """Whether nothing in this report means that the slot is empty."""
        return self.covers is None or slot in self.covers

    def at(self, slot: Slot) -> Held | None:
        """What stands in a slot."""
        return next((held for held in self.held if held.slot == slot), None)


@dataclass(frozen=True, slots=True)
class Silent:
    """A source that gave no answer."""

    source: From
    why: str


Answer = Report | Silent


def _report(source: From, held: list[Held]) -> Report:
    if len({each.slot for each in held}) != len(held):
        raise AvantisError(AvantisCode.WRONG_SHAPE, f"{source}: two positions in one slot: expected one")
    return Report(source, tuple(held))


def read_core(fields: Fields, trader: ChecksumAddress) -> Report:
    """`core/user-data`. Raises WRONG_SHAPE."""
    return _report(From.CORE, [_of_core(row, trader) for row in fields.rows("positions")])


def read_builder(fields: Fields, trader: ChecksumAddress) -> Report:
    """`/v2/positions` of tx-builder. Raises WRONG_SHAPE."""
    return _report(From.BUILDER, [_of_builder(row, trader) for row in fields.rows("trades")])


def _of_core(row: Fields, trader: ChecksumAddress) -> Held:
    _check_trader(row, trader)
    return Held(
        pair_index=row.integer("pairIndex", most=_MOST_INDEX),
        trade_index=row.integer("index", most=_MOST_INDEX),
        is_long=row.flag("buy"),
        collateral=row.integer("collateral", least=1),
        leverage=row.integer("leverage", least=1),
        open_price=row.integer("openPrice", least=1),
        opened_at_s=row.integer("openedAt", least=1, most=_MOST_TIME_S),
        liquidation_price=_liquidation(row),
        rollover=row.integer("rolloverFee", least=-_MOST_COST, most=_MOST_COST),
        funding=row.integer("unrealisedFundingFee", least=-_MOST_COST, most=_MOST_COST),
        is_pnl=row.flag("isPnl"),
    )


def _of_builder(row: Fields, trader: ChecksumAddress) -> Held:
    trade = row.inner("trade")
    _check_trader(trade, trader)
    return Held(
        pair_index=trade.integer("pairIndex", most=_MOST_INDEX),
        trade_index=trade.integer("index", most=_MOST_INDEX),
        is_long=trade.flag("buy"),
        # positionSizeUSDC is overwritten with a block time once the position stands
        collateral=trade.integer("initialPosToken", least=1),
        leverage=trade.integer("leverage", least=1),
        open_price=trade.integer("openPrice", least=1),
        opened_at_s=trade.integer("timestamp", least=1, most=_MOST_TIME_S),
        liquidation_price=_liquidation(row),
    )


def _liquidation(row: Fields) -> int | None:
    return None if row.get("liquidationPrice") is None else row.integer("liquidationPrice")


def _check_trader(row: Fields, trader: ChecksumAddress) -> None:
    if (found := row.address("trader")) != trader:
        raise wrong(row.path("trader"), found, f"the wallet asked for, {trader}")


async def fetch_core(api: Api, trader: ChecksumAddress) -> Answer:
    """What the venue's index says; never raises AvantisError."""
    query = [("trader", str(trader))]
    try:
        return await api.read(
            Service.GATEWAY, f"{CORE}/user-data", lambda reply: read_core(bare(reply, "user-data"), trader), query=query
        )
    except AvantisError as error:
        return Silent(From.CORE, error.text)


async def fetch_builder(api: Api, trader: ChecksumAddress) -> Answer:
    """What the transaction builder says; never raises AvantisError."""
    query = [("trader", str(trader))]
    try:
        return await api.read(
            Service.TX_BUILDER,
            "v2/positions",
            lambda reply: read_builder(built(reply, "positions"), trader),
            query=query,
        )
    except AvantisError as error:
        return Silent(From.BUILDER, error.text)


class ChainFault(Exception):
    """A node gave no answer; one line."""


class Reader(Protocol):
    """Asks a node without sending anything."""

    async def call(self, call: Call) -> bytes:
        """What a call would return. Raises ChainFault, and nothing else, when nobody can tell."""
        ...


async def read_slots(
    reader: Reader, trader: ChecksumAddress, slots: Iterable[Slot], storage: ChecksumAddress = AVANTIS.storage
) -> Answer:
    """What the chain holds in these slots; never raises ChainFault or AvantisError."""
    asked = sorted(set(slots))
    try:
        found = [await _stored(reader, trader, slot, storage) for slot in asked]
    except (ChainFault, AbiError, AvantisError) as error:
        return Silent(From.CHAIN, str(error))
    return Report(From.CHAIN, tuple(held for held in found if held), frozenset(asked))


async def scan_pairs(
    reader: Reader,
    trader: ChecksumAddress,
    pairs: Collection[int],
    most: int,
    storage: ChecksumAddress = AVANTIS.storage,
) -> Answer:
    """All the chain holds in these pairs, looking at up to `most` slots of each; never raises either."""
    found: list[Held] = []
    try:
        for pair in sorted(set(pairs)):
            found += await _scanned(reader, trader, pair, most, storage)
    except (ChainFault, AbiError, AvantisError) as error:
        return Silent(From.CHAIN, str(error))
    return Report(From.CHAIN, tuple(found), frozenset((pair, at) for pair in pairs for at in range(most)))


async def _scanned(
    reader: Reader, trader: ChecksumAddress, pair: int, most: int, storage: ChecksumAddress
) -> list[Held]:
    call = Call(storage, OPEN_TRADES_COUNT.encode(trader, pair))
    (count,) = OPEN_TRADES_COUNT.decode_returned(await reader.call(call))
    found: list[Held] = []
    for at in range(most):
        if len(found) == count:
            return found
        if held := await _stored(reader, trader, (pair, at), storage):
            found.append(held)
    if len(found) != count:  # something was opened or closed while we looked
        raise wrong(f"openTradesCount of pair {pair}", count, f"the {len(found)} positions found")
    return found


async def _stored(reader: Reader, trader: ChecksumAddress, slot: Slot, storage: ChecksumAddress) -> Held | None:
    call = Call(storage, OPEN_TRADES.encode(trader, *slot))
    row = OPEN_TRADES.decode_returned(await reader.call(call))
    owner, pair, index, collateral, _, price, is_long, leverage, _, _, opened_at_s = row
    if leverage == 0:
        return None
    if (to_checksum_address(owner), pair, index) != (trader, *slot):
        raise wrong(f"openTrades{slot}", f"{owner} {pair} {index}", f"{trader} in that slot")
    if not (collateral and price and 0 < opened_at_s <= _MOST_TIME_S):
        raise wrong(f"openTrades{slot}", f"{collateral} at {price} since {opened_at_s}", "a position that stands")
    return Held(pair, index, is_long, collateral, leverage, price, opened_at_s)
