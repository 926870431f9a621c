"""Reducing and closing positions."""

from dataclasses import replace

import pytest

from tests.venue.exchange.pool.house import ETH, SYMBOL, USDC, House, prices
from tests.venue.exchange.pool.trades import (
    ALICE,
    PLAIN,
    change,
    closed,
    opened,
    pool_of,
    pooled,
    position,
    refused,
    stock,
    stocked,
)
from venue.exchange.pool.params import FeeTier
from venue.exchange.pool.state import Pool, PositionKey, collateral, fees
from venue.exchange.pool.units import FLOAT, factor
from venue.exchange.reasons import Reason
from venue.exchange.requests.request import OrderType

IN_USDC = PositionKey("alice", SYMBOL, "USDC", True)
SHORT = PositionKey("alice", SYMBOL, "USDC", False)


def test_a_part_with_collateral() -> None:
    house = stocked()
    opened(house, 50_000, 2 * ETH)
    house.now_ms = 5_000
    report = closed(house, 20_000, take=ETH // 2)
    assert (report.size, report.tokens, report.base_pnl_usd) == (20_000 * FLOAT, 4 * ETH, 0)
    assert (report.output_token, report.output_amount, report.secondary_amount) == ("WETH", ETH // 2, 0)
    held = position(house)
    assert report.remaining == held
    assert (held.size, held.tokens, held.collateral) == (30_000 * FLOAT, 6 * ETH, 3 * ETH // 2)
    assert (held.increased_ms, held.decreased_ms) == (1_000, 5_000)
    assert house.wallet("WETH") == ETH // 2
    assert (pool_of(house).long_interest.usd, pool_of(house).long_interest.tokens) == (30_000 * FLOAT, 6 * ETH)
    assert house.held("WETH", collateral(SYMBOL, True)) == 3 * ETH // 2


@pytest.mark.parametrize(("is_long", "tokens"), [(True, 3_333_333_333_333_333_334), (False, 3_333_333_333_333_333_333)])
def test_a_longs_tokens_are_rounded_up_and_a_shorts_down(is_long: bool, tokens: int) -> None:
    house = stocked()
    opened(house, 50_000, 2 * ETH, is_long=is_long)
    report = closed(house, 0, is_long=is_long, size=50_000 * FLOAT // 3)
    assert report.tokens == tokens


def test_profit_in_the_tokens_of_the_side() -> None:
    """A long's profit is in ETH, also where its collateral is not; low price of the index, high one of the payment."""
    house = stocked()
    opened(house, 50_000, 10_000 * USDC, collateral_token="USDC")
    report = closed(house, 25_000, prices(5_500, 5_600), collateral_token="USDC", take=1_000 * USDC)
    assert report.base_pnl_usd == 2_500 * FLOAT
    assert (report.output_token, report.output_amount) == ("USDC", 1_000 * USDC)
    assert (report.secondary_token, report.secondary_amount) == ("WETH", 2_500 * ETH // 5_600)
    assert (house.wallet("WETH"), house.wallet("USDC")) == (2_500 * ETH // 5_600, 1_000 * USDC)
    assert pooled(house) == (1_000 * ETH - 2_500 * ETH // 5_600, 5_000_000 * USDC)


def test_a_shorts_profit_is_at_the_high_price_and_in_usdc() -> None:
    house = stocked()
    opened(house, 50_000, 2 * ETH, is_long=False)
    report = closed(house, 50_000, prices(4_000, 4_500), is_long=False)
    assert (report.base_pnl_usd, report.execution_price) == (5_000 * FLOAT, 4_500 * 10**12)
    assert (report.output_token, report.output_amount) == ("WETH", 2 * ETH)
    assert (report.secondary_token, report.secondary_amount) == ("USDC", 5_000 * USDC)
    assert report.remaining is None
    assert not house.exchange.pool_positions


def test_losses_come_out_of_the_collateral_rounded_up() -> None:
    house = stocked()
    opened(house, 50_000, 2 * ETH)
    report = closed(house, 25_000, prices(4_700))
    lost = -(-1_500 * ETH // 4_700)
    assert (report.base_pnl_usd, report.output_amount) == (-1_500 * FLOAT, 0)
    assert position(house).collateral == 2 * ETH - lost
    assert pooled(house)[0] == 1_000 * ETH + lost


def test_profit_pays_for_fees_first() -> None:
    house = stocked()
    opened(house, 50_000, 2 * ETH)
    change(house, position_fee=FeeTier(factor("0.001"), factor("0.001")))
    report = closed(house, 25_000, prices(5_500))
    gained, fee = 2_500 * ETH // 5_500, 25 * ETH // 5_500
    assert (report.fees.cost, report.output_amount) == (fee, gained - fee)
    assert position(house).collateral == 2 * ETH
    assert house.held("WETH", fees(SYMBOL)) == report.fees.to_receiver == fee * 37 // 100


def test_fees_the_collateral_cannot_pay_come_out_of_the_profit_and_all_go_to_the_pool() -> None:
    """70 USD collateral, 500 fee: 70 USDC and, at the low price, 430 USD of the 5,000 in ETH."""
    house = stocked(min_collateral_factor=0)
    opened(house, 50_000, 70 * USDC, collateral_token="USDC")
    change(house, position_fee=FeeTier(factor("0.01"), factor("0.01")))
    report = closed(house, 50_000, prices(5_500), collateral_token="USDC")
    rest = 5_000 * ETH // 5_500 - -(-430 * ETH // 5_500)
    assert (report.output_amount, report.secondary_amount, report.insolvent_step) == (0, rest, "")
    assert house.held("USDC", fees(SYMBOL)) == house.held("WETH", fees(SYMBOL)) == 0
    assert pooled(house) == (1_000 * ETH - rest, 5_000_070 * USDC)


@pytest.mark.parametrize(
    ("usd", "take", "params"),
    [
        (1, 2 * ETH - ETH // 5_000 + 1, {}),
        (1, 3 * ETH, {}),
        (49_999, 0, {"min_position_usd": FLOAT + 1}),
        (49_999, 0, {"min_collateral_usd": 10_000 * FLOAT + 1}),
        (50_000, ETH, {}),
    ],
)
def test_what_is_not_worth_keeping_is_closed_whole(usd: int, take: int, params: dict[str, int]) -> None:
    house = stocked(min_collateral_factor=0)
    opened(house, 50_000, 2 * ETH)
    change(house, **params)
    report = closed(house, usd, take=take)
    assert (report.size, report.output_amount, report.remaining) == (50_000 * FLOAT, 2 * ETH, None)
    assert pool_of(house).long_interest.usd == pool_of(house).long_interest.tokens == 0
    assert house.held("WETH", collateral(SYMBOL, True)) == 0


def test_one_usd_of_collateral_and_of_size_is_worth_keeping() -> None:
    house = stocked(min_collateral_factor=0)
    opened(house, 50_000, 2 * ETH)
    report = closed(house, 49_999, take=2 * ETH - ETH // 5_000)
    assert report.remaining is not None
    assert (report.remaining.size, report.remaining.collateral) == (FLOAT, ETH // 5_000)


def test_sizes_too_large() -> None:
    house = stocked()
    opened(house, 50_000, 2 * ETH)
    with refused(Reason.DECREASE_SIZE):
        closed(house, 50_001)
    assert closed(house, 50_001, type=OrderType.STOP_LOSS_DECREASE).size == 50_000 * FLOAT
    with refused(Reason.EMPTY_POSITION):
        closed(house, 1)


def test_what_stays_must_be_safe() -> None:
    house = stocked()
    opened(house, 50_000, 2 * ETH)
    with refused(Reason.LIQUIDATABLE):
        closed(house, 10_000, take=2 * ETH - 399 * ETH // 5_000)
    report = closed(house, 10_000, take=2 * ETH - 400 * ETH // 5_000)
    assert report.remaining is not None


def test_a_rest_without_tokens_or_of_too_little_size_does_not_stay() -> None:
    house = stocked(min_collateral_factor=0, min_position_usd=0)
    opened(house, 1, 2 * ETH)
    with refused(Reason.POSITION_SIZE):
        closed(house, 0, size=FLOAT - 1)


def test_collateral_alone() -> None:
    house = stocked()
    opened(house, 50_000, 2 * ETH)
    before = position(house)
    report = closed(house, 0, take=ETH, acceptable_price=10**30)
    assert (report.execution_price, report.size, report.fees.cost) == (5_000 * 10**12, 0, 0)
    assert position(house) == replace(before, collateral=ETH, decreased_ms=1_000)


def test_acceptable_price() -> None:
    house = stocked()
    opened(house, 50_000, 2 * ETH)
    opened(house, 50_000, 10_000 * USDC, is_long=False, collateral_token="USDC")
    wide = prices(4_990, 5_010)
    with refused(Reason.ACCEPTABLE_PRICE):
        closed(house, 50_000, wide, acceptable_price=4_990 * 10**12 + 1)
    with refused(Reason.ACCEPTABLE_PRICE):
        closed(house, 50_000, wide, acceptable_price=5_010 * 10**12 - 1, is_long=False, collateral_token="USDC")
    closed(house, 50_000, wide, acceptable_price=4_990 * 10**12)
    closed(house, 50_000, wide, acceptable_price=5_010 * 10**12, is_long=False, collateral_token="USDC")


def test_least_output_is_in_usd_of_both_tokens() -> None:
    house = stocked()
    opened(house, 50_000, 10_000 * USDC, collateral_token="USDC")
    got = 10_000 * FLOAT + 5_000 * ETH // 5_500 * 5_500 * 10**12
    with refused(Reason.MIN_OUTPUT):
        closed(house, 50_000, prices(5_500), collateral_token="USDC", min_output=got + 1)
    closed(house, 50_000, prices(5_500), collateral_token="USDC", min_output=got)


def test_the_output_may_be_swapped_on_the_way_out() -> None:
    house = stocked(1_000, 5_000_000, Pool("BTC-USD", "WBTC", "WBTC", "USDC", PLAIN))
    stock(house, "BTC-USD", WBTC=10 * 10**8)
    opened(house, 50_000, 2 * ETH)
    report = closed(house, 50_000, path=(SYMBOL, "BTC-USD"), receiver="bob")
    assert (report.output_token, report.output_amount, len(report.hops)) == ("WBTC", 2 * 10**7, 2)
    assert (house.wallet("WBTC", "bob"), house.wallet("WETH", "bob")) == (2 * 10**7, 0)


def test_traders_profit_is_capped_by_the_liquidity_of_their_side() -> None:
    """10 ETH at 10,000 are 50,000 ahead; 40% of 100,000 is paid for it, by share."""
    house = stocked(10, 50_000, max_pnl_traders=factor("0.4"), open_interest_reserve=FLOAT, reserve=FLOAT)
    opened(house, 30_000, 2 * ETH)
    opened(house, 20_000, 2 * ETH, account="bob")
    report = closed(house, 15_000, prices(10_000))
    assert report.base_pnl_usd == 12_000 * FLOAT
    assert report.output_amount == 12 * ETH // 10


def test_profits_need_liquidity() -> None:
    house = stocked(10, 50_000, max_pnl_traders=10 * FLOAT)
    opened(house, 45_000, 10_000 * USDC, is_long=False, collateral_token="USDC")
    house.run(lambda draft: draft.pay("USDC", f"pool:{SYMBOL}", "wallet:bob", 20_000 * USDC))
    with refused(Reason.INSUFFICIENT_POOL):
        closed(house, 45_000, prices(1_000), is_long=False, collateral_token="USDC")


def test_costs_that_cannot_be_paid() -> None:
    house = stocked()
    opened(house, 50_000, ETH)
    with refused(Reason.CANNOT_PAY_COSTS):
        closed(house, 50_000, prices(4_000))
    assert ALICE in house.exchange.pool_positions


def test_where_there_is_nothing_to_decrease() -> None:
    house = House(PLAIN, Pool("USDC-WETH", "", "WETH", "USDC", PLAIN))
    for market, reason in (
        (SYMBOL, Reason.EMPTY_POSITION),
        ("USDC-WETH", Reason.EMPTY_POSITION),
        ("SOL-USD", Reason.EMPTY_MARKET),
    ):
        with refused(reason):
            closed(house, 1, market=market)
    pool_of(house).enabled = False
    with refused(Reason.DISABLED_MARKET):
        closed(house, 1)


def test_collateral_alone_is_never_taken_out_to_the_last() -> None:
    house = stocked()
    opened(house, 50_000, 2 * ETH)
    for take in (2 * ETH, 2_000 * ETH):
        with refused(Reason.UNABLE_TO_WITHDRAW):
            closed(house, 0, take=take)


def test_collateral_alone_may_not_all_be_taken_out() -> None:
    """It does not close the position instead: nobody asked for that."""
    house = stocked(min_collateral_factor=0)
    opened(house, 50_000, 2 * ETH)
    with refused(Reason.UNABLE_TO_WITHDRAW):
        closed(house, 0, take=2 * ETH - ETH // 5_000 + 1)
