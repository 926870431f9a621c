"""Where the desks' money is, as rows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Protocol

from engine.desk_rows import BuybackRow, FundRow, FundsRow, WalletRow
from engine.desks.accounts import DIEM, DIFFERENCE, PROTOCOL
from engine.desks.commands import Caps
from engine.desks.money import queued
from engine.desks.orders import DAY_MS
from engine.desks.state import Buyback, Desk, House
from engine.desks.terms import in_usdc
from engine.sections import Buybacks
from engine.wallet import Balances
from engine.world import World
from venue.exchange.fixed import MICRO
from venue.swap import PROTOCOL_TOKEN

LARGEST = 3
PER_TOKEN = ("pending", "reserve", "in_flight", "deployed", "realised", "creator", "buying")
"""The accounts in the order in which money passes through them."""


class Counted(Protocol):
    """What the wallet held at the last count, when that was, and what the books said then."""

    @property
    def counted(self) -> Balances | None: ...

    @property
    def counted_at_ms(self) -> int | None: ...

    @property
    def books(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _Books:
    """What follows from the journal alone, up to entry `seq`; USDC of 1e-6."""

    seq: int
    accounts: tuple[FundRow, ...]
    buybacks: tuple[BuybackRow, ...]
    held: int
    unanswered: int


@dataclass(slots=True)
class FundsView:
    """Builds the row of all funds of one journal. `simulated` says what of them is made up."""

    caps: Caps
    buybacks: Buybacks
    wallet: Counted
    simulated: str
    wallets: Callable[[World], tuple[WalletRow, ...]]
    _made: dict[str, tuple[int, BuybackRow | None]] = field(default_factory=dict, init=False)
    """By token, what was made of its desk and the number of the last fact about that."""
    _books: _Books | None = field(default=None, init=False)

    def build(self, world: World, seq: int, now_ms: int) -> FundsRow:
        """As it is now, in the world behind entry `seq`."""
        house = world.house
        counted = self.wallet.counted
        books = self._books
        if books is None or books.seq != seq:
            books = _Books(seq, _accounts(house), self._bought(house), house.held(), house.unanswered())
            self._books = books
        return FundsRow(
            accounts=books.accounts,
            wallet=counted.usdc * MICRO if counted else None,
            wallet_at_ms=self.wallet.counted_at_ms,
            held=(self.wallet.books if counted else books.held) * MICRO,
            unanswered=books.unanswered * MICRO,
            difference=house.ledger[DIFFERENCE] * MICRO,
            gas=counted.gas if counted else None,
            buybacks=books.buybacks,
            wallets=self.wallets(world),
            day_spent=(house.day_spent if house.day == now_ms // DAY_MS else 0) * MICRO,
            day_cap=None if self.caps.day is None else self.caps.day * MICRO,
            at_risk=house.at_risk.total() * MICRO,
            risk_cap=None if self.caps.wallet is None else self.caps.wallet * MICRO,
            simulated=self.simulated,
        )

    def _bought(self, house: House) -> tuple[BuybackRow, ...]:
        own = (self._own(house, desk) for desk in house.desks.values())
        return (self._row(house, PROTOCOL_TOKEN), *(row for row in own if row))

    def _own(self, house: House, desk: Desk) -> BuybackRow | None:
        was = self._made.get(desk.address)
        if was is None or was[0] != desk.touched:
            shown = desk.address in house.buybacks or queued(house, desk.address)
            was = self._made[desk.address] = desk.touched, self._row(house, desk.address) if shown else None
        return was[1]

    def _row(self, house: House, token: str) -> BuybackRow:
        buyback = house.buybacks.get(token, Buyback())
        least = self.buybacks.creator_min_usdc if token else self.buybacks.protocol_min_usdc
        return BuybackRow(
            address=token,
            token=house.desks[token].name if token else "PUM",
            queued=queued(house, token) * MICRO,
            least=in_usdc(least) * MICRO,
            spent=buyback.spent * MICRO,
            bought=buyback.bought,
            count=buyback.count,
            last_ms=buyback.last_ms or None,
            state=_state(buyback),
        )


def _state(buyback: Buyback) -> str:
    if buyback.order is not None:
        return "unknown" if buyback.unsettled else "buying"
    return buyback.refused or "waiting"


def _accounts(house: House) -> tuple[FundRow, ...]:
    by_kind: dict[str, list[tuple[str, int]]] = {kind: [] for kind in PER_TOKEN}
    for account, amount in house.ledger.balances.items():
        kind, _, address = account.partition(":")
        if amount and kind in by_kind and address in house.desks:
            by_kind[kind].append((address, amount))
    fees = [(desk.address, desk.fees_total) for desk in house.desks.values() if desk.fees_total]
    bought = [(token, row.spent) for token, row in house.buybacks.items() if token and row.spent]
    burned = house.buybacks.get(PROTOCOL_TOKEN, Buyback()).spent
    return (
        _fund("fees", fees, house),
        FundRow(PROTOCOL, house.ledger[PROTOCOL] * MICRO),
        FundRow(DIEM, house.ledger[DIEM] * MICRO),
        *(_fund(kind.replace("_", " "), holders, house) for kind, holders in by_kind.items()),
        _fund("bought back", bought, house),
        FundRow("burned", burned * MICRO),
        FundRow(DIFFERENCE, house.ledger[DIFFERENCE] * MICRO),
    )


def _fund(name: str, holders: list[tuple[str, int]], house: House) -> FundRow:
    amount: Callable[[tuple[str, int]], int] = lambda holder: holder[1]  # noqa: E731 - a key, named for its type
    largest = tuple(
        (address, house.desks[address].name, held * MICRO) for address, held in nlargest(LARGEST, holders, amount)
    )
    return FundRow(name, sum(held for _, held in holders) * MICRO, largest)
