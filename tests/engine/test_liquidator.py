"""Liquidators take the worst first, once each, leave what does not pay, and somebody notices when none of them acts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from engine.alerts.rules import on_screen
from engine.clearing.commands import LiquidatePosition as AskedLiquidation
from engine.clearing.commands import Role
from engine.clearing.counter import Counter
from engine.commands import Command, Receipt
from engine.keepers.liquidator import MAX_ATTEMPTS, Liquidator
from engine.keepers.notes import PAUSE_FLOOR_MS
from engine.labels import owner_of
from engine.liquidations.book import LiquidationBook
from engine.liquidations.overdue import OVERDUE_MS
from engine.queue import LiquidationQueue
from engine.remote import RemotePort
from engine.settlement import Settlement
from engine.snapshot import QueueCounts, QueueState
from engine.world import Command as WorldCommand
from engine.world import Fact
from tests.engine.control import ME, Recorder, halt_all, served
from tests.engine.house import ManualClock, done, listed, settled
from tests.tui.scripted import snapshot
from venue.exchange import commands as exchange
from venue.exchange.commands import Code, Rejection
from venue.exchange.facts import PositionLiquidated
from venue.exchange.fixed import wad
from venue.exchange.health import health
from venue.exchange.state import Exchange

KEEPER = "keeper-1"


class Scene:
    """A settlement with a book that follows it, longs near their end, and a crowd that can push the price down."""

    def __init__(self, settlement: Settlement, clock: ManualClock, book: LiquidationBook) -> None:
        self.settlement = settlement
        self.clock = clock
        self.book = book
        self._bears = 0

    async def open(self, user: str, total: str, leverage: int, *, is_long: bool = True) -> None:
        await done(
            self.settlement,
            exchange.OpenPosition(
                user=user,
                market="ETH",
                is_long=is_long,
                total=wad(total),
                leverage=Fraction(leverage),
                deposit=wad(total),
            ),
        )

    async def fall(self, pushes: int, total: str = "1200") -> None:
        for _ in range(pushes):
            self._bears += 1
            await self.open(f"bear-{self._bears}", total, 2, is_long=False)
        await done(self.settlement, exchange.AdvanceBlock())

    def liquidator(self, account: str = KEEPER, cost: str = "0", settlement: Settlement | None = None) -> Liquidator:
        return Liquidator(settlement or self.settlement, self.book, self.clock, account, wad(cost))

    async def due(self) -> list[int]:
        return await self.settlement.read(lambda world: self.book.due(world.exchange))

    async def wallet(self, account: str) -> int:
        return await self.settlement.read(lambda world: world.exchange.ledger[f"wallet:{account}"])

    async def counts(self, queue: LiquidationQueue) -> QueueCounts:
        rows, counts = await self.settlement.read(lambda world: queue.rows(world.exchange, self.clock.now_ms()))
        assert sum(row.state is QueueState.READY for row in rows) == counts.ready
        return counts


@asynccontextmanager
async def scene(directory: Path, longs: int = 3, total: str = "60") -> AsyncIterator[Scene]:
    """Longs of 20x; the book knows them from what was committed."""
    clock, book = ManualClock(), LiquidationBook(Exchange())
    async with settled(directory, clock, book=book) as settlement:
        found = Scene(settlement, clock, book)
        await listed(settlement, "ETH", depth="200000")
        await done(settlement, exchange.FundInsurance(wad("100000")))
        for number in range(longs):
            await found.open(f"long-{number}", total, 20)
        yield found


def liquidated(facts: Sequence[object]) -> list[tuple[str, int]]:
    return [(fact.liquidator, fact.position_id) for fact in facts if isinstance(fact, PositionLiquidated)]


async def test_nothing_is_done_while_nothing_is_due(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        keeper = it.liquidator()
        assert await keeper.pass_once() == "nothing to do yet"
        assert (keeper.tally.ready, keeper.tally.oldest_ms) == (0, None)
        assert keeper.tally.checked == 3  # each is looked at once, then it is known to be safe
        await keeper.pass_once()
        assert keeper.tally.checked == 3


async def test_all_that_are_due_are_liquidated_and_pay_their_keeper(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        await it.fall(6)
        keeper = it.liquidator()
        assert len(await it.due()) == 3
        assert await keeper.pass_once() == "3 done"
        assert await it.due() == []
        assert await it.wallet(KEEPER) > 0


async def test_of_many_the_worst_comes_first_and_a_pass_ends(tmp_path: Path) -> None:
    async with scene(tmp_path, longs=MAX_ATTEMPTS + 10, total="2") as it:
        await it.fall(6)
        worst = (await it.due())[:MAX_ATTEMPTS]
        assert len(worst) == MAX_ATTEMPTS
        keeper = it.liquidator()
        await keeper.pass_once()
        done_or_safe = set(worst) - set(await it.due())
        assert set(worst) == done_or_safe
        while await it.due():
            await keeper.pass_once()


async def test_several_compete_here_and_over_the_socket_and_each_position_is_liquidated_once(tmp_path: Path) -> None:
    async with scene(tmp_path, longs=12, total="5") as it:
        await it.fall(6)
        due = await it.due()
        assert len(due) == 12
        port = Clearing(Counter(it.settlement, ("keeper-",), {ME: Role.LIQUIDATOR}))
        async with served(tmp_path, port), await RemotePort.connect(tmp_path, 10) as rival:
            keepers = [it.liquidator(f"keeper-{number}") for number in range(1, 4)]
            asked = [rival.submit(ask(number)) for number in due[::2]]
            passes = asyncio.gather(*(keeper.pass_once() for keeper in keepers))
            answers = await asyncio.gather(*asked)
            await passes
        tallies = [dict(keeper.tally.work().acts) for keeper in keepers]
        here = sum(tally.get("done", 0) for tally in tallies)
        there = sum(answer.ok for answer in answers)
        assert here + there == 12
        assert {answer.code for answer in answers if not answer.ok} <= {"NOT_OPEN", "NOT_LIQUIDATABLE"}
        assert await it.settlement.read(lambda world: world.exchange.liquidations) == 12
        assert sum(tally.get("raced", 0) for tally in tallies) > 0
        assert await it.settlement.read(lambda world: world.exchange.ledger.total()) == 0


async def test_what_does_not_pay_is_left_alone_until_it_owes_more_than_it_holds(tmp_path: Path) -> None:
    async with scene(tmp_path, longs=1) as it:
        keeper = it.liquidator(cost="1000")
        while not await it.due():
            await it.fall(1, "50")
        assert await it.settlement.read(lambda world: min(equities(world.exchange))) > 0
        assert await keeper.pass_once() == "nothing to do yet"
        assert dict(keeper.tally.work().skipped) == {"unprofitable": 1}
        await it.fall(6)
        assert await it.settlement.read(lambda world: max(equities(world.exchange))) < 0
        assert await keeper.pass_once() == "1 done"


def equities(at: Exchange) -> list[int]:
    market = at.markets["ETH"]
    longs = (each for each in at.open_positions.values() if each.is_long)
    return [health(market, each).exit.equity for each in longs]


class Sabotaged(Settlement):
    """A settlement that refuses or fails at the liquidation of one position."""

    def __init__(self, behind: Settlement, poisoned: int, failure: Rejection | Exception) -> None:
        self._behind = behind
        self._poisoned = poisoned
        self._failure_of_one = failure
        self.attempts = 0
        self.read = behind.read  # type: ignore[method-assign]

    async def submit(self, command: WorldCommand) -> tuple[Fact, ...] | Rejection:
        if isinstance(command, exchange.LiquidatePosition) and command.position_id == self._poisoned:
            self.attempts += 1
            if isinstance(self._failure_of_one, Exception):
                raise self._failure_of_one
            return self._failure_of_one
        return await self._behind.submit(command)


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [(Rejection(Code.FUNDS_INSUFFICIENT, "empty"), "FUNDS_INSUFFICIENT"), (ZeroDivisionError("bug"), "failed")],
)
async def test_one_that_fails_is_left_alone_for_longer_each_time_and_the_others_go_on(
    tmp_path: Path, failure: Rejection | Exception, outcome: str
) -> None:
    async with scene(tmp_path) as it:
        await it.fall(6)
        poisoned = (await it.due())[0]
        sabotaged = Sabotaged(it.settlement, poisoned, failure)
        keeper = it.liquidator(settlement=sabotaged)
        await keeper.pass_once()
        assert dict(keeper.tally.work().acts) == {"done": 2, outcome: 1}
        assert await it.due() == [poisoned]
        pauses = []
        for _ in range(3):
            began = it.clock.now_ms()
            before = sabotaged.attempts
            while sabotaged.attempts == before:
                it.clock.advance(0.25)
                await keeper.pass_once()
            pauses.append(it.clock.now_ms() - began)
        assert pauses == [2 * PAUSE_FLOOR_MS, 4 * PAUSE_FLOOR_MS, 8 * PAUSE_FLOOR_MS]
        assert dict(keeper.tally.work().skipped)["pause"] > 0
        healed = it.liquidator()
        assert await healed.pass_once() == "1 done"


async def test_a_book_that_followed_answers_as_one_made_after_a_restart(tmp_path: Path) -> None:
    async with scene(tmp_path, longs=9) as it:
        await it.fall(2)
        await it.liquidator().pass_once()
        due, nearest = await it.due(), await it.settlement.read(lambda world: it.book.nearest(world.exchange, 50))
    async with settled(tmp_path) as settlement:
        again = await settlement.read(lambda world: LiquidationBook(world.exchange))
        assert await settlement.read(lambda world: again.due(world.exchange)) == due
        assert await settlement.read(lambda world: again.nearest(world.exchange, 50)) == nearest
        assert len(again) == len(it.book)


async def test_what_nobody_liquidates_is_noticed_and_what_somebody_does_is_forgotten(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        queue = LiquidationQueue(owner_of, lambda _exchange: it.book)
        await it.fall(6)
        first = await it.counts(queue)
        assert (first.ready, first.overdue, first.oldest_ms) == (3, 0, 0)
        it.clock.advance(OVERDUE_MS / 1000)
        late = await it.counts(queue)
        assert (late.overdue, late.oldest_ms) == (3, OVERDUE_MS)
        picture = replace(snapshot(), queue=late)
        assert f"nobody liquidates position #{late.oldest_id}: past its limit for 10 s" in on_screen(picture, 0.0)
        await it.liquidator().pass_once()
        assert (await it.counts(queue)).oldest_id is None


class Clearing(Recorder):
    """A Port behind which liquidations are asked for."""

    def __init__(self, counter: Counter) -> None:
        super().__init__()
        self._counter = counter

    async def submit(self, command: Command) -> Receipt:
        receipt = await super().submit(command)
        assert isinstance(command, AskedLiquidation)
        answer = await self._counter.serve(command)
        return replace(receipt, ok=False, code=str(answer.code)) if isinstance(answer, Rejection) else receipt


def ask(number: int) -> AskedLiquidation:
    meant = halt_all("unused")
    return AskedLiquidation(id=f"l-{number}", who=ME, seen_seq=0, expires_at_ms=meant.expires_at_ms, position_id=number)
