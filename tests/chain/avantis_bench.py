"""The live venue on a bench: real contracts on a real chain, honest servers, and books as the engine keeps them."""

import asyncio
from collections.abc import AsyncGenerator, Hashable
from contextlib import asynccontextmanager
from dataclasses import replace

from tests.chain.avantis_house import DEEP, PAIRS, House, Outside, outside, process
from tests.chain.stage import Stage
from tests.venue.chain.fake_chain import Crash
from tests.venue.chain.memory import Memory
from tests.venue.perp.bench import Desk
from venue.avantis.claims import Claim
from venue.chain import machine
from venue.chain.facts import Fact
from venue.perp import (
    Capabilities,
    CloseOrder,
    Declined,
    Ended,
    Filled,
    MarketTerms,
    OpenOrder,
    Order,
    OrderOutcome,
    PerpPosition,
    PerpVenue,
    PositionRef,
    Quote,
    ReduceOrder,
)


class Books:
    """What the engine's journal has of orders and positions. It survives the process, as the wallet's journal does."""

    def __init__(self) -> None:
        self.waiting: dict[str, Order] = {}
        self.outcomes: dict[str, Filled | Declined] = {}
        self._claims: dict[tuple[str, PositionRef], Claim] = {}

    async def claims(self) -> tuple[Claim, ...]:
        """The newest first: nothing may hang on their order."""
        about = {_about(order) for order in self.waiting.values()}
        claims = [replace(claim, ordering=key in about) for key, claim in self._claims.items()]
        return tuple(reversed(claims))

    def book(self, outcome: Filled | Declined, now_ms: int) -> None:
        """The final outcome of an order that waits."""
        order = self.waiting.pop(outcome.order_id)
        self.outcomes[outcome.order_id] = outcome
        if not isinstance(outcome, Filled):
            return
        key = order.account, outcome.ref
        if isinstance(order, CloseOrder):
            self._claims.pop(key)
        else:
            self._claims[key] = Claim(order.account, outcome.ref, now_ms, ordering=False)


def _about(order: Order) -> tuple[str, PositionRef | None]:
    return order.account, order.increase if isinstance(order, OpenOrder) else order.ref


class Mortal(Memory):
    """A journal whose process dies at a command of this kind, before or after it is written."""

    dies_before: type | None = None
    dies_after: type | None = None

    async def submit(self, command: machine.Command) -> tuple[Fact, ...] | machine.Refusal:
        if self.dies_before is type(command):
            raise Crash
        await asyncio.sleep(0)  # others get their turn, as at a journal on disk
        answer = await super().submit(command)
        await asyncio.sleep(0)
        if self.dies_after is type(command):
            raise Crash
        return answer


class Booked:
    """A venue that writes orders down before they are sent, as the engine does."""

    def __init__(self, venue: PerpVenue, books: Books) -> None:
        self.name = venue.name
        self.capabilities: Capabilities = venue.capabilities
        self._venue = venue
        self._books = books

    async def markets(self) -> dict[str, MarketTerms]:
        return await self._venue.markets()

    async def quote(self, order: Order) -> Quote | Declined:
        return await self._venue.quote(order)

    async def open(self, order: OpenOrder) -> OrderOutcome:
        self._write(order)
        return await self._venue.open(order)

    async def reduce(self, order: ReduceOrder) -> OrderOutcome:
        self._write(order)
        return await self._venue.reduce(order)

    async def close(self, order: CloseOrder) -> OrderOutcome:
        self._write(order)
        return await self._venue.close(order)

    async def outcome(self, order_id: str) -> OrderOutcome:
        return await self._venue.outcome(order_id)

    async def positions(self) -> dict[PositionRef, PerpPosition]:
        return await self._venue.positions()

    async def ended(self, ref: PositionRef) -> Ended | None:
        return await self._venue.ended(ref)

    def _write(self, order: Order) -> None:
        if order.order_id not in self._books.outcomes:
            self._books.waiting[order.order_id] = order


class AvantisBench:
    """Two steps and a look: an order is mined, a keeper executes it, and the watch sees it."""

    market = "ETH"
    other_market = "BTC"

    def __init__(self, out: Outside, house: House, books: Books, money: int) -> None:
        self.out = out
        self.house = house
        self.door = house.door
        self.books = books
        self.venue = Booked(house.venue, books)
        self.money = money

    async def keep(self) -> None:
        await self.out.mine()
        await self.house.sender.pass_once()
        await self.out.execute()
        await self.settle()

    async def settle(self) -> None:
        """What has happened gets deep enough, is written down, and is looked at."""
        await self.out.mine(DEEP)
        await self.house.sender.pass_once()
        for order_id in list(self.books.waiting):
            outcome = await self.house.venue.outcome(order_id)
            if isinstance(outcome, Filled | Declined):
                self.books.book(outcome, self.out.clock.now_ms())
        await self.house.watch.look()

    async def move_price(self, market: str, factor: float) -> None:
        self.out.move(market, factor)

    async def liquidate(self, ref: PositionRef) -> None:
        await self.out.liquidate(ref.market, ref.trade_index)
        await self.settle()

    async def blind(self, market: str) -> bool:
        self.out.marks[market] = None
        return True

    async def close_market(self, market: str) -> bool:
        pair = next(each for each in self.out.world.pairs if each.index == PAIRS[market])
        pair.close_only = True
        await self.out.wait(10)  # a catalogue is kept for 5 s
        await self.house.watch.look()
        return True

    async def strangers(self) -> None:
        for pair in PAIRS.values():
            await self.out.stranger(pair)

    async def wallet(self) -> int | None:
        return await self.out.balance() - self.money

    async def fingerprint(self) -> Hashable:
        block = await self.out.node.rpc("eth_blockNumber")
        pool = await self.out.node.rpc("txpool_status")
        return block, str(pool), tuple(self.house.door.facts), repr(self.house.watch.known)


@asynccontextmanager
async def benched(stage: Stage, spread: int = 0) -> AsyncGenerator[AvantisBench, None]:
    """A bench whose wallet has money and has let storage take it."""
    books = Books()
    async with outside(stage, spread) as out, process(out, Mortal(), books.claims) as house:
        await house.sender.adopt()
        await house.approve()
        await house.watch.look()
        yield AvantisBench(out, house, books, await out.balance())


@asynccontextmanager
async def reborn(bench: AvantisBench) -> AsyncGenerator[AvantisBench, None]:
    """Another process, with nothing of the one before but the journals."""
    door = Memory(list(bench.house.door.facts))
    async with process(bench.out, door, bench.books.claims) as house:
        await house.sender.adopt()
        await house.watch.look()
        yield AvantisBench(bench.out, house, bench.books, bench.money)


async def unsigned(bench: AvantisBench, desk: Desk, order: Order) -> Declined:
    """Why an order is declined at once, with nothing signed, written down or sent for it."""
    facts, nonce = list(bench.door.facts), await bench.out.nonce()
    outcome: OrderOutcome = await desk.send(order)
    assert isinstance(outcome, Declined), outcome
    assert bench.door.facts == facts
    await bench.out.mine()
    assert await bench.out.nonce() == nonce
    assert not bench.out.pending()
    return outcome
