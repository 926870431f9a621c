"""executeDeposit, box by box: the request and its fee (a, b, times, u, v), then the market's conditions (c to i)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.venue.exchange.requests.boxes import box
from tests.venue.exchange.requests.house import (
    BTC,
    ETH,
    FEE,
    FREE,
    IMPACT,
    KEEPER,
    POOL,
    SHARE,
    USDC,
    House,
    reason,
)
from venue.exchange.ledger import EXTERNAL, Move
from venue.exchange.pool.deposit import DepositReport
from venue.exchange.pool.state import DEAD
from venue.exchange.pool.units import FLOAT, factor
from venue.exchange.reasons import Reason
from venue.exchange.requests import commands, facts
from venue.exchange.requests.request import DEPOSIT_VAULT, Ending, Kind


def report(house: House, **changes: Any) -> DepositReport:
    (fact,) = house.executed(house.created(house.deposit(**changes)))
    assert isinstance(fact, facts.DepositExecuted), fact
    return fact.report


def cancelled(house: House, **changes: Any) -> str:
    """Why the deposit is cancelled; its tokens are all back, and the receiver has what the keeper left of the fee."""
    asked = house.deposit(receiver="bob", **changes)
    before = house.wallets()
    (fact,) = house.executed(house.created(asked))
    assert isinstance(fact, facts.RequestCancelled), fact
    paid, after = fact.receipt.fee_paid, house.wallets()
    assert 0 < paid < FEE
    for user, change in (("alice", -FEE), (asked.receiver, FEE - paid), (KEEPER, paid)):
        key = (f"wallet:{user}", "WETH")
        assert after.pop(key) == before.pop(key, 0) + change
    assert after == before
    assert not house.pending
    return fact.reason


@box("deposit.execute.a")
def test_a_keeper_with_too_small_a_budget_changes_nothing(house: House, box: str) -> None:
    named = house.created(house.deposit())
    enough = 1_200_000 + -(-2_050_000 * 64 // 63)
    assert house.refused(house.execution(named, units=enough - 1)) == Reason.INSUFFICIENT_WORK
    assert named[1] in house.pending
    house.executed(named, units=enough)


@box("deposit.execute.a")
def test_the_reserve_for_errors_covers_a_cancellation(house: House, box: str) -> None:
    table = house.exchange.requests.rules.work
    assert table.cancel_used <= table.error_reserve
    enough = table.error_reserve + -(-table.deposit_limit * 64 // 63)
    named = house.created(house.deposit(min_market_tokens=10**30))
    assert reason(house.executed(named, units=enough)) == Reason.MIN_MARKET_TOKENS


@box("deposit.execute.b")
def test_a_request_is_gone_before_its_effects_and_can_never_come_again(house: House, box: str) -> None:
    named = house.created(house.deposit())
    decided = house.execution(named)
    house.did(decided)
    assert not house.pending
    assert not house.exchange.requests.by_account
    ended = house.exchange.requests.ended[named[1]]
    assert (ended.ending, ended.by, ended.fee_paid) == (Ending.EXECUTED, KEEPER, 305_000_000_000_000)
    for again in (decided, house.execution(named, "special"), house.cancel(named), house.sweep(named)):
        assert house.refused(again) == Reason.EMPTY_DEPOSIT


@box("deposit.execute.b")
def test_a_key_that_is_not_there_or_of_another_kind_is_no_deposit(house: House, box: str) -> None:
    named = house.created(house.deposit())
    order = house.created(house.order())
    assert house.refused(house.execution((Kind.DEPOSIT, "0x00"))) == Reason.EMPTY_DEPOSIT
    assert house.refused(house.execution((Kind.DEPOSIT, order[1]))) == Reason.EMPTY_DEPOSIT
    assert house.refused(house.execution((Kind.ORDER, named[1]))) == Reason.EMPTY_ORDER
    assert house.refused(house.execution((Kind.WITHDRAWAL, named[1]))) == Reason.EMPTY_WITHDRAWAL


@box("deposit.execute.b")
def test_only_keepers_and_its_owner_execute_it(house: House, box: str) -> None:
    named = house.created(house.deposit())
    assert house.refused(house.execution(named, "bob")) == Reason.UNAUTHORIZED
    before = house.balance("alice", "WETH")
    house.executed(named, "alice")
    assert house.balance("alice", "WETH") == before + FEE


@box("deposit.execute.c")
def test_a_market_switched_off_meanwhile_cancels_and_a_feature_waits(house: House, box: str) -> None:
    named = house.created(house.deposit())
    house.did(commands.SwitchFeature("execute:deposit", False))
    assert house.refused(house.execution(named)) == Reason.DISABLED_FEATURE
    house.did(commands.SwitchFeature("execute:deposit", True))
    house.did(commands.SwitchPool(POOL, False))
    (fact,) = house.executed(named)
    assert isinstance(fact, facts.RequestCancelled)
    assert fact.reason == Reason.DISABLED_MARKET
    assert house.balance("alice", "USDC") == 50_000_000 * USDC


@box("deposit.execute.d")
def test_the_first_deposit_goes_to_nobody_and_asks_for_enough(box: str) -> None:
    house = House(replace(FREE, min_first_deposit=10 * SHARE))
    assert cancelled(house, min_market_tokens=10 * SHARE) == Reason.FIRST_DEPOSIT_RECEIVER
    few = house.deposit(receiver=DEAD, min_market_tokens=9 * SHARE)
    assert reason(house.executed(house.created(few))) == Reason.FIRST_DEPOSIT_MINIMUM
    assert house.supply() == 0
    assert report(house, receiver=DEAD, min_market_tokens=10 * SHARE).minted == 100_000 * SHARE
    assert house.balance(DEAD, f"MT:{POOL}") == 100_000 * SHARE
    assert report(house, long_amount=ETH + FEE, short_amount=5_000 * USDC).minted == 10_000 * SHARE
    assert house.refused(house.withdrawal(account=DEAD)) == Reason.UNAUTHORIZED


@box("deposit.execute.e")
def test_what_comes_in_counts_at_the_lower_end_of_its_price_and_the_pool_at_the_upper(box: str) -> None:
    house = House(FREE)
    house.spreads["WETH"] = "10"
    first, second = report(house).legs
    assert first.minted == 10 * 4_990 * SHARE
    assert second.pool_value_before == 10 * 5_010 * FLOAT
    assert second.minted == 49_900 * SHARE * 50_000 // 50_100


@box("deposit.execute.e")
@pytest.mark.parametrize(
    ("age_ms", "wait_ms", "code"),
    [
        (1, 0, Reason.PRICES_TOO_OLD),
        (1_000, 999, Reason.PRICES_TOO_OLD),
        (0, 300_001, Reason.PRICES_TOO_NEW),
        (1, 300_002, Reason.PRICES_TOO_NEW),
    ],
)
def test_prices_are_of_the_requests_own_time(house: House, age_ms: int, wait_ms: int, code: Reason, box: str) -> None:
    named = house.created(house.deposit())
    house.now_ms += wait_ms
    house.price_age_ms = age_ms
    assert house.refused(house.execution(named)) == code
    house.price_age_ms = max(0, wait_ms - 300_000)
    house.executed(named)


@box("deposit.execute.e")
def test_every_price_it_needs_must_be_there_and_be_one(house: House, box: str) -> None:
    named = house.created(house.deposit())
    weth, usdc = house.prices("WETH", "USDC")
    for brought, code in (
        ((weth,), Reason.MISSING_PRICE),
        ((), Reason.MISSING_PRICE),
        ((weth, usdc, usdc), Reason.BAD_PRICE),
        ((weth, replace(usdc, min=0)), Reason.BAD_PRICE),
        ((weth, replace(usdc, min=usdc.max + 1)), Reason.BAD_PRICE),
        ((weth, replace(usdc, timestamp_ms=house.now_ms - 1)), Reason.PRICES_TOO_OLD),
    ):
        assert house.refused(house.execution(named, prices=brought)) == code
    house.executed(named, prices=(weth, usdc))


@box("deposit.execute.f")
def test_the_position_impact_pool_goes_to_the_providers_with_time(box: str) -> None:
    house = House(replace(FREE, impact_distribution_per_second=10**15 * FLOAT, min_impact_pool=ETH // 5))
    report(house)
    pool = house.exchange.pools[POOL]
    pool.position_impact, pool.distributed_ms = ETH, 0
    first = report(house)
    assert (pool.position_impact, pool.distributed_ms) == (ETH, house.now_ms)
    assert first.legs[0].pool_value_before == (100_000 - 5_000) * FLOAT
    house.now_ms += 100_000
    assert report(house).legs[0].pool_value_before == (200_000 - 4_500) * FLOAT
    assert pool.position_impact == ETH * 9 // 10
    house.now_ms += 10_000_000
    report(house)
    assert pool.position_impact == ETH // 5


@box("deposit.execute.g")
@pytest.mark.parametrize(
    ("is_long", "edge", "beyond", "code"),
    [
        (True, "13333.33", "13333.34", Reason.PNL_FACTOR_LONGS),
        (False, "1875", "1874.99", Reason.PNL_FACTOR_SHORTS),
    ],
)
def test_nobody_joins_while_traders_are_owed_too_much(
    is_long: bool, edge: str, beyond: str, code: Reason, box: str
) -> None:
    house = House(replace(FREE, max_pnl_deposits=factor("0.5")))
    report(house)
    opening = house.order(size=40_000 * FLOAT, collateral=5_000 * USDC, is_long=is_long)
    house.executed(house.created(opening))
    house.usd["WETH"] = beyond
    assert cancelled(house) == code
    house.usd["WETH"] = edge
    assert report(house).minted > 0


@box("deposit.execute.h")
def test_each_side_is_swapped_into_the_pools_token_on_the_way_in(box: str) -> None:
    house = House(FREE)
    report(house)
    report(house, market="BTC-USD", long_token="WBTC", long_amount=BTC, native_sent=FEE)
    done = report(
        house, long_token="WBTC", long_amount=BTC // 10, long_path=("BTC-USD", POOL), short_amount=0, native_sent=FEE
    )
    assert (done.long_amount, done.short_amount) == (ETH, 0)
    assert [(hop.market, hop.token_in, hop.amount_out) for hop in done.hops] == [
        ("BTC-USD", "WBTC", 5_000 * USDC),
        (POOL, "USDC", ETH),
    ]
    assert done.minted == 5_000 * SHARE


@box("deposit.execute.h")
def test_what_arrives_must_be_the_pools_token(box: str) -> None:
    house = House(FREE)
    report(house)
    report(house, market="BTC-USD", long_token="WBTC", long_amount=BTC, native_sent=FEE)
    assert cancelled(house, long_token="WBTC", long_amount=BTC, native_sent=FEE) == Reason.SWAP_OUTPUT_TOKEN
    assert cancelled(house, short_token="WBTC", short_amount=BTC, short_path=(POOL,)) == Reason.INVALID_TOKEN
    assert cancelled(house, long_path=(POOL,), long_amount=5 * ETH + FEE) == Reason.SWAP_OUTPUT_TOKEN


@box("deposit.execute.i")
def test_the_middle_of_the_price_measures_the_imbalance(box: str) -> None:
    house = House(IMPACT)
    house.spreads["WETH"] = "10"
    done = report(house, short_amount=0)
    assert done.price_impact_usd == -25 * FLOAT
    assert done.legs[0].price_impact_amount == -25 * 10**18 // 4_990


@box("deposit.execute.i")
def test_a_swap_that_leaves_nothing_leaves_nothing_to_deposit(box: str) -> None:
    house = House(FREE)
    report(house, market="BTC-USD", long_token="WBTC", long_amount=BTC, native_sent=FEE)
    dust = {"long_token": "USDC", "long_amount": 1, "long_path": ("BTC-USD",), "short_amount": 0, "native_sent": FEE}
    assert cancelled(house, market="BTC-USD", **dust) == Reason.EMPTY_DEPOSIT_AFTER_SWAP


@box("deposit.execute.u")
def test_the_keeper_has_its_cost_and_the_receiver_the_rest(house: House, box: str) -> None:
    named = house.created(house.deposit(receiver="bob", execution_fee=5 * 10**14))
    bob = house.balance("bob", "WETH")
    (fact,) = house.executed(named)
    assert isinstance(fact, facts.DepositExecuted)
    assert (fact.receipt.fee_paid, fact.receipt.refund) == (305_000_000_000_000, 195_000_000_000_000)
    assert house.balance(KEEPER, "WETH") == 305_000_000_000_000
    assert house.balance("bob", "WETH") == bob + 195_000_000_000_000
    assert house.held("WETH", DEPOSIT_VAULT) == 0


@box("deposit.execute.u")
def test_the_keeper_never_has_more_than_the_fee(box: str) -> None:
    house = House()
    dear = replace(house.exchange.requests.rules.work, execute_base=10**9)
    house.exchange.requests.rules = replace(house.exchange.requests.rules, work=dear)
    (fact,) = house.executed(house.created(house.deposit()))
    assert isinstance(fact, facts.DepositExecuted)
    assert (fact.receipt.fee_paid, fact.receipt.refund) == (FEE, 0)


@box("deposit.execute.v")
def test_the_receiver_holds_what_was_minted_and_one_event_says_so(box: str) -> None:
    house = House(FREE)
    (fact,) = house.executed(house.created(house.deposit(receiver="bob")))
    assert isinstance(fact, facts.DepositExecuted)
    assert (fact.report.long_amount, fact.report.short_amount) == (10 * ETH, 50_000 * USDC)
    assert fact.report.minted == house.balance("bob", f"MT:{POOL}") == house.supply() == 100_000 * SHARE
    assert Move(EXTERNAL, "wallet:bob", 100_000 * SHARE, f"MT:{POOL}") in fact.changes.moves
    assert house.balance("alice", f"MT:{POOL}") == 0


@pytest.fixture
def house() -> House:
    return House()
