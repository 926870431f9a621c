"""What time does: borrowing adds up, and the position impact pool goes to the providers."""

import pytest

from tests.venue.exchange.pool.house import ETH, SYMBOL, USDC, House, prices
from tests.venue.exchange.pool.trades import (
    ALICE,
    change,
    closed,
    deposited,
    liquidated,
    opened,
    pool_of,
    position,
    stocked,
)
from venue.exchange.draft import Draft
from venue.exchange.pool.accrue import accrue, pending_borrowing
from venue.exchange.pool.fees import borrowing_usd
from venue.exchange.pool.units import FLOAT, factor
from venue.exchange.pool.value import pool_value

RATE = factor("0.000001")


def borrowed() -> House:
    """A tenth of the liquidity is reserved for 500,000 USD; a tenth of 1e-6 per second."""
    house = stocked(borrowing_per_second=RATE)
    opened(house, 500_000, 10 * ETH)
    return house


def waited(house: House, ms: int) -> None:
    house.now_ms += ms
    house.run(lambda draft: accrue(draft, draft.pool(SYMBOL), prices()))


def worth(house: House, maximize: bool = True) -> int:
    draft = Draft(house.exchange, house.now_ms)
    return pool_value(draft, draft.pool(SYMBOL), prices(), FLOAT, maximize)


def test_the_first_time_only_stamps() -> None:
    house = stocked(borrowing_per_second=RATE, impact_distribution_per_second=FLOAT)
    pool_of(house).position_impact = ETH
    house.now_ms = 10**12
    waited(house, 0)
    pool = pool_of(house)
    assert (pool.position_impact, pool.long_interest.borrowing) == (ETH, 0)
    assert (pool.distributed_ms, pool.borrowed_ms) == (10**12, 10**12)


def test_borrowing_is_the_reserved_share_by_rate_and_time() -> None:
    house = borrowed()
    waited(house, 100_000)
    assert pool_of(house).long_interest.borrowing == factor("0.00001")
    assert pool_of(house).short_interest.borrowing == 0
    draft = Draft(house.exchange, house.now_ms)
    assert borrowing_usd(draft.pool(SYMBOL), position(house)) == 5 * FLOAT


def test_time_in_parts_is_time() -> None:
    whole, parts = borrowed(), borrowed()
    waited(whole, 86_400_007)
    for ms in (1, 6, 400_000, 0, 86_000_000):
        waited(parts, ms)
    a, b = (pool_of(house).long_interest.borrowing for house in (whole, parts))
    assert 0 <= a - b <= 4


def test_time_never_runs_back() -> None:
    house = borrowed()
    waited(house, 100_000)
    before = pool_of(house).long_interest
    waited(house, -50_000)
    assert pool_of(house).long_interest == before
    assert pool_of(house).borrowed_ms == 101_000


def test_without_liquidity_or_rate_nothing_adds_up() -> None:
    house = stocked()
    opened(house, 500_000, 10 * ETH)
    waited(house, 100_000)
    assert pool_of(house).long_interest.borrowing == 0
    house = borrowed()
    house.run(lambda draft: draft.pay("WETH", f"pool:{SYMBOL}", "wallet:bob", 1_000 * ETH))
    waited(house, 100_000)
    assert pool_of(house).long_interest.borrowing == 0


def test_the_fee_is_split_and_the_providers_part_counts_before_it_is_paid() -> None:
    house = borrowed()
    before = worth(house)
    house.now_ms += 100_000
    assert worth(house) == before + 5 * FLOAT * 63 // 100
    report = closed(house, 250_000)
    assert report.fees.borrowing == ETH // 1_000
    assert (report.fees.to_receiver, report.fees.to_pool) == (37 * ETH // 10**5, 63 * ETH // 10**5)
    assert position(house).borrowing == pool_of(house).long_interest.borrowing == factor("0.00001")
    assert worth(house) == before + 5 * FLOAT * 63 // 100
    assert closed(house, 250_000).fees.borrowing == 0


def test_each_pays_for_its_own_time() -> None:
    house = borrowed()
    house.now_ms += 100_000
    opened(house, 500_000, 50_000 * USDC, account="bob", collateral_token="USDC")
    house.now_ms += 100_000
    assert closed(house, 500_000, account="bob", collateral_token="USDC").fees.borrowing == 10 * USDC
    assert closed(house, 500_000).fees.borrowing == 15 * ETH // 5_000


def test_what_a_side_owes_is_the_sum_of_its_positions_rounded_down() -> None:
    house = borrowed()
    for number, ms in enumerate((12_345, 999, 77_777)):
        house.now_ms += ms
        opened(house, 10_000 + number, ETH, account=f"a{number}")
    waited(house, 54_321)
    pool = pool_of(house)
    owed = [borrowing_usd(pool, each) for each in house.exchange.pool_positions.values()]
    total = pending_borrowing(pool.long_interest, pool.long_interest.borrowing)
    assert sum(owed) - len(owed) <= total <= sum(owed)
    for key in list(house.exchange.pool_positions):
        closed(house, 0, account=key.account, size=position(house, key).size)
    assert pending_borrowing(pool.long_interest, pool.long_interest.borrowing) == 0
    assert pool.long_interest.borrowed == 0


def test_borrowing_alone_may_liquidate() -> None:
    house = borrowed()
    house.now_ms += 10**9
    report = liquidated(house, ALICE, prices())
    assert report.fees.borrowing == 10 * ETH
    assert (report.insolvent_step, report.output_amount) == ("", 0)


def distributing(least: int = 0) -> House:
    house = stocked(impact_distribution_per_second=ETH // 1_000 * FLOAT, min_impact_pool=least)
    waited(house, 0)
    pool_of(house).position_impact = ETH
    return house


@pytest.mark.parametrize(
    ("least", "ms", "left"),
    [
        (0, 1, ETH - ETH // 10**6),
        (0, 250_000, 3 * ETH // 4),
        (0, 2_000_000, 0),
        (ETH // 2, 600_000, ETH // 2),
        (ETH, 600_000, ETH),
        (2 * ETH, 600_000, ETH),
    ],
)
def test_the_impact_pool_is_given_away_down_to_its_least(least: int, ms: int, left: int) -> None:
    house = distributing(least)
    waited(house, ms)
    assert pool_of(house).position_impact == left


def test_the_providers_worth_rises_with_it_also_before_anybody_stamps() -> None:
    house = distributing()
    before = worth(house)
    house.now_ms += 100_000
    assert worth(house) == before + 500 * FLOAT
    waited(house, 0)
    assert worth(house) == before + 500 * FLOAT


def test_a_deposit_brings_the_pool_to_its_time() -> None:
    house = distributing()
    house.now_ms += 100_000
    deposited(house, ETH)
    pool = pool_of(house)
    assert (pool.position_impact, pool.distributed_ms) == (9 * ETH // 10, 101_000)
    change(house, impact_distribution_per_second=0)
    waited(house, 100_000)
    assert pool.position_impact == 9 * ETH // 10


def test_parts_of_the_smallest_unit_are_not_given() -> None:
    house = stocked(impact_distribution_per_second=FLOAT, borrowing_per_second=1)
    opened(house, 500_000, 10 * ETH)
    pool_of(house).position_impact = 10
    waited(house, 1_999)
    assert (pool_of(house).position_impact, pool_of(house).long_interest.borrowing) == (9, 0)
