"""Swaps along a path of pools."""

from dataclasses import replace

import pytest

from tests.venue.exchange.pool.house import ETH, SYMBOL, USDC, House, prices
from tests.venue.exchange.pool.trades import (
    NOTHING,
    OFF,
    PLAIN,
    STEEP,
    change,
    opened,
    pool_of,
    pooled,
    refused,
    stock,
    stocked,
    swapped,
)
from venue.exchange.pool.params import FeeTier, ImpactParams, PoolParams
from venue.exchange.pool.state import Interest, Pool, fees, impact_pool
from venue.exchange.pool.units import FLOAT, factor
from venue.exchange.reasons import Reason

BTC = 10**8


def two(params: PoolParams = PLAIN) -> House:
    """ETH-USD and BTC-USD."""
    house = stocked(1_000, 5_000_000, Pool("BTC-USD", "WBTC", "WBTC", "USDC", params))
    stock(house, "BTC-USD", WBTC=100 * BTC, USDC=5_000_000 * USDC)
    return house


def test_two_hops() -> None:
    house = two()
    report = swapped(house, "WETH", 10 * ETH, SYMBOL, "BTC-USD")
    assert (report.token, report.amount) == ("WBTC", BTC)
    assert [(hop.market, hop.token_in, hop.token_out, hop.amount_out) for hop in report.hops] == [
        (SYMBOL, "WETH", "USDC", 50_000 * USDC), ("BTC-USD", "USDC", "WBTC", BTC),
    ]  # fmt: skip
    assert pooled(house) == (1_010 * ETH, 4_950_000 * USDC)
    assert pooled(house, "BTC-USD") == (99 * BTC, 5_050_000 * USDC)
    assert (house.wallet("WBTC"), house.wallet("USDC"), house.held("USDC", "order_vault")) == (BTC, 0, 0)


def test_every_hop_takes_its_fee_from_what_comes_in() -> None:
    house = two(replace(PLAIN, swap_fee=FeeTier(factor("0.01"), factor("0.02"))))
    change(house, swap_fee=FeeTier(factor("0.001"), factor("0.002")))
    report = swapped(house, "WETH", 10 * ETH, SYMBOL, "BTC-USD")
    first, second = report.hops
    assert (first.amount_after_fees, first.fee_to_pool, first.fee_to_receiver) == (
        998 * ETH // 100, 126 * ETH // 10_000, 74 * ETH // 10_000,
    )  # fmt: skip
    assert second.amount_in == first.amount_out == 49_900 * USDC
    assert second.amount_after_fees == 48_902 * USDC
    assert house.held("USDC", fees("BTC-USD")) == second.fee_to_receiver == 998 * USDC * 37 // 100
    assert report.amount == 97_804_000


def test_low_price_in_high_price_out_rounded_down() -> None:
    house = stocked()
    wide = prices(4_900, 5_100)
    assert swapped(house, "WETH", ETH, SYMBOL, at=wide).amount == 4_900 * USDC
    assert swapped(house, "USDC", 5_100 * USDC + 1, SYMBOL, at=wide).amount == ETH + 10**18 // (5_100 * USDC)
    assert pooled(house)[1] == 5_000_000 * USDC + 200 * USDC + 1


def test_without_a_path_it_is_paid_over() -> None:
    house = stocked()
    report = swapped(house, "USDC", 7, at=prices())
    assert (report.token, report.amount, report.hops, house.wallet("USDC")) == ("USDC", 7, (), 7)


def test_a_bonus_beyond_the_impact_pool_comes_from_that_of_the_token_going_in() -> None:
    """Imbalance 100,000 to 80,000: 5e-9 * (1e10 - 0.64e10) = 18 USD."""
    house = stocked(100, 400_000, swap_impact=STEEP)
    house.credit("WETH", impact_pool(SYMBOL), ETH // 1_000)
    house.credit("USDC", impact_pool(SYMBOL), 10 * USDC)
    (hop,) = swapped(house, "USDC", 10_000 * USDC, SYMBOL).hops
    assert hop.price_impact_usd == 18 * FLOAT
    assert hop.price_impact_amount == ETH // 1_000
    assert hop.token_in_impact_amount == 10 * USDC
    assert hop.amount_out == 10_010 * ETH // 5_000 + ETH // 1_000
    assert (house.held("WETH", impact_pool(SYMBOL)), house.held("USDC", impact_pool(SYMBOL))) == (0, 0)
    assert pooled(house) == (100 * ETH - 10_010 * ETH // 5_000, 410_010 * USDC)


def test_a_part_of_the_other_impact_pool_is_enough() -> None:
    house = stocked(100, 400_000, swap_impact=STEEP)
    house.credit("USDC", impact_pool(SYMBOL), 100 * USDC)
    (hop,) = swapped(house, "USDC", 10_000 * USDC, SYMBOL).hops
    assert (hop.price_impact_amount, hop.token_in_impact_amount) == (0, 18 * USDC)
    assert house.held("USDC", impact_pool(SYMBOL)) == 82 * USDC


def test_a_charge_goes_from_what_comes_in_to_the_impact_pool() -> None:
    house = stocked(100, 500_000, swap_impact=STEEP)
    (hop,) = swapped(house, "USDC", 10_000 * USDC, SYMBOL).hops
    assert (hop.price_impact_usd, hop.balance_improved) == (-4 * FLOAT, False)
    assert (hop.price_impact_amount, hop.token_in_impact_amount) == (-4 * USDC, 0)
    assert hop.amount_out == 9_996 * ETH // 5_000
    assert house.held("USDC", impact_pool(SYMBOL)) == 4 * USDC
    assert pooled(house)[1] == 509_996 * USDC


def test_a_charge_that_takes_everything_is_refused() -> None:
    house = stocked(100, 500_000, swap_impact=replace(STEEP, negative=factor("0.0001")))
    with refused(Reason.SWAP_IMPACT_EXCEEDS_AMOUNT):
        swapped(house, "USDC", 10_000 * USDC, SYMBOL)


def test_least_output() -> None:
    house = stocked()
    with refused(Reason.MIN_SWAP_OUTPUT):
        swapped(house, "USDC", 5_000 * USDC, SYMBOL, least=ETH + 1)
    with refused(Reason.MIN_SWAP_OUTPUT):
        swapped(house, "USDC", 7, least=8)
    assert swapped(house, "USDC", 5_000 * USDC, SYMBOL, least=ETH).amount == ETH


def test_paths_that_lead_nowhere() -> None:
    house = two()
    with refused(Reason.DUPLICATED_MARKET):
        swapped(house, "USDC", USDC, SYMBOL, "BTC-USD", SYMBOL)
    with refused(Reason.EMPTY_MARKET):
        swapped(house, "USDC", USDC, "SOL-USD")
    with refused(Reason.INVALID_TOKEN):
        swapped(house, "WETH", ETH, "BTC-USD")
    pool_of(house, "BTC-USD").enabled = False
    with refused(Reason.DISABLED_MARKET):
        swapped(house, "WETH", ETH, SYMBOL, "BTC-USD")
    assert house.exchange.book("WETH")["wallet:alice"] == 0


def test_the_most_a_pool_may_hold_counts_at_every_hop() -> None:
    house = two(replace(PLAIN, max_pool_amount=5_049_999 * USDC))
    swapped(house, "WETH", 9 * ETH, SYMBOL, "BTC-USD")
    with refused(Reason.MAX_POOL_AMOUNT):
        swapped(house, "WETH", ETH, SYMBOL, "BTC-USD")


def test_more_than_there_is() -> None:
    house = stocked(10, 50_000)
    with refused(Reason.INSUFFICIENT_POOL):
        swapped(house, "USDC", 50_001 * USDC, SYMBOL)
    assert swapped(house, "USDC", 50_000 * USDC, SYMBOL).amount == 10 * ETH


def test_a_bonus_may_ask_for_more_than_there_is() -> None:
    """1e-4 * (50,000**2 - 48,000**2) = 19,600 USD on 49,000, of which 10,000 are there."""
    house = stocked(10, 0, swap_impact=ImpactParams(factor("0.0001"), factor("0.0001")))
    house.credit("USDC", impact_pool(SYMBOL), 10_000 * USDC)
    with refused(Reason.INSUFFICIENT_POOL):
        swapped(house, "USDC", 49_000 * USDC, SYMBOL)


@pytest.mark.parametrize(("token", "is_long"), [("USDC", True), ("WETH", False)])
def test_what_is_reserved_stays(token: str, is_long: bool) -> None:
    """The side whose token goes out is looked at: 95% of what is left of 1,000,000 USD must cover 890,000."""
    house = stocked(200, 1_000_000)
    opened(house, 890_000, 100_000 * USDC, collateral_token="USDC", is_long=is_long)
    unit = USDC if token == "USDC" else ETH // 5_000
    with refused(Reason.INSUFFICIENT_RESERVE):
        swapped(house, token, 63_158 * unit, SYMBOL)
    swapped(house, token, 63_157 * unit, SYMBOL)


@pytest.mark.parametrize(
    ("side", "token", "worth", "reason"),
    [
        ("long", "WETH", "deposits", Reason.PNL_FACTOR_LONGS),
        ("long", "USDC", "withdrawals", Reason.PNL_FACTOR_LONGS),
        ("short", "USDC", "deposits", Reason.PNL_FACTOR_SHORTS),
        ("short", "WETH", "withdrawals", Reason.PNL_FACTOR_SHORTS),
    ],
)
def test_traders_profit_stops_swaps(side: str, token: str, worth: str, reason: Reason) -> None:
    """Of the token going in as at a deposit, of the one going out as at a withdrawal. A side is 500,000 USD ahead."""
    house = stocked(200, 1_000_000)
    pool = pool_of(house)
    if side == "long":
        pool.long_interest = Interest(usd=0, tokens=100 * ETH)
    else:
        pool.short_interest = Interest(usd=500_000 * FLOAT, tokens=0)
    amount = ETH if token == "WETH" else 5_000 * USDC
    swapped(house, token, amount, SYMBOL)
    swapped(house, "USDC" if token == "WETH" else "WETH", 5_000 * USDC if token == "WETH" else ETH, SYMBOL)
    change(house, **{f"max_pnl_{worth}": factor("0.49")})
    with refused(reason):
        swapped(house, token, amount, SYMBOL)


def test_a_path_of_pools_without_fees_takes_them_back_to_where_they_were() -> None:
    house = stocked(1_000, 5_000_000, swap_fee=NOTHING, swap_impact=OFF)
    swapped(house, "USDC", 5_000 * USDC, SYMBOL)
    swapped(house, "WETH", ETH, SYMBOL)
    assert pooled(house) == (1_000 * ETH, 5_000_000 * USDC)
