"""executeDeposit, box by box: impact, fees and what is minted (j to t), to the last unit."""

from dataclasses import replace
from typing import Any

import pytest

from tests.venue.exchange.requests.boxes import box
from tests.venue.exchange.requests.house import ETH, FEE, FREE, IMPACT, POOL, SHARE, USDC, House, reason
from tests.venue.exchange.requests.test_deposit_execute import cancelled, report
from venue.exchange.ledger import EXTERNAL, Move
from venue.exchange.pool.params import ImpactParams, PoolParams
from venue.exchange.pool.units import FLOAT, factor
from venue.exchange.reasons import Reason
from venue.exchange.requests import commands

LONG_ONLY: dict[str, Any] = {"short_amount": 0}
SHORT_ONLY: dict[str, Any] = {"long_amount": 0, "native_sent": FEE}


def held(house: House, token: str) -> tuple[int, int]:
    """What lies in the liquidity and in the swap impact pool."""
    return house.held(token, f"pool:{POOL}"), house.held(token, f"impact:{POOL}")


@box("deposit.execute.j")
def test_impact_of_making_the_balance_worse_better_and_of_crossing_it(box: str) -> None:
    house = House(IMPACT)
    worse = report(house, **LONG_ONLY)
    assert (worse.price_impact_usd, worse.balance_improved) == (-25 * FLOAT, False)
    better = report(house, **SHORT_ONLY, short_amount=40_000 * USDC)
    assert (better.price_impact_usd, better.balance_improved) == (11_990_000_000_000 * FLOAT // 10**12, True)
    crossing = House(IMPACT)
    report(crossing, **LONG_ONLY)
    over = report(crossing, **SHORT_ONLY, short_amount=100_000 * USDC)
    assert over.price_impact_usd == -12_537_503_125 * FLOAT // 10**9
    assert not over.balance_improved
    assert over.minted == 99_987_462_496 * SHARE // 10**6


@box("deposit.execute.j")
def test_the_impact_is_split_by_what_each_side_is_worth(box: str) -> None:
    done = report(House(IMPACT), short_amount=10_000 * USDC)
    assert done.price_impact_usd == -16 * FLOAT
    whole = 16 * FLOAT
    assert [leg.price_impact_usd for leg in done.legs] == [-(whole * 5 // 6), -(whole // 6)]


@box("deposit.execute.k")
def test_the_short_leg_sees_what_the_long_leg_left(box: str) -> None:
    first, second = report(House(FREE)).legs
    assert (first.token, first.pool_value_before, first.supply_before, first.minted) == ("WETH", 0, 0, 50_000 * SHARE)
    assert (second.token, second.pool_value_before, second.supply_before) == ("USDC", 50_000 * FLOAT, 50_000 * SHARE)
    assert [leg.token for leg in report(House(FREE), **LONG_ONLY).legs] == ["WETH"]
    assert [leg.token for leg in report(House(FREE), **SHORT_ONLY).legs] == ["USDC"]


@box("deposit.execute.l")
def test_fees_go_by_whether_the_balance_improved(box: str) -> None:
    house = House(replace(PoolParams(), swap_impact=ImpactParams(0, 0)))
    (worse,) = report(house, **LONG_ONLY).legs
    assert (worse.fee_to_receiver, worse.fee_to_pool) == (2_590_000_000_000_000, 4_410_000_000_000_000)
    assert worse.minted == 9_993 * 5_000 * SHARE // 1_000
    (better,) = report(house, **SHORT_ONLY, short_amount=40_000 * USDC).legs
    assert (better.fee_to_receiver, better.fee_to_pool) == (7_400_000, 12_600_000)
    assert held(house, "WETH") == (10 * ETH - 2_590_000_000_000_000, 0)
    assert held(house, "USDC") == (40_000 * USDC - 7_400_000, 0)


@box("deposit.execute.m")
def test_the_receivers_share_of_fees_adds_up_and_can_be_claimed(box: str) -> None:
    house = House()
    for _ in range(2):
        report(house, **LONG_ONLY)
    assert house.held("WETH", f"fees:{POOL}") == 2 * 2_590_000_000_000_000
    house.did(commands.Claim("treasury", POOL, "fees"))
    assert house.balance("treasury", "WETH") == 2 * 2_590_000_000_000_000
    assert house.held("WETH", f"fees:{POOL}") == 0


@box("deposit.execute.n", "deposit.execute.o")
def test_traders_profit_is_not_the_providers_and_the_share_is_of_the_rest(box: str) -> None:
    house = House(FREE)
    report(house)
    house.executed(house.created(house.order(size=40_000 * FLOAT, collateral=5_000 * USDC)))
    house.usd["WETH"] = "5500"
    (leg,) = report(house, **SHORT_ONLY, short_amount=10_100 * USDC).legs
    assert leg.pool_value_before == (10 * 5_500 + 50_000 - 8 * 500) * FLOAT
    assert leg.supply_before == 100_000 * SHARE
    assert leg.minted == 10_000 * SHARE


@box("deposit.execute.n")
def test_market_tokens_with_nothing_behind_them_take_no_deposit(box: str) -> None:
    house = House(FREE)
    report(house)
    house.exchange.pools[POOL].position_impact = 20 * ETH
    assert cancelled(house) == Reason.POOL_VALUE_DEPOSIT
    house.exchange.pools[POOL].position_impact = 20 * ETH + 1
    assert cancelled(house) == Reason.POOL_VALUE_DEPOSIT


@box("deposit.execute.o")
def test_the_supply_is_what_all_holders_hold(box: str) -> None:
    house = House(FREE)
    report(house)
    report(house, receiver="bob", **LONG_ONLY)
    assert report(house).legs[0].supply_before == 150_000 * SHARE == house.balance("bob", f"MT:{POOL}") * 3
    house.executed(house.created(house.withdrawal(amount=200_000 * SHARE)))
    assert house.supply() == 50_000 * SHARE == report(house).legs[0].supply_before


@box("deposit.execute.p")
def test_balancing_earns_tokens_of_the_opposite_kind_for_the_pool(box: str) -> None:
    house = House(IMPACT)
    report(house, **LONG_ONLY)
    (leg,) = report(house, **SHORT_ONLY, short_amount=40_000 * USDC).legs
    assert leg.price_impact_amount == 2_398_000_000_000_000
    assert leg.minted == 4_001_199 * SHARE // 100
    assert held(house, "WETH") == (9_997_398_000_000_000_000, 2_602_000_000_000_000)
    assert held(house, "USDC") == (40_000 * USDC, 0)


@box("deposit.execute.p")
def test_the_bonus_is_what_the_impact_pool_has_at_most(box: str) -> None:
    house = House(IMPACT)
    report(house, **LONG_ONLY)
    drained = house.exchange.tokens["WETH"]
    drained.apply((Move(f"impact:{POOL}", f"pool:{POOL}", 4_000_000_000_000_000, "WETH"),))
    (leg,) = report(house, **SHORT_ONLY, short_amount=40_000 * USDC).legs
    assert leg.price_impact_amount == 1_000_000_000_000_000
    assert held(house, "WETH")[1] == 0


@box("deposit.execute.p")
@pytest.mark.parametrize(("more", "fits"), [(2_398_000_000_000_000, True), (2_397_999_999_999_999, False)])
def test_the_bonus_keeps_to_the_pools_cap_too(more: int, fits: bool, box: str) -> None:
    house = House(replace(IMPACT, max_pool_amount=9_995 * ETH // 1_000 + more))
    report(house, **LONG_ONLY)
    named = house.created(house.deposit(**SHORT_ONLY, short_amount=40_000 * USDC))
    assert reason(house.executed(named)) == ("" if fits else Reason.MAX_POOL_AMOUNT)


@box("deposit.execute.p")
def test_the_first_of_all_deposits_earns_no_bonus(box: str) -> None:
    house = House(IMPACT)
    found = Move(EXTERNAL, f"pool:{POOL}", 10 * ETH, "WETH"), Move(EXTERNAL, f"impact:{POOL}", ETH, "WETH")
    house.exchange.tokens["WETH"].apply(found)
    done = report(house, **SHORT_ONLY)
    assert done.price_impact_usd > 0
    assert (done.legs[0].price_impact_usd, done.legs[0].price_impact_amount) == (0, 0)
    assert done.minted == 100_000 * SHARE


@box("deposit.execute.q")
def test_market_tokens_are_minted_by_value_and_the_rest_is_rounded_down(box: str) -> None:
    house = House(FREE)
    assert report(house).minted == 100_000 * SHARE
    assert report(house, long_amount=ETH + FEE, short_amount=5_000 * USDC).minted == 10_000 * SHARE
    house.usd["WETH"] = "7000"
    value, supply = 11 * 7_000 + 55_000, 110_000 * SHARE
    assert report(house, **LONG_ONLY, long_amount=3 * ETH + FEE).minted == supply * 21_000 // value
    assert held(house, "WETH") == (14 * ETH, 0)


@box("deposit.execute.r")
def test_fewer_than_the_least_cancels_it_whole(box: str) -> None:
    house = House(FREE)
    assert cancelled(house, min_market_tokens=100_000 * SHARE + 1) == Reason.MIN_MARKET_TOKENS
    assert (house.supply(), held(house, "WETH")) == (0, (0, 0))
    assert report(house, min_market_tokens=100_000 * SHARE).minted == 100_000 * SHARE


@box("deposit.execute.s")
def test_unbalancing_leaves_tokens_in_the_impact_pool_and_mints_less(box: str) -> None:
    house = House(IMPACT)
    (leg,) = report(house, **LONG_ONLY).legs
    assert leg.price_impact_amount == -5_000_000_000_000_000
    assert leg.minted == 49_975 * SHARE
    assert held(house, "WETH") == (9_995_000_000_000_000_000, 5_000_000_000_000_000)


@box("deposit.execute.s")
def test_an_impact_larger_than_the_deposit_cancels_it(box: str) -> None:
    house = House(replace(FREE, swap_impact=ImpactParams(0, factor("0.00002"))))
    assert report(house, **LONG_ONLY).minted == 0
    steep = House(replace(FREE, swap_impact=ImpactParams(0, factor("0.0000201"))))
    assert cancelled(steep, **LONG_ONLY) == Reason.DEPOSIT_IMPACT_EXCEEDS_AMOUNT


@box("deposit.execute.t")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"max_pool_amount": 10 * ETH}, Reason.MAX_POOL_AMOUNT),
        ({"max_pool_usd_for_deposit": 50_000 * FLOAT}, Reason.MAX_POOL_USD),
    ],
)
def test_a_pool_takes_no_more_than_its_caps(changes: dict[str, Any], code: Reason, box: str) -> None:
    house = House(replace(FREE, **changes))
    assert cancelled(house, long_amount=10 * ETH + 1 + FEE) == code
    assert report(house).minted == 100_000 * SHARE
    assert cancelled(house, **LONG_ONLY, long_amount=1 + FEE) == code


@box("deposit.execute.t")
def test_every_token_is_accounted_for_afterwards(box: str) -> None:
    house = House()
    outside = house.held("WETH", EXTERNAL), house.held("USDC", EXTERNAL)
    report(house, **LONG_ONLY)
    report(house, **SHORT_ONLY, short_amount=49_000 * USDC)
    assert (house.held("WETH", EXTERNAL), house.held("USDC", EXTERNAL)) == outside
    for token, amount in (("WETH", 10 * ETH), ("USDC", 49_000 * USDC)):
        assert sum(held(house, token)) + house.held(token, f"fees:{POOL}") == amount
