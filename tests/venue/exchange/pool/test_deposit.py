"""Deposits: swaps on the way in, impact, fees, what is minted, and limits."""

from dataclasses import replace

from tests.venue.exchange.pool.house import ETH, SYMBOL, USDC, House, prices
from tests.venue.exchange.pool.trades import (
    MARKET_TOKEN,
    PLAIN,
    STEEP,
    change,
    deposited,
    pool_of,
    pooled,
    refused,
    stock,
    stocked,
)
from venue.exchange.pool.params import FeeTier, ImpactParams, PoolParams
from venue.exchange.pool.state import DEAD, Interest, Pool, fees, impact_pool
from venue.exchange.pool.units import FLOAT, factor
from venue.exchange.reasons import Reason

BTC = 10**8


def with_btc() -> House:
    house = House(PLAIN, Pool("BTC-USD", "WBTC", "WBTC", "USDC", PLAIN))
    stock(house, "BTC-USD", WBTC=100 * BTC, USDC=5_000_000 * USDC)
    deposited(house, 10 * ETH, 50_000 * USDC)
    return house


def test_swaps_on_the_way_in() -> None:
    house = with_btc()
    house.credit("USDC", "deposit_vault", 0)
    report = deposited(house, BTC, 0, long_token="WBTC", long_path=("BTC-USD", SYMBOL))
    assert (report.long_amount, report.short_amount, report.minted) == (10 * ETH, 0, 50_000 * ETH)
    assert [hop.market for hop in report.hops] == ["BTC-USD", SYMBOL]
    assert pooled(house) == (10 * ETH, 100_000 * USDC)
    assert house.wallet(MARKET_TOKEN) == 150_000 * ETH


def test_both_sides_may_come_from_the_same_token() -> None:
    house = with_btc()
    report = deposited(house, 5_000 * USDC, 5_000 * USDC, long_token="USDC", long_path=(SYMBOL,))
    assert (report.long_amount, report.short_amount, report.minted) == (ETH, 5_000 * USDC, 10_000 * ETH)
    report = deposited(house, 0, BTC, short_token="WBTC", short_path=("BTC-USD",))
    assert (report.long_amount, report.short_amount, report.minted) == (0, 50_000 * USDC, 50_000 * ETH)


def test_a_path_must_end_where_the_pool_needs_it() -> None:
    house = with_btc()
    with refused(Reason.SWAP_OUTPUT_TOKEN):
        deposited(house, BTC, 0, long_token="WBTC", long_path=("BTC-USD",))
    with refused(Reason.SWAP_OUTPUT_TOKEN):
        deposited(house, BTC, 0, long_token="WBTC")
    with refused(Reason.DUPLICATED_MARKET):
        deposited(house, BTC, 0, long_token="WBTC", long_path=("BTC-USD", "BTC-USD"))


def test_nothing_to_deposit() -> None:
    house = with_btc()
    with refused(Reason.EMPTY_DEPOSIT_AFTER_SWAP):
        deposited(house)
    with refused(Reason.EMPTY_DEPOSIT_AFTER_SWAP):
        deposited(house, 0, 1, short_token="WETH", short_path=(SYMBOL,))


def test_what_a_pool_that_is_off_or_unknown_says() -> None:
    house = with_btc()
    with refused(Reason.EMPTY_MARKET):
        deposited(house, ETH, market="SOL-USD")
    pool_of(house).enabled = False
    with refused(Reason.DISABLED_MARKET):
        deposited(house, ETH)


def test_the_first_deposit_comes_before_profits_and_swaps() -> None:
    house = House(replace(PLAIN, min_first_deposit=10 * ETH, max_pool_amount=0))
    pool_of(house).short_interest = Interest(usd=FLOAT)
    with refused(Reason.FIRST_DEPOSIT_RECEIVER):
        deposited(house, ETH)
    with refused(Reason.FIRST_DEPOSIT_MINIMUM):
        deposited(house, ETH, receiver=DEAD, min_market_tokens=10 * ETH - 1)
    with refused(Reason.PNL_FACTOR_SHORTS):
        deposited(house, ETH, receiver=DEAD, min_market_tokens=10 * ETH)
    pool_of(house).short_interest = Interest()
    with refused(Reason.MIN_MARKET_TOKENS):
        deposited(house, ETH // 1_000, receiver=DEAD, min_market_tokens=10 * ETH)
    with refused(Reason.MAX_POOL_AMOUNT):
        deposited(house, ETH, receiver=DEAD, min_market_tokens=10 * ETH)


def test_in_at_the_low_price_against_a_pool_at_the_high_one() -> None:
    house = with_btc()
    minted = deposited(house, ETH, 0, at=prices(4_900, 5_100)).minted
    assert minted == 4_900 * ETH * 100_000 // 101_000


def test_found_money_goes_to_the_first() -> None:
    house = stocked(1, 0)
    first = deposited(house, 0, 1_000 * USDC)
    assert first.minted == 6_000 * ETH
    assert (first.legs[0].pool_value_before, first.legs[0].supply_before) == (5_000 * FLOAT, 0)
    assert deposited(house, 0, 1_000 * USDC).minted == 1_000 * ETH


def test_no_bonus_without_market_tokens() -> None:
    """There is something to balance, and a bonus to pay for it, but nobody to pay it."""
    house = stocked(10, 0, swap_impact=STEEP)
    house.credit("WETH", impact_pool(SYMBOL), ETH)
    report = deposited(house, 0, 20_000 * USDC)
    assert report.price_impact_usd == 8 * FLOAT
    assert (report.legs[0].price_impact_usd, report.legs[0].price_impact_amount) == (0, 0)
    assert report.minted == 70_000 * ETH
    assert house.held("WETH", impact_pool(SYMBOL)) == ETH


def test_a_bonus_is_capped_by_the_impact_pool_of_the_opposite_token() -> None:
    house = stocked(10, 0, swap_impact=STEEP)
    change(house, swap_impact=PLAIN.swap_impact)
    deposited(house, 0, 1_000 * USDC)
    change(house, swap_impact=STEEP)
    house.credit("WETH", impact_pool(SYMBOL), ETH // 10_000)
    house.credit("USDC", impact_pool(SYMBOL), 100 * USDC)
    (leg,) = deposited(house, 0, 20_000 * USDC).legs
    assert leg.price_impact_usd > 5 * FLOAT
    assert (leg.price_impact_amount, leg.minted) == (ETH // 10_000, 20_000 * ETH + ETH // 2)
    assert pooled(house) == (10 * ETH + ETH // 10_000, 21_000 * USDC)
    assert house.held("USDC", impact_pool(SYMBOL)) == 100 * USDC


def test_a_bonus_may_overfill_the_opposite_token() -> None:
    house = stocked(10, 0)
    deposited(house, 0, 1_000 * USDC)
    change(house, swap_impact=STEEP, max_pool_amount=10 * ETH)
    house.credit("WETH", impact_pool(SYMBOL), ETH)
    with refused(Reason.MAX_POOL_AMOUNT):
        deposited(house, 0, 20_000 * USDC)


def test_impact_may_be_more_than_the_amount() -> None:
    house = stocked(swap_impact=replace(STEEP, negative=factor("0.001")))
    with refused(Reason.DEPOSIT_IMPACT_EXCEEDS_AMOUNT):
        deposited(house, 100 * ETH)


def test_impact_is_split_by_worth_and_each_leg_cut_off() -> None:
    report = deposited(stocked(0, 0, swap_impact=STEEP), 3 * ETH, 1_000 * USDC)
    whole = 14_000**2 * 10**22
    assert report.price_impact_usd == -whole
    assert [leg.price_impact_usd for leg in report.legs] == [-(whole * 15 // 16), -(whole // 16)]


def test_fees_are_split_and_by_tier() -> None:
    house = stocked(10, 0, deposit_fee=FeeTier(factor("0.001"), factor("0.002")))
    (better,) = deposited(house, 0, 10_000 * USDC).legs
    assert (better.fee_to_pool, better.fee_to_receiver) == (6_300_000, 3_700_000)
    (worse,) = deposited(house, ETH, 0).legs
    assert (worse.fee_to_pool, worse.fee_to_receiver) == (126 * ETH // 100_000, 74 * ETH // 100_000)
    assert house.held("USDC", fees(SYMBOL)) == 3_700_000
    assert pooled(house) == (11 * ETH - 74 * ETH // 100_000, 9_996_300_000)


def test_fees_round_down_in_both_steps() -> None:
    house = House(replace(PLAIN, deposit_fee=FeeTier(factor("0.0007"), factor("0.0007"))))
    (leg,) = deposited(house, 0, 1_428).legs
    assert (leg.fee_to_pool, leg.fee_to_receiver) == (0, 0)
    (leg,) = deposited(house, 0, 1_429 * 3).legs
    assert (leg.fee_to_pool, leg.fee_to_receiver) == (2, 1)


def test_least_market_tokens_come_before_the_limits() -> None:
    house = stocked(0, 0, max_pool_usd_for_deposit=5_000 * FLOAT)
    with refused(Reason.MIN_MARKET_TOKENS):
        deposited(house, 2 * ETH, min_market_tokens=10_000 * ETH + 1)
    with refused(Reason.MAX_POOL_USD):
        deposited(house, 2 * ETH, min_market_tokens=10_000 * ETH)
    with refused(Reason.MAX_POOL_USD):
        deposited(house, ETH, at=prices(4_999, 5_001))
    assert deposited(house, ETH, min_market_tokens=5_000 * ETH).minted == 5_000 * ETH
    assert deposited(house, 0, USDC).minted == ETH
    change(house, max_pool_amount=ETH)
    with refused(Reason.MAX_POOL_AMOUNT):
        deposited(house, 1)


def test_traders_profit_stops_deposits() -> None:
    house = stocked(10, 50_000)
    deposited(house, ETH)
    pool_of(house).short_interest = Interest(usd=45_000 * FLOAT)
    deposited(house, 1)
    pool_of(house).short_interest = Interest(usd=45_000 * FLOAT + 1)
    with refused(Reason.PNL_FACTOR_SHORTS):
        deposited(house, 1)
    pool_of(house).short_interest = Interest()
    pool_of(house).long_interest = Interest(tokens=10 * ETH)
    with refused(Reason.PNL_FACTOR_LONGS):
        deposited(house, 0, USDC)


def test_a_pool_worth_nothing_takes_no_deposit() -> None:
    house = stocked(0, 0)
    deposited(house, ETH)
    pool_of(house).position_impact = ETH
    with refused(Reason.POOL_VALUE_DEPOSIT):
        deposited(house, ETH)
    pool_of(house).position_impact = ETH - 1
    assert deposited(house, 0, USDC).minted == ETH * ETH


def test_parameters_of_impact_may_differ_in_exponent() -> None:
    house = House(replace(PLAIN, swap_impact=ImpactParams(0, factor("0.001"), 1, 1)))
    assert deposited(house, ETH).price_impact_usd == -5 * FLOAT
    assert PoolParams().swap_impact.positive_exponent == 2
