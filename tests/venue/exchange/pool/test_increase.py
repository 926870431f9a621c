"""Opening and growing positions."""

from dataclasses import replace
from typing import Any

import pytest

from tests.venue.exchange.pool.house import ETH, SYMBOL, USDC, House, prices
from tests.venue.exchange.pool.trades import (
    ALICE,
    PLAIN,
    STEEP,
    change,
    opened,
    pool_of,
    pooled,
    position,
    refused,
    stock,
    stocked,
)
from venue.exchange.pool.params import FeeTier
from venue.exchange.pool.state import Pool, PositionKey, affiliate, collateral, fees
from venue.exchange.pool.units import FLOAT, factor
from venue.exchange.reasons import Reason
from venue.exchange.requests.book import ReferralCode

FEE = FeeTier(factor("0.0004"), factor("0.0006"))
WIDE = prices(4_900, 5_100)


@pytest.mark.parametrize("is_long", [True, False])
@pytest.mark.parametrize(("token", "amount"), [("WETH", 2 * ETH), ("USDC", 10_000 * USDC)])
def test_either_side_in_either_token(is_long: bool, token: str, amount: int) -> None:
    house = stocked()
    report = opened(house, 50_000, amount, is_long=is_long, collateral_token=token)
    key = PositionKey("alice", SYMBOL, token, is_long)
    held = position(house, key)
    assert report.position == held
    assert (held.size, held.tokens, held.collateral, held.increased_ms) == (50_000 * FLOAT, 10 * ETH, amount, 1_000)
    assert (report.execution_price, report.price_impact_usd, report.tokens) == (5_000 * 10**12, 0, 10 * ETH)
    assert house.held(token, collateral(SYMBOL, is_long)) == amount
    assert house.held(token, collateral(SYMBOL, not is_long)) == 0
    interest = pool_of(house).interest(is_long)
    assert (interest.usd, interest.tokens) == (50_000 * FLOAT, 10 * ETH)
    assert pool_of(house).interest(not is_long).usd == 0


def test_longs_buy_at_the_top_shorts_sell_at_the_bottom_with_tokens_rounded_against_them() -> None:
    house = stocked()
    long = opened(house, 50_001, 2 * ETH, WIDE)
    assert (long.tokens, long.execution_price) == (50_001 * ETH // 5_100, 5_100 * 10**12)
    short = opened(house, 50_001, 2 * ETH, WIDE, is_long=False)
    assert (short.tokens, short.execution_price) == (-(-50_001 * ETH // 4_900), 4_900 * 10**12 - 1)
    assert pooled(house) == (1_000 * ETH, 5_000_000 * USDC)


def test_with_a_path() -> None:
    house = stocked(1_000, 5_000_000, Pool("BTC-USD", "WBTC", "WBTC", "USDC", PLAIN))
    stock(house, "BTC-USD", USDC=1_000_000 * USDC)
    report = opened(house, 50_000, 10**8 // 5, collateral_token="WBTC", path=("BTC-USD", SYMBOL))
    assert [hop.market for hop in report.hops] == ["BTC-USD", SYMBOL]
    assert (report.collateral_in, report.position.collateral_token) == (2 * ETH, "WETH")
    assert house.held("WETH", collateral(SYMBOL, True)) == 2 * ETH
    assert house.held("WBTC", "order_vault") == 0
    with refused(Reason.INVALID_COLLATERAL):
        opened(house, 50_000, 10**8 // 5, collateral_token="WBTC")
    with refused(Reason.MIN_SWAP_OUTPUT):
        opened(house, 50_000, 10_000 * USDC, collateral_token="USDC", path=(SYMBOL,), min_output=2 * ETH + 1)


def test_a_loss_of_impact_is_owed_and_a_bonus_promised() -> None:
    house = stocked(position_impact=STEEP)
    worse = opened(house, 100_000, 5 * ETH, WIDE)
    assert (worse.price_impact_usd, worse.balance_improved) == (-100 * FLOAT, False)
    owed = -(-100 * ETH // 4_900)
    assert (worse.pending_impact, position(house).pending_impact) == (-owed, -owed)
    assert worse.execution_price == 100_000 * FLOAT // (100_000 * ETH // 5_100 - owed)
    better = opened(house, 60_000, 5 * ETH, WIDE, is_long=False)
    assert (better.price_impact_usd, better.balance_improved) == (42 * FLOAT, True)
    assert better.pending_impact == 42 * ETH // 5_100
    assert better.execution_price == 60_000 * FLOAT // (-(-60_000 * ETH // 4_900) - 42 * ETH // 5_100)
    assert pool_of(house).position_impact == 0
    assert pool_of(house).long_interest.pending_impact == -owed


def test_a_promised_bonus_is_capped_by_size() -> None:
    house = stocked(position_impact=STEEP, max_positive_impact=factor("0.0004"))
    opened(house, 100_000, 5 * ETH)
    better = opened(house, 60_000, 5 * ETH, is_long=False)
    assert (better.price_impact_usd, better.pending_impact) == (24 * FLOAT, 24 * ETH // 5_000)


def test_acceptable_price_includes_impact() -> None:
    house = stocked(position_impact=STEEP)
    exact = 100_000 * FLOAT // (20 * ETH - ETH // 50)
    with refused(Reason.ACCEPTABLE_PRICE):
        opened(house, 100_000, 5 * ETH, acceptable_price=exact - 1)
    assert opened(house, 100_000, 5 * ETH, acceptable_price=exact).execution_price == exact
    house = stocked(position_impact=STEEP)
    exact = 100_000 * FLOAT // (20 * ETH + ETH // 50)
    with refused(Reason.ACCEPTABLE_PRICE):
        opened(house, 100_000, 5 * ETH, acceptable_price=exact + 1, is_long=False)
    assert opened(house, 100_000, 5 * ETH, acceptable_price=exact, is_long=False).execution_price == exact


def test_fees_with_a_referral() -> None:
    house = stocked(position_fee=FEE)
    code = ReferralCode("carol", factor("0.1"), factor("0.25"))
    report = opened(house, 50_000, 10_000 * USDC, code=code, collateral_token="USDC")
    taken = report.fees
    assert (taken.fee, taken.discount, taken.affiliate_reward, taken.affiliate) == (
        30 * USDC, 3 * USDC // 4, 9 * USDC // 4, "carol",
    )  # fmt: skip
    assert (taken.to_receiver, taken.to_pool, taken.cost) == (9_990_000, 17_010_000, 29_250_000)
    assert house.held("USDC", fees(SYMBOL)) == 9_990_000
    assert house.held("USDC", affiliate(SYMBOL, "carol")) == 2_250_000
    assert pooled(house)[1] == 5_000_000 * USDC + 17_010_000
    assert report.position.collateral == 10_000 * USDC - 29_250_000
    better = opened(house, 50_000, 10_000 * USDC, is_long=False, collateral_token="USDC").fees
    assert (better.fee, better.discount, better.affiliate) == (20 * USDC, 0, "")


def test_growing_adds_up_and_collateral_alone_changes_no_size() -> None:
    house = stocked(position_impact=STEEP)
    first = opened(house, 50_000, 2 * ETH).position
    house.now_ms = 2_000
    second = opened(house, 50_000, ETH, prices(5_500)).position
    assert (second.size, second.collateral, second.increased_ms) == (100_000 * FLOAT, 3 * ETH, 2_000)
    assert second.tokens == 10 * ETH + 50_000 * ETH // 5_500
    assert second.pending_impact < first.pending_impact < 0
    more = opened(house, 0, ETH)
    assert (more.execution_price, more.tokens, more.pending_impact, more.fees.cost) == (0, 0, 0, 0)
    assert position(house) == replace(second, collateral=4 * ETH)


def test_fees_may_come_out_of_the_collateral_that_is_there() -> None:
    house = stocked(position_fee=FEE)
    opened(house, 50_000, 2 * ETH)
    before = position(house).collateral
    assert opened(house, 50_000, 0).position.collateral == before - 6 * ETH // 1_000


@pytest.mark.parametrize(
    ("params", "usd", "amount", "reason"),
    [
        ({"min_collateral_usd": 6_000 * FLOAT}, 50_000, ETH, Reason.INSUFFICIENT_COLLATERAL),
        ({"position_fee": FEE}, 50_000, 5 * ETH // 1_000, Reason.INSUFFICIENT_COLLATERAL),
        ({}, 500_001, ETH, Reason.INSUFFICIENT_COLLATERAL),
        ({"position_fee": FEE}, 460_000, ETH, Reason.LIQUIDATABLE),
        ({"min_position_usd": 60_000 * FLOAT}, 50_000, ETH, Reason.MIN_POSITION_SIZE),
        ({"max_open_interest": 49_999 * FLOAT}, 50_000, ETH, Reason.MAX_OPEN_INTEREST),
        ({"reserve": factor("0.0099")}, 50_000, ETH, Reason.INSUFFICIENT_RESERVE),
        ({"open_interest_reserve": factor("0.0099")}, 50_000, ETH, Reason.INSUFFICIENT_RESERVE),
        ({"position_impact": replace(STEEP, negative=factor("0.01"))}, 50_000, ETH, Reason.POSITION_SIZE),
        ({}, 0, ETH, Reason.POSITION_SIZE),
    ],
)
def test_what_may_not_be_opened(params: dict[str, Any], usd: int, amount: int, reason: Reason) -> None:
    house = stocked(**params)
    with refused(reason):
        opened(house, usd, amount)
    assert ALICE not in house.exchange.pool_positions


def test_limits_are_reached_exactly() -> None:
    house = stocked(
        10,
        50_000,
        max_open_interest=40_000 * FLOAT,
        open_interest_reserve=factor("0.8"),
        min_collateral_usd=5_000 * FLOAT,
    )
    opened(house, 40_000, ETH)
    opened(house, 40_000, ETH, is_long=False)
    change(house, max_open_interest=10**60)
    for is_long in (True, False):
        with refused(Reason.INSUFFICIENT_RESERVE):
            opened(house, 1, 0, is_long=is_long)


def test_a_long_reserve_grows_with_the_index_and_a_short_one_does_not() -> None:
    house = stocked(10, 50_000, max_pnl_traders=10 * FLOAT)
    opened(house, 40_000, ETH)
    opened(house, 40_000, ETH, is_long=False)
    high = prices(4_900, 6_000)
    with refused(Reason.INSUFFICIENT_RESERVE):
        opened(house, 1, ETH, high)
    opened(house, 1, 4 * ETH, high, is_long=False)


def test_where_positions_may_be() -> None:
    house = House(PLAIN, Pool("USDC-WETH", "", "WETH", "USDC", PLAIN))
    with refused(Reason.INVALID_POSITION_MARKET):
        opened(house, 50_000, ETH, market="USDC-WETH")
    with refused(Reason.EMPTY_MARKET):
        opened(house, 50_000, ETH, market="SOL-USD")
    pool_of(house).enabled = False
    with refused(Reason.DISABLED_MARKET):
        opened(house, 50_000, ETH)
