"""What the contract needs of whoever brings a venue: to make it act, and to make things happen to it."""

from collections.abc import Hashable
from typing import Protocol

from venue.perp import (
    WHOLE,
    CloseOrder,
    Declined,
    Filled,
    OpenOrder,
    Order,
    OrderOutcome,
    PerpPosition,
    PerpVenue,
    PositionRef,
    Quote,
    ReduceOrder,
    Unsettled,
    Waiting,
)

WAD = 10**18
USDC = 10**6
PATIENCE = 50
"""Acts after which an order must have an outcome."""


class Bench(Protocol):
    """A venue with two markets that nobody trades on yet, and a wallet that can pay for everything."""

    market: str
    other_market: str

    @property
    def venue(self) -> PerpVenue: ...

    async def keep(self) -> None:
        """Lets the venue act on what waits."""
        ...

    async def move_price(self, market: str, factor: float) -> None:
        """Moves the price to about `factor` times what it is."""
        ...

    async def liquidate(self, ref: PositionRef) -> None:
        """Makes an open position's loss so large that the venue liquidates it."""
        ...

    async def blind(self, market: str) -> bool:
        """Makes profit on the market unknown; False: this venue cannot be blinded."""
        ...

    async def close_market(self, market: str) -> bool:
        """Lets positions on the market only be left; False: this venue's markets never close."""
        ...

    async def strangers(self) -> None:
        """Others, who are no desks, hold positions too, if the venue has others."""
        ...

    async def wallet(self) -> int | None:
        """USDC (1e-6) that the venue has paid to the desks less what it took, or None when the bench cannot tell."""
        ...

    async def fingerprint(self) -> Hashable:
        """Changes whenever anything at the venue does."""
        ...


class Desk:
    """A desk's hand at a venue: numbers its orders, waits for what becomes of them."""

    def __init__(self, bench: Bench, account: str = "desk-1") -> None:
        self.bench = bench
        self.venue = bench.venue
        self.account = account
        self.sent = 0
        self.spent = 0
        """Collateral of the opens and increases that were filled."""
        self.received = 0

    def order_id(self) -> str:
        self.sent += 1
        return f"{self.account}-order-{self.sent}"

    def opening(
        self,
        collateral: int = 100 * USDC,
        leverage: int = 10 * WAD,
        *,
        is_long: bool = True,
        market: str = "",
        increase: PositionRef | None = None,
    ) -> OpenOrder:
        market = market or self.bench.market
        return OpenOrder(self.order_id(), self.account, market, is_long, collateral, leverage, increase)

    def growing(self, ref: PositionRef, collateral: int = 50 * USDC, leverage: int = 10 * WAD) -> OpenOrder:
        return self.opening(collateral, leverage, is_long=ref.is_long, market=ref.market, increase=ref)

    def reducing(self, ref: PositionRef, share: int = WHOLE // 4, worst: int | None = None) -> ReduceOrder:
        return ReduceOrder(self.order_id(), self.account, ref, share, worst)

    def closing(self, ref: PositionRef, worst: int | None = None) -> CloseOrder:
        return CloseOrder(self.order_id(), self.account, ref, worst)

    async def send(self, order: Order) -> OrderOutcome:
        """The venue's first answer."""
        match order:
            case OpenOrder():
                return await self.venue.open(order)
            case ReduceOrder():
                return await self.venue.reduce(order)
            case CloseOrder():
                return await self.venue.close(order)

    async def settled(self, first: OrderOutcome) -> Filled | Declined:
        """The final outcome; the venue acts until there is one."""
        outcome = first
        for _ in range(PATIENCE):
            if not isinstance(outcome, Waiting | Unsettled):
                return outcome
            await self.bench.keep()
            outcome = await self.venue.outcome(first.order_id)
        raise AssertionError(f"no outcome after {PATIENCE} acts: {outcome}")

    async def done(self, order: Order) -> Filled:
        """The fill of an order that must be filled."""
        outcome = await self.settled(await self.send(order))
        assert isinstance(outcome, Filled), outcome
        self.spent += order.collateral if isinstance(order, OpenOrder) else 0
        self.received += outcome.payout
        return outcome

    async def refused(self, order: Order) -> Declined:
        """Why an order that must be declined was; nothing may have changed by it but the order itself."""
        before = await self._holdings()
        outcome = await self.settled(await self.send(order))
        assert isinstance(outcome, Declined), outcome
        assert outcome.order_id == order.order_id
        assert outcome.code
        assert await self._holdings() == before
        return outcome

    async def _holdings(self) -> object:
        held = await self.venue.positions()
        stands = {ref: (each.account, each.collateral, each.entry) for ref, each in held.items()}
        return stands, await self.bench.wallet()

    async def quoted(self, order: Order) -> Quote:
        """The quote of an order that would be filled."""
        quote = await self.venue.quote(order)
        assert isinstance(quote, Quote), quote
        return quote

    async def position(self, ref: PositionRef) -> PerpPosition:
        """The position, which must be open."""
        return (await self.venue.positions())[ref]
