"""The seed's API over a real runtime's Port: reads, trades, previews, streams and who may do what."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from engine.clearing.api import ApiRefused, ClearingApi
from engine.clearing.commands import Deposit, GetMarketState
from engine.clock import SystemClock
from engine.config import Settings
from engine.demo.stage import Demo
from engine.engine import Options
from engine.runtime import Runtime
from engine.sections import ExchangeSettings
from tests.engine.house import done, settled
from tests.engine.house import listed as put
from venue.exchange import commands as exchange
from venue.exchange.fixed import WAD, wad

THOUSAND = 1_000 * WAD


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    settings = Settings(exchange=ExchangeSettings(operators=("ops",)))
    started = Runtime(Options(settings, tmp_path_factory.mktemp("state"), Demo(seed=3)))
    started.start()
    yield started
    started.stop()
    assert started.failure is None


def account(runtime: Runtime, name: str) -> ClearingApi:
    return ClearingApi(runtime, name, SystemClock().now_ms)


async def listed(runtime: Runtime) -> None:
    for _ in range(500):
        if {row.symbol for row in runtime.latest().markets if row.mark} == {"ETH", "BTC"}:
            return
        await asyncio.sleep(0.02)
    pytest.fail("the markets were never listed")


async def refused(call: object) -> str:
    with pytest.raises(ApiRefused) as caught:
        await call  # type: ignore[misc]
    return caught.value.code


async def test_the_life_of_a_position(runtime: Runtime) -> None:
    await listed(runtime)
    alice = account(runtime, "alice")
    await alice.deposit(THOUSAND)
    opened = await alice.open_position("ETH", True, THOUSAND, Fraction(10))
    assert opened.margin + opened.fee == THOUSAND
    assert opened.notional == opened.margin * 10
    health = await alice.get_position_health(opened.position_id)
    assert health.user_id == "alice"
    assert health.equity == opened.margin + health.pnl_breakdown.total
    assert health.buffer_ratio in (Fraction("0.1"), Fraction("0.2"))
    part = await alice.close_position(opened.position_id, Fraction(1, 3))
    rest = await alice.close_position(opened.position_id)
    await alice.withdraw(part.payout + rest.payout)
    assert await refused(alice.withdraw(1)) == "INSUFFICIENT_WALLET"
    assert await refused(alice.get_position_health(opened.position_id)) == "NOT_OPEN"


async def test_a_preview_says_exactly_what_would_happen_and_nothing_does(tmp_path: Path) -> None:
    """On a market nobody else trades on, so that nothing comes between the preview and the trade."""
    quiet = Runtime(Options(Settings(), tmp_path, Demo(seed=4)))
    quiet.start()
    try:
        await listed(quiet)
        carol = account(quiet, "carol")
        await carol.deposit(THOUSAND)
        for _ in range(20):
            preview = await carol.preview_open("BTC", False, 100 * WAD, Fraction(5))
            opened = await carol.open_position("BTC", False, 100 * WAD, Fraction(5))
            preview_close = await carol.preview_close(opened.position_id)
            closed = await carol.close_position(opened.position_id)
            if (preview, preview_close) == (opened, closed):
                return
        pytest.fail("the market never stood still between a preview and its trade")
    finally:
        quiet.stop()


async def test_the_fee_rate_shown_is_the_fee_rate_paid(runtime: Runtime) -> None:
    await listed(runtime)
    dave = account(runtime, "dave")
    await dave.deposit(THOUSAND)
    for _ in range(20):
        rate = await dave.get_effective_fee_rate("ETH")
        opened = await dave.open_position("ETH", False, 10 * WAD, Fraction(3))
        if opened.margin == int(Fraction(10 * WAD) / (1 + 3 * rate)):
            return
    pytest.fail("the rate shown was never the rate paid")


async def test_market_state(runtime: Runtime) -> None:
    await listed(runtime)
    state = await account(runtime, "anyone").get_market_state("BTC")
    assert state.mark_price == state.quote_reserve * WAD // state.base_reserve
    assert Fraction("0.001") <= state.effective_fee_rate <= Fraction("0.002")
    assert await refused(account(runtime, "anyone").get_market_state("XYZ")) == "UNKNOWN_MARKET"
    async with aclosing(account(runtime, "anyone").subscribe_price("XYZ")) as prices:
        assert await refused(anext(prices)) == "UNKNOWN_MARKET"


async def test_who_may_do_what(runtime: Runtime) -> None:
    await listed(runtime)
    erin, mallory = account(runtime, "erin"), account(runtime, "mallory")
    operator = account(runtime, "ops")
    await operator.deposit(THOUSAND, user="erin")
    opened = await erin.open_position("ETH", True, 100 * WAD, Fraction(2))
    assert await refused(mallory.withdraw(WAD, user="erin")) == "NOT_ALLOWED"
    assert await refused(mallory.close_position(opened.position_id)) == "NOT_OWNER"
    assert await refused(mallory.liquidate_position(opened.position_id)) in ("NOT_LIQUIDATABLE", "SAME_BLOCK")
    desk = next(iter(runtime.latest().desks)).address
    assert await refused(account(runtime, f"desk:{desk}").deposit(WAD)) == "NOT_ALLOWED"
    assert await refused(account(runtime, "keeper-1").withdraw(WAD)) == "NOT_ALLOWED"


async def take(stream: AsyncIterator[object], count: int) -> list[object]:
    found = []
    async with asyncio.timeout(20):
        async for item in stream:
            found.append(item)
            if len(found) == count:
                break
    return found


async def test_streams_give_the_present_and_then_every_change(runtime: Runtime) -> None:
    await listed(runtime)
    frank = account(runtime, "frank")
    await frank.deposit(THOUSAND)
    opened = await frank.open_position("ETH", True, 100 * WAD, Fraction(5))
    async with aclosing(frank.subscribe_price("ETH")) as prices:
        marks = await take(prices, 3)
    assert len(set(marks)) == 3
    async with aclosing(frank.subscribe_position_pnl(opened.position_id)) as changes:
        assert len(await take(changes, 2)) == 2
        await frank.close_position(opened.position_id)
        async with asyncio.timeout(5):
            assert [item async for item in changes] == []


@pytest.mark.parametrize(
    "amount", [10**5000, -(10**5000), 1.5, True, None, "5", [], float("nan")], ids=lambda amount: type(amount).__name__
)
async def test_hostile_arguments_get_a_code_and_the_engine_goes_on(runtime: Runtime, amount: Any) -> None:
    await listed(runtime)
    grace = account(runtime, "grace")
    assert await refused(grace.deposit(amount)) == "BAD_REQUEST"
    assert await refused(grace.get_position_health(amount)) == "BAD_REQUEST"
    assert await refused(grace.preview_close(amount)) == "BAD_REQUEST"
    assert await refused(grace.open_position("ETH", True, WAD, amount)) == "BAD_REQUEST"
    assert await refused(grace.get_market_state(amount)) in ("BAD_REQUEST", "UNKNOWN_MARKET")
    assert await refused(account(runtime, "x" * 101).deposit(WAD)) == "BAD_REQUEST"
    assert await refused(account(runtime, "").deposit(WAD)) == "NOT_ALLOWED"
    await grace.deposit(WAD)


async def test_an_operator_acts_for_others_and_nobody_makes_himself_one(runtime: Runtime) -> None:
    await listed(runtime)
    heidi, ops = account(runtime, "heidi"), account(runtime, "ops")
    await heidi.deposit(THOUSAND)
    opened = await ops.open_position("ETH", True, 100 * WAD, Fraction(2), user="heidi")
    closed = await ops.close_position(opened.position_id, user="heidi")
    await ops.withdraw(closed.payout, user="heidi")
    assert await refused(heidi.withdraw(WAD, user="")) == "NOT_ALLOWED"
    assert await refused(heidi.open_position("ETH", True, WAD, Fraction(2), user="ops")) == "NOT_ALLOWED"


async def test_an_id_is_good_for_one_command_however_much_is_read_between(runtime: Runtime) -> None:
    await listed(runtime)
    ends = SystemClock().now_ms() + 60_000
    deposit = Deposit(id="once", who="ivan", seen_seq=0, expires_at_ms=ends, user="ivan", amount=WAD)
    first = await runtime.submit(deposit)
    for number in range(1_100):
        look = GetMarketState(id=str(number), who="ivan", seen_seq=0, expires_at_ms=ends, market="ETH")
        assert (await runtime.submit(look)).ok
    assert await runtime.submit(deposit) == first
    other = replace(deposit, amount=2 * WAD)
    assert (await runtime.submit(other)).code == "ID_REUSED"
    assert await refused(account(runtime, "ivan").withdraw(2 * WAD)) == "INSUFFICIENT_WALLET"


async def test_four_liquidators_compete_and_one_wins(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await put(settlement, "ETH", depth="100000")
        await done(settlement, exchange.FundInsurance(wad("10000")))
        for user, is_long, total in (("judy", True, "60"), *((f"bear-{n}", False, "60") for n in range(5))):
            order = exchange.OpenPosition(
                user=user, market="ETH", is_long=is_long, total=wad(total), leverage=Fraction(20), deposit=wad(total)
            )
            await done(settlement, order)
        await done(settlement, exchange.AdvanceBlock())
        keepers = [settlement.submit(exchange.LiquidatePosition(f"keeper-{n}", 1)) for n in range(4)]
        answers = await asyncio.gather(*keepers)
        assert [type(answer).__name__ for answer in answers] == ["tuple", "Rejection", "Rejection", "Rejection"]
