"""The impact that is realised as a position is reduced: promised at the increases, added to by closing, capped."""

from dataclasses import replace
from typing import Any

import pytest

from tests.venue.exchange.pool.house import ETH, SYMBOL, USDC, House, prices
from tests.venue.exchange.pool.trades import OFF, STEEP, change, closed, opened, pool_of, pooled, position, stocked
from venue.exchange.pool.state import locked
from venue.exchange.pool.units import FLOAT, factor


def promised(**params: Any) -> House:
    """Alice is owed 42 USD: 5e-9 * 100,000**2 - 5e-9 * 40,000**2. Nothing more comes of closing."""
    house = stocked(position_impact=STEEP)
    opened(house, 100_000, 5 * ETH, account="bob", is_long=False)
    opened(house, 60_000, 5 * ETH)
    assert position(house).pending_impact == 42 * ETH // 5_000
    change(house, position_impact=OFF, **params)
    return house


def test_what_is_owed_is_paid_to_the_providers_and_owed_to_traders() -> None:
    """-100 USD at opening, +50 from closing."""
    house = stocked(position_impact=STEEP)
    opened(house, 100_000, 5 * ETH)
    report = closed(house, 100_000)
    assert (report.price_impact_usd, report.total_impact_usd) == (50 * FLOAT, -50 * FLOAT)
    assert (report.pending_impact, report.impact_diff_usd, report.locked_amount) == (-ETH // 50, 0, 0)
    assert report.execution_price == 5_000 * 10**12 + 50 * FLOAT // (20 * ETH)
    assert report.output_amount == 5 * ETH - ETH // 100
    assert pooled(house)[0] == 1_000 * ETH + ETH // 100
    assert pool_of(house).position_impact == ETH // 100


def test_beyond_the_cap_it_is_locked_for_the_trader() -> None:
    house = stocked(position_impact=STEEP, max_negative_impact=factor("0.0001"))
    opened(house, 100_000, 5 * ETH)
    report = closed(house, 100_000)
    assert (report.total_impact_usd, report.impact_diff_usd) == (-10 * FLOAT, 40 * FLOAT)
    assert report.locked_amount == house.held("WETH", locked(SYMBOL, "alice")) == 8 * ETH // 1_000
    assert report.output_amount == 5 * ETH - ETH // 100
    assert (pooled(house)[0], pool_of(house).position_impact) == (1_000 * ETH + ETH // 500, ETH // 500)


def test_what_is_locked_may_come_out_of_the_profit() -> None:
    house = stocked(position_impact=STEEP, max_negative_impact=factor("0.0001"), min_collateral_factor=0)
    opened(house, 100_000, 20 * USDC, prices(4_000), collateral_token="USDC")
    report = closed(house, 100_000, prices(5_000), collateral_token="USDC")
    assert report.impact_diff_usd > 50 * FLOAT
    assert (report.locked_amount, report.output_amount) == (10 * USDC, 0)
    rest = report.impact_diff_usd - 10 * FLOAT
    assert house.held("WETH", locked(SYMBOL, "alice")) == -(-rest // (5_000 * 10**12))


def test_a_bonus_is_paid_from_the_liquidity_against_the_position_impact_pool() -> None:
    house = promised()
    pool_of(house).position_impact = ETH
    report = closed(house, 60_000)
    assert (report.price_impact_usd, report.total_impact_usd) == (0, 42 * FLOAT)
    assert report.output_amount == 5 * ETH + 42 * ETH // 5_000
    assert pool_of(house).position_impact == ETH - 42 * ETH // 5_000
    assert pooled(house)[0] == 1_000 * ETH - 42 * ETH // 5_000


@pytest.mark.parametrize(("held", "usd"), [(0, 0), (ETH // 1_000, 5), (42 * ETH // 5_000, 42)])
def test_a_bonus_is_capped_by_the_position_impact_pool(held: int, usd: int) -> None:
    house = promised()
    pool_of(house).position_impact = held
    report = closed(house, 60_000)
    assert (report.total_impact_usd, report.impact_diff_usd) == (usd * FLOAT, 0)
    assert report.output_amount == 5 * ETH + usd * ETH // 5_000
    assert pool_of(house).position_impact == held - usd * ETH // 5_000


def test_a_bonus_is_capped_by_size() -> None:
    house = promised(max_positive_impact=factor("0.0004"))
    pool_of(house).position_impact = ETH
    assert closed(house, 60_000).total_impact_usd == 24 * FLOAT
    assert pool_of(house).position_impact == ETH - 24 * ETH // 5_000


def test_a_bonus_of_closing_is_capped_before_what_is_owed_is_taken_off() -> None:
    """-100 owed; +50 from closing counts as 10."""
    house = stocked(position_impact=STEEP)
    opened(house, 100_000, 5 * ETH)
    change(house, max_positive_impact=factor("0.0001"))
    report = closed(house, 100_000)
    assert (report.price_impact_usd, report.total_impact_usd) == (10 * FLOAT, -90 * FLOAT)


def test_the_ends_of_the_range_are_against_the_trader() -> None:
    """A bonus counts at the low price, and takes from the impact pool at the low and from the liquidity at the high."""
    house = promised()
    pool_of(house).position_impact = ETH
    pending = 42 * ETH // 5_000
    report = closed(house, 60_000, prices(5_000, 6_000))
    assert report.total_impact_usd == pending * 5_000 * 10**12
    assert report.output_amount == 5 * ETH + report.total_impact_usd // (6_000 * 10**12)
    assert pool_of(house).position_impact == ETH - pending


@pytest.mark.parametrize(("pending", "realised"), [(3, 1), (-3, -2), (4, 2), (-4, -2)])
def test_a_part_realises_its_share_rounded_against_the_trader(pending: int, realised: int) -> None:
    house = stocked()
    opened(house, 50_000, 2 * ETH)
    held = position(house)
    house.exchange.pool_positions[held.key] = replace(held, pending_impact=pending)
    pool_of(house).long_interest = replace(pool_of(house).long_interest, pending_impact=pending)
    report = closed(house, 25_000)
    assert report.pending_impact == realised
    assert position(house).pending_impact == pool_of(house).long_interest.pending_impact == pending - realised


def test_a_loss_counts_at_the_high_price_and_fills_the_impact_pool_at_the_low_one() -> None:
    """0.02 ETH owed at 6,000, less 50 USD from closing."""
    house = stocked(position_impact=STEEP)
    opened(house, 100_000, 5 * ETH)
    report = closed(house, 100_000, prices(5_000, 6_000))
    assert report.total_impact_usd == -70 * FLOAT
    assert pool_of(house).position_impact == 70 * ETH // 5_000


def test_what_is_locked_each_time_adds_up() -> None:
    house = stocked(position_impact=STEEP, max_negative_impact=0)
    opened(house, 100_000, 5 * ETH)
    first, second = (closed(house, 50_000).locked_amount for _ in range(2))
    assert first > 0 < second
    assert first + second == house.held("WETH", locked(SYMBOL, "alice"))
