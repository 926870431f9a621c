"""What a crash, a liquidation, an order nobody executes and a halt leave behind: nothing lost, nothing doubled."""

from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest

from engine.desks import commands
from engine.desks.commands import Code
from engine.exchange_loops import halted
from engine.settlement import Settlement
from engine.snapshot import DeskPhase
from engine.world import World
from tests.engine.house import TOKEN, FixedPrices, ManualClock, done, enrolled, keeper, kept, listed, settled
from tests.engine.trading import NO, Crash, ScriptedAgent, manager, money, moved, phase, positions
from venue.exchange import commands as exchange
from venue.exchange.commands import Rejection
from venue.exchange.fixed import wad
from venue.exchange.requests.commands import RegisterKeeper
from venue.perp import Unsettled, Waiting


@pytest.mark.parametrize("fault", ["before", "after", "lost"])
async def test_a_crash_around_an_open_neither_loses_nor_doubles_it(tmp_path: Path, fault: str) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        await manager(settlement, ScriptedAgent(), fault=fault).manage_all()
        assert await phase(settlement) is (DeskPhase.UNKNOWN if fault == "lost" else DeskPhase.OPENING)
        assert await money(settlement) == {"in_flight": 57_000_000}
    async with settled(tmp_path) as settlement:
        desks = manager(settlement, ScriptedAgent())
        await moved(settlement, desks)
        await moved(settlement, desks)
        assert await phase(settlement) is DeskPhase.OPEN
        assert await positions(settlement) == 1
        assert await money(settlement) == {"deployed": 57_000_000}


@pytest.mark.parametrize(("fault", "closed"), [("before", False), ("after", True), ("lost", True)])
async def test_a_crash_around_a_close_is_settled_by_asking(tmp_path: Path, fault: str, closed: bool) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        await moved(settlement, manager(settlement, ScriptedAgent()))
        faulty = manager(settlement, ScriptedAgent(), fault=fault)
        with suppress(Crash):
            assert isinstance(await faulty.courier.close(TOKEN, 1, "ops", settlement.seq), Unsettled)
        assert await phase(settlement) is (DeskPhase.UNKNOWN if fault == "lost" else DeskPhase.CLOSING)
    async with settled(tmp_path) as settlement:
        await moved(settlement, manager(settlement, ScriptedAgent(NO)))
        assert await phase(settlement) is (DeskPhase.CLOSED if closed else DeskPhase.OPEN)
        assert await positions(settlement) == (0 if closed else 1)
        assert set(await money(settlement)) == ({"realised"} if closed else {"deployed"})


async def test_a_close_respects_the_worst_price_and_pays_out(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        desks = manager(settlement, ScriptedAgent())
        await moved(settlement, desks)
        assert isinstance(await desks.courier.close(TOKEN, wad("2100"), "ops", settlement.seq), Waiting)
        await kept(settlement, desks)
        assert await phase(settlement) is DeskPhase.OPEN
        word = await settlement.read(lambda world: world.house.desks[TOKEN].word)
        assert word is not None
        assert "OrderNotFulfillableAtAcceptablePrice" in word.text
        assert isinstance(await desks.courier.close(TOKEN, wad("1900"), "ops", settlement.seq), Waiting)
        assert await phase(settlement) is DeskPhase.CLOSING
        await kept(settlement, desks)
        assert await phase(settlement) is DeskPhase.CLOSED
        paid = await settlement.read(lambda world: world.exchange.positions[1].payout)
        assert await money(settlement) == {"realised": paid // 10**12}
        again = await desks.courier.close(TOKEN, 0, "ops", settlement.seq)
        assert isinstance(again, Rejection)
        assert again.code is Code.NO_POSITION


async def test_a_liquidated_desk_is_noticed_with_what_came_back(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH", depth="100000")
        await done(settlement, exchange.FundInsurance(wad("10000")))
        await enrolled(settlement, 100_000_000)
        desks = manager(settlement, ScriptedAgent())
        await moved(settlement, desks)
        for number in range(4):
            short = exchange.OpenPosition(
                user=f"bear-{number}",
                market="ETH",
                is_long=False,
                total=wad("60"),
                leverage=Fraction(20),
                deposit=wad("60"),
            )
            await done(settlement, short)
        await done(settlement, exchange.AdvanceBlock())
        assert await desks.courier.watch() == "1 desks with positions or orders, 0 settled, 0 gone"
        await done(settlement, exchange.LiquidatePosition("keeper", 1))
        assert await desks.courier.watch() == "1 desks with positions or orders, 0 settled, 1 gone"
        assert await phase(settlement) is DeskPhase.CLOSED
        paid = await settlement.read(lambda world: world.exchange.positions[1].payout)
        assert (await money(settlement)).get("realised", 0) == paid // 10**12
        total = await settlement.read(lambda world: world.house.ledger.total() + world.exchange.ledger.total())
        assert total == 0


async def on_the_exchange(settlement: Settlement) -> int:
    """What lies in the desk's wallets there, in all tokens: less than a micro-dollar, or it would be counted twice."""

    def look(world: World) -> int:
        books = (world.exchange.ledger, *world.exchange.tokens.values())
        return sum(book[f"wallet:desk:{TOKEN}"] for book in books)

    return await settlement.read(look)


async def test_an_order_nobody_executes_leaves_nothing_behind_and_its_money_pending(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        desks = manager(settlement, ScriptedAgent())
        await desks.manage_all()
        assert await money(settlement) == {"in_flight": 57_000_000}
        await done(settlement, RegisterKeeper("keeper-1"))
        clock.advance(301)
        assert await keeper(settlement, FixedPrices(clock)).pass_once() == "1 swept"
        await desks.courier.watch()
        assert await money(settlement) == {"pending": 57_000_000}
        assert await on_the_exchange(settlement) == 0
        await moved(settlement, desks)
        assert await money(settlement) == {"deployed": 57_000_000}
        assert await on_the_exchange(settlement) == 0


async def test_a_halt_takes_back_what_waits_to_add_risk_and_lets_a_close_through(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_000)
        desks = manager(settlement, ScriptedAgent())
        await moved(settlement, desks)
        await done(settlement, commands.BookFees(TOKEN, "f2", 100_000_000))
        await desks.manage_all()
        assert await phase(settlement) is DeskPhase.INCREASING
        await done(settlement, commands.Halt(TOKEN, "ops", "c1"))
        guard = keeper(settlement, revoked=halted)
        assert await guard.pass_once() == "1 swept"
        await desks.courier.watch()
        assert await money(settlement) == {"deployed": 57_000_000, "pending": 57_000_000}
        word = await settlement.read(lambda world: world.house.desks[TOKEN].word)
        assert word is not None
        assert "RevokedByEngine halted by ops" in word.text
        assert await on_the_exchange(settlement) == 0
        await desks.courier.close(TOKEN, wad("1900"), "ops", settlement.seq)
        assert await guard.pass_once() == "1 done, 1 swept"
        await desks.courier.watch()
        assert await phase(settlement) is DeskPhase.CLOSED
