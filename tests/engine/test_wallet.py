"""The wallet's count against the books, and the wallet on paper through everything that can happen to a desk."""

from fractions import Fraction
from pathlib import Path

import pytest

from engine.desks import commands
from engine.desks.accounts import DIFFERENCE
from engine.settlement import Settlement
from engine.wallet import Balances, PaperPurse, WalletWatch
from tests.engine.driven import USDC
from tests.engine.house import TOKEN, FixedPrices, ManualClock, done, enrolled, keeper, kept, listed, settled
from tests.engine.trading import ScriptedAgent, manager, money, moved
from venue.exchange import commands as exchange
from venue.exchange.fixed import wad
from venue.exchange.requests.commands import RegisterKeeper
from venue.perp import WHOLE


class Counted:
    """A wallet that holds what the test says."""

    def __init__(self, usdc: int) -> None:
        self.usdc = usdc

    async def balances(self) -> Balances:
        return Balances(self.usdc)


async def difference(settlement: Settlement) -> int:
    return await settlement.read(lambda world: world.house.ledger[DIFFERENCE])


@pytest.mark.parametrize("off", [1, 7 * USDC, -1, -7 * USDC])
async def test_two_counts_that_agree_book_a_difference_and_one_does_not(tmp_path: Path, off: int) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement, 100 * USDC)
        wallet = Counted(100 * USDC + off)
        watch = WalletWatch(settlement, wallet, ManualClock())
        await watch.pass_once()
        assert await difference(settlement) == 0
        await watch.pass_once()
        assert await difference(settlement) == off
        seq = settlement.seq
        for _ in range(3):
            await watch.pass_once()
        assert settlement.seq == seq
        assert await settlement.read(lambda world: world.house.ledger.total()) == 0
        wallet.usdc -= off
        for _ in range(2):
            await watch.pass_once()
        assert await difference(settlement) == 0


async def test_counts_that_do_not_agree_book_nothing(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement, 100 * USDC)
        wallet = Counted(0)
        watch = WalletWatch(settlement, wallet, ManualClock())
        for usdc in (90, 91, 100, 91, 90):
            wallet.usdc = usdc * USDC
            await watch.pass_once()
        assert await difference(settlement) == 0


async def test_what_orders_may_not_have_spent_yet_is_no_difference(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await enrolled(settlement, 100 * USDC)
        await done(settlement, commands.IntendOpen(TOKEN, "o", "ETH", True, 10**18, 10 * USDC))
        await done(settlement, commands.IntendBuyback(TOKEN, "b", 5 * USDC, 1))
        for usdc in (85, 86, 95, 100):
            watch = WalletWatch(settlement, Counted(usdc * USDC), ManualClock())
            for _ in range(2):
                await watch.pass_once()
            assert await difference(settlement) == 0
        watch = WalletWatch(settlement, Counted(100 * USDC + 1), ManualClock())
        for _ in range(2):
            await watch.pass_once()
        assert await difference(settlement) == 15 * USDC + 1


async def test_while_a_payout_is_on_its_way_nothing_is_counted(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100 * USDC)
        desks = manager(settlement, ScriptedAgent())
        await moved(settlement, desks)
        await desks.courier.close(TOKEN, None, "ops")
        watch = WalletWatch(settlement, Counted(90 * USDC), ManualClock())
        for _ in range(3):
            assert "on its way" in await watch.pass_once()
        assert await difference(settlement) == 0


async def agrees(settlement: Settlement, **expected: bool) -> None:
    """The wallet on paper holds what the books say, and the desk has money where it is expected."""
    assert await settlement.read(lambda world: world.paper.balance - world.house.held()) == 0
    assert await money(settlement) == {kind: held for kind, held in (await money(settlement)).items() if held}
    assert set(expected) <= set(await money(settlement))
    watch = WalletWatch(settlement, PaperPurse(settlement), ManualClock())
    for _ in range(2):
        await watch.pass_once()
    assert await difference(settlement) == 0


async def test_the_wallet_on_paper_agrees_with_the_books_through_a_desks_life(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, 100_000_003, reserve=200_000)
        desks = manager(settlement, ScriptedAgent(), clock=clock)
        await agrees(settlement, pending=True)
        await desks.manage_all()
        await agrees(settlement, in_flight=True)
        await kept(settlement, desks)
        await agrees(settlement, deployed=True)
        await done(settlement, commands.BookFees(TOKEN, "f2", 33_333_333))
        await desks.manage_all()
        await agrees(settlement, in_flight=True, deployed=True)
        clock.advance(301)
        assert await keeper(settlement, FixedPrices(clock)).pass_once() == "1 swept"
        await desks.courier.watch()
        await agrees(settlement, pending=True, deployed=True)
        await moved(settlement, desks)
        assert "pending" not in await money(settlement)
        await desks.courier.reduce(TOKEN, WHOLE // 3, None, "ops")
        await kept(settlement, desks)
        await agrees(settlement, realised=True, deployed=True)
        await desks.courier.close(TOKEN, wad("99999"), "ops")
        await kept(settlement, desks)
        await agrees(settlement, deployed=True)
        await desks.courier.close(TOKEN, None, "ops")
        await kept(settlement, desks)
        await agrees(settlement, realised=True)
        assert set(await money(settlement)) == {"realised"}


async def test_the_wallet_on_paper_agrees_after_a_decline_at_once(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH", depth="1000")
        await enrolled(settlement, 100_000_000)
        desks = manager(settlement, ScriptedAgent())
        for _ in range(2):
            await moved(settlement, desks)
            await agrees(settlement, pending=True)


async def test_the_wallet_on_paper_agrees_after_a_liquidation(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH", depth="100000")
        await done(settlement, exchange.FundInsurance(wad("10000")))
        await enrolled(settlement, 100_000_000, reserve=100_000)
        desks = manager(settlement, ScriptedAgent())
        await moved(settlement, desks)
        stake = wad("60")
        for number in range(4):
            bear = exchange.OpenPosition(
                user=f"bear-{number}", market="ETH", is_long=False, total=stake, leverage=Fraction(20), deposit=stake
            )
            await done(settlement, bear)
        await done(settlement, exchange.AdvanceBlock())
        await done(settlement, RegisterKeeper("keeper"))
        await done(settlement, exchange.LiquidatePosition("keeper", 1))
        await desks.courier.watch()
        assert "deployed" not in await money(settlement)
        assert (await money(settlement))["pending"] == 5_700_000
        await agrees(settlement, pending=True)
