"""Closing what may not stay open."""

from typing import Any

import pytest

from tests.venue.exchange.pool.house import ETH, SYMBOL, USDC, House, prices
from tests.venue.exchange.pool.trades import (
    ALICE,
    STEEP,
    change,
    closed,
    liquidated,
    opened,
    pool_of,
    pooled,
    position,
    refused,
    stocked,
)
from venue.exchange.draft import Draft
from venue.exchange.pool.liquidation import is_liquidatable
from venue.exchange.pool.params import FeeTier
from venue.exchange.pool.position import LiquidationState
from venue.exchange.pool.state import PositionKey, affiliate, collateral, fees
from venue.exchange.pool.units import FLOAT, factor
from venue.exchange.reasons import Reason
from venue.exchange.requests.book import ReferralCode


def house_with(**params: Any) -> House:
    """10 ETH long on 0.2 ETH."""
    house = stocked(**{"liquidation_fee": factor("0.002"), **params})
    opened(house, 50_000, ETH // 5)
    return house


def looked_at(house: House, low: int, key: PositionKey = ALICE) -> LiquidationState:
    return is_liquidatable(Draft(house.exchange, house.now_ms), position(house, key), prices(low))


def test_solvent() -> None:
    """600 lost of 988; 500 are the least; 100 for liquidating."""
    house = house_with()
    report = liquidated(house, ALICE, prices(4_940))
    lost, fee = -(-600 * ETH // 4_940), -(-100 * ETH // 4_940)
    assert (report.base_pnl_usd, report.fees.liquidation, report.insolvent_step) == (-600 * FLOAT, fee, "")
    assert (report.size, report.tokens, report.remaining) == (50_000 * FLOAT, 10 * ETH, None)
    assert report.output_amount == house.wallet("WETH") == ETH // 5 - lost - fee
    assert house.held("WETH", fees(SYMBOL)) == report.fees.to_receiver == fee * 37 // 100
    assert pooled(house)[0] == 1_000 * ETH + lost + fee - fee * 37 // 100
    assert not house.exchange.pool_positions
    assert pool_of(house).long_interest.usd == house.held("WETH", collateral(SYMBOL, True)) == 0


@pytest.mark.parametrize(("low", "step"), [(4_800, "pnl"), (4_904, "fees")])
def test_insolvent_at_losses_or_fees(low: int, step: str) -> None:
    """What is there goes to the providers, and nothing to anybody else."""
    house = house_with()
    report = liquidated(house, ALICE, prices(low))
    assert (report.insolvent_step, report.output_amount, report.secondary_amount) == (step, 0, 0)
    assert (pooled(house)[0], house.held("WETH", fees(SYMBOL))) == (1_000 * ETH + ETH // 5, 0)
    assert pool_of(house).position_impact == 0


def test_insolvent_at_impact() -> None:
    """980 lost of 980.40, and 12.50 of impact owed: 0.40 of it are paid."""
    house = house_with(position_impact=STEEP, liquidation_fee=0)
    report = liquidated(house, ALICE, prices(4_902))
    assert report.insolvent_step == "impact"
    assert pooled(house)[0] == 1_000 * ETH + ETH // 5
    paid = ETH // 5 - -(-980 * ETH // 4_902)
    assert pool_of(house).position_impact == paid


def test_insolvent_at_what_is_beyond_the_cap() -> None:
    house = house_with(position_impact=STEEP, liquidation_fee=0, max_negative_impact=0)
    report = liquidated(house, ALICE, prices(4_902))
    assert (report.insolvent_step, report.total_impact_usd) == ("impact excess", 0)
    assert report.locked_amount == house.held("WETH", f"locked:{SYMBOL}:alice") == ETH // 5 - -(-980 * ETH // 4_902)


def test_profit_pays_too_and_the_rest_of_it_goes_to_the_owner() -> None:
    house = stocked(liquidation_fee=factor("0.02"))
    opened(house, 50_000, 600 * USDC, collateral_token="USDC")
    change(house, min_collateral_factor=factor("0.1"))
    key = ALICE._replace(collateral_token="USDC")
    report = liquidated(house, key, prices(5_100))
    rest = 1_000 * ETH // 5_100 - -(-400 * ETH // 5_100)
    assert (report.output_amount, report.secondary_amount, report.insolvent_step) == (0, rest, "")
    assert (house.wallet("USDC"), house.wallet("WETH")) == (0, rest)


def test_not_liquidatable_to_the_last_unit() -> None:
    """At 4,950 there are 990 - 500 = 490 left; at 4,952 510.4; at a share of 0.9800% for 490, exactly enough."""
    house = house_with()
    assert looked_at(house, 4_950).liquidatable
    assert not looked_at(house, 4_952).liquidatable
    change(house, min_collateral_factor=factor("0.0098"))
    state = looked_at(house, 4_950)
    assert (state.remaining_usd, state.required_usd) == (490 * FLOAT, 490 * FLOAT)
    assert (state.liquidatable, state.reason) == (False, "")
    with refused(Reason.NOT_LIQUIDATABLE):
        liquidated(house, ALICE, prices(4_950))
    change(house, min_collateral_factor=factor("0.0098") + 1)
    assert looked_at(house, 4_950).liquidatable


@pytest.mark.parametrize(
    ("low", "params", "reason"),
    [
        (4_940, {}, "too little collateral for its size"),
        (4_900, {}, "nothing would be left of the collateral"),
        (4_902, {"min_collateral_factor": 0}, "less than the least collateral would be left"),
        (4_902, {}, "less than the least collateral would be left"),
    ],
)
def test_reasons(low: int, params: dict[str, int], reason: str) -> None:
    house = house_with()
    change(house, **params)
    assert looked_at(house, low).reason == reason


def test_the_numbers() -> None:
    """Fees count as if it were closed now; of impact, only what is a loss, up to its cap."""
    house = house_with(position_impact=STEEP)
    change(house, position_fee=FeeTier(factor("0.001"), factor("0.002")))
    state = looked_at(house, 4_980)
    assert (state.collateral_usd, state.pnl_usd) == (996 * FLOAT, -200 * FLOAT)
    assert state.impact_usd == 12_500_000 * FLOAT // 10**6 - ETH // 200 * 4_980 * 10**12
    assert state.cost_usd == 50 * ETH // 4_980 * 4_980 * 10**12
    assert state.remaining_usd == state.collateral_usd + state.pnl_usd + state.impact_usd - state.cost_usd
    change(house, max_negative_impact=factor("0.0001"))
    assert looked_at(house, 4_980).impact_usd == -5 * FLOAT


def test_shorts_too() -> None:
    house = stocked()
    opened(house, 50_000, 1_000 * USDC, is_long=False, collateral_token="USDC")
    key = PositionKey("alice", SYMBOL, "USDC", False)
    with refused(Reason.NOT_LIQUIDATABLE):
        liquidated(house, key, prices(5_050))
    assert liquidated(house, key, prices(5_051)).output_amount == 490 * USDC


def test_a_pool_that_is_off_is_no_shelter() -> None:
    house = house_with()
    pool_of(house).enabled = False
    with refused(Reason.DISABLED_MARKET):
        closed(house, 50_000, prices(4_940))
    assert liquidated(house, ALICE, prices(4_940)).remaining is None


def test_no_position() -> None:
    house = house_with()
    for key in (ALICE._replace(account="bob"), ALICE._replace(market="SOL-USD")):
        with refused(Reason.EMPTY_POSITION):
            liquidated(house, key, prices(4_940))


def test_a_referral_counts_here_too() -> None:
    house = house_with()
    change(house, position_fee=FeeTier(factor("0.001"), factor("0.001")))
    book = house.exchange.requests
    book.referral_codes["c"] = ReferralCode("carol", factor("0.2"), factor("0.5"))
    book.referred["alice"] = "c"
    charged = liquidated(house, ALICE, prices(4_940)).fees
    assert charged.discount == charged.affiliate_reward == charged.fee // 10
    assert house.held("WETH", affiliate(SYMBOL, "carol")) == charged.affiliate_reward
