"""The pools' liquidator: one position's fault is nobody else's, and what nobody liquidates is noticed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from engine.alerts.rules import POOL_LIQUIDATOR, Kind, found, on_screen
from engine.keeper_rows import KeeperHealth, KeeperRow
from engine.keepers import pool_liquidator
from engine.keepers.pool_liquidator import PoolLiquidator
from engine.liquidations.overdue import OVERDUE_MS
from engine.settlement import Settlement, StoreFailed
from engine.world import Command, Fact
from tests.engine.house import FixedPrices, ManualClock, done, keeper, settled
from tests.engine.test_requests import order, staged
from tests.tui.scripted import snapshot
from venue.exchange.commands import Refused, Rejection
from venue.exchange.pool.units import FLOAT
from venue.exchange.reasons import Reason
from venue.exchange.requests import commands
from venue.exchange.requests.commands import LiquidatePoolPosition
from venue.exchange.requests.request import OrderType

TRADERS = ("alice", "bob", "carol")


class Sabotaged(Settlement):
    """One in front of another, on which every liquidation of one account raises."""

    def __init__(self, behind: Settlement, account: str, failure: Exception) -> None:
        self._behind = behind
        self._account = account
        self._failure_of_one = failure
        self.read = behind.read  # type: ignore[method-assign]

    async def submit(self, command: Command) -> tuple[Fact, ...] | Rejection:
        if isinstance(command, LiquidatePoolPosition) and command.position.account == self._account:
            raise self._failure_of_one
        return await self._behind.submit(command)


@dataclass
class Fallen:
    """Three pool positions that may be liquidated."""

    settlement: Settlement
    prices: FixedPrices
    clock: ManualClock

    def liquidator(self, settlement: Settlement | None = None) -> PoolLiquidator:
        return PoolLiquidator(settlement or self.settlement, self.prices, self.clock, "keeper-1", Random(1))

    async def held(self) -> set[str]:
        return await self.settlement.read(lambda world: {key.account for key in world.exchange.pool_positions})


@asynccontextmanager
async def fallen(directory: Path) -> AsyncIterator[Fallen]:
    clock = ManualClock()
    async with settled(directory, clock) as settlement:
        prices = await staged(settlement, clock)
        opening = order(clock, OrderType.MARKET_INCREASE, size=10_000 * FLOAT, acceptable_price=3_000 * 10**12)
        for name in TRADERS:
            for token, amount in (("WETH", 10**24), ("USDC", 10**15)):
                await done(settlement, commands.Credit(name, token, amount))
            await done(settlement, replace(opening, account=name, receiver=name))
        await keeper(settlement, prices).pass_once()
        it = Fallen(settlement, prices, clock)
        assert await it.held() == set(TRADERS)
        prices.usd["WETH"] = "1800"
        yield it


async def test_one_that_raises_is_left_alone_and_the_others_are_liquidated(tmp_path: Path) -> None:
    async with fallen(tmp_path) as it:
        pools = it.liquidator(Sabotaged(it.settlement, "bob", ZeroDivisionError("bug")))
        assert await pools.pass_once() == "2 done, 1 failed"
        assert await it.held() == {"bob"}
        await pools.pass_once()
        assert dict(pools.tally.work().skipped) == {"pause": 1}
        assert await it.liquidator().pass_once() == "1 done"


async def test_a_journal_that_fails_ends_it(tmp_path: Path) -> None:
    async with fallen(tmp_path) as it:
        with pytest.raises(StoreFailed, match="full"):
            await it.liquidator(Sabotaged(it.settlement, "bob", StoreFailed("STORE_FAILED", "full"))).pass_once()


async def test_what_cannot_be_judged_is_counted_by_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise Refused(Reason.PRICES_TOO_OLD)

    async with fallen(tmp_path) as it:
        pools = it.liquidator()
        monkeypatch.setattr(pool_liquidator, "is_liquidatable", refuses)
        await pools.pass_once()
        work = pools.tally.work()
        assert (work.checked, work.ready, work.skipped) == (3, 0, ((str(Reason.PRICES_TOO_OLD), 3),))


async def test_what_nobody_liquidates_is_an_alarm_and_is_over_with_it(tmp_path: Path) -> None:
    async with fallen(tmp_path) as it:
        pools = it.liquidator(Sabotaged(it.settlement, "bob", ZeroDivisionError("bug")))
        await pools.pass_once()
        assert pools.tally.work().oldest_ms == 0
        it.clock.advance((OVERDUE_MS - 1) / 1000)
        await pools.pass_once()
        assert _told(pools) == []
        it.clock.advance(2.001)
        await pools.pass_once()
        assert pools.tally.work().oldest_ms == 12_000
        assert _told(pools) == ["nobody liquidates a pool position: past its limit for 12 s"]
        await it.liquidator().pass_once()
        await pools.pass_once()
        assert pools.tally.work().oldest_ms is None
        assert _told(pools) == []


def _told(pools: PoolLiquidator) -> list[str]:
    row = KeeperRow(POOL_LIQUIDATOR, KeeperHealth.OK, 10, 1_000, "", work=pools.tally.work())
    picture = replace(snapshot(desks=()), keepers=(row,))
    alerts = [alert.text for alert in found(picture, 0.0) if (alert.kind, alert.key) == (Kind.OVERDUE, "overdue:pools")]
    assert [text for text in on_screen(picture, 0.0) if "pool position" in text] == alerts
    return alerts
