"""executeOrder, box by box: who may execute what and when (a to d), who is told and paid (g, h)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.venue.exchange.requests.boxes import box
from tests.venue.exchange.requests.house import (
    BTC,
    FEE,
    FREE,
    KEEPER,
    SPECIAL,
    USDC,
    House,
)
from tests.venue.exchange.requests.test_order_create import CREATABLE, WAITING, ask
from venue.exchange.ledger import Move
from venue.exchange.pool.units import FLOAT
from venue.exchange.reasons import Reason
from venue.exchange.requests import commands, facts
from venue.exchange.requests.facts import DecreaseExecuted, IncreaseExecuted, RequestCancelled, SwapExecuted
from venue.exchange.requests.request import ORDER_VAULT, Ending, Kind, OrderType

INDEX = 10**12
"""A whole USD per WETH, as a price."""


@pytest.fixture
def house() -> House:
    """Everything is free and WETH is at 5,000; the pool has 1,000 of it and five million USDC."""
    house = House(FREE).seeded()
    btc = house.deposit(market="BTC-USD", long_token="WBTC", long_amount=10 * BTC, native_sent=FEE)
    house.executed(house.created(replace(btc, short_amount=500_000 * USDC)))
    return house


def opened(house: House, **changes: Any) -> None:
    """One WETH long, or whatever else, at five times its collateral."""
    (fact,) = house.executed(house.created(house.order(**changes)))
    assert isinstance(fact, IncreaseExecuted)


@box("order.execute.a")
def test_only_stored_orders_and_only_by_keepers_or_their_owner(house: House, box: str) -> None:
    named = house.created(house.order())
    assert house.refused(house.execution((Kind.ORDER, "0x00"))) == Reason.EMPTY_ORDER
    assert house.refused(house.execution(named, "bob")) == Reason.UNAUTHORIZED
    house.executed(named, "alice")
    assert house.position() is not None


@box("order.execute.a")
@pytest.mark.parametrize("kind", CREATABLE)
def test_execution_of_each_type_can_be_switched_off(house: House, kind: OrderType, box: str) -> None:
    opened(house)
    named = house.created(ask(house, kind))
    house.did(commands.SwitchFeature(f"execute:{kind}", False))
    assert house.refused(house.execution(named, SPECIAL)) == Reason.DISABLED_FEATURE
    house.did(commands.SwitchFeature(f"execute:{kind}", True))
    house.executed(named, SPECIAL)
    assert house.exchange.requests.ended[named[1]].ending is Ending.EXECUTED


@box("order.execute.a")
@pytest.mark.parametrize("kind", WAITING)
def test_an_order_is_not_valid_before_its_time(house: House, kind: OrderType, box: str) -> None:
    opened(house)
    named = house.created(ask(house, kind, valid_from_ms=house.now_ms + 2))
    house.now_ms += 1
    assert house.refused(house.execution(named, SPECIAL)) == Reason.VALID_FROM
    house.now_ms += 1
    house.executed(named, SPECIAL)


@box("order.execute.a")
@pytest.mark.parametrize("kind", CREATABLE)
def test_prices_are_not_older_than_the_order_nor_newer_than_it_lives(house: House, kind: OrderType, box: str) -> None:
    opened(house)
    house.now_ms += 10
    named = house.created(ask(house, kind))
    house.price_age_ms = 1
    assert house.refused(house.execution(named, SPECIAL)) == Reason.PRICES_TOO_OLD
    house.now_ms += 300_002
    if kind.is_market:
        assert house.refused(house.execution(named, SPECIAL)) == Reason.PRICES_TOO_NEW
        house.price_age_ms = 2
    house.executed(named, SPECIAL)


@box("order.execute.a")
def test_a_curves_mark_is_of_now_and_so_must_be_the_order(house: House, box: str) -> None:
    named = house.created(house.curve_order())
    house.now_ms += 300_001
    assert house.refused(house.execution(named)) == Reason.PRICES_TOO_NEW
    house.now_ms -= 1
    house.executed(named)
    assert len(house.exchange.open_positions) == 1


@box("order.execute.a")
@pytest.mark.parametrize("kind", [OrderType.LIMIT_DECREASE, OrderType.STOP_LOSS_DECREASE])
def test_a_triggered_decrease_needs_a_price_after_the_last_increase(house: House, kind: OrderType, box: str) -> None:
    opened(house)
    named = house.created(ask(house, kind))
    market = house.created(ask(house, OrderType.MARKET_DECREASE, size=FLOAT))
    house.now_ms += 100
    opened(house)
    house.price_age_ms = 1
    assert house.refused(house.execution(named)) == Reason.PRICES_TOO_OLD
    house.executed(market)
    house.price_age_ms = 0
    house.executed(named)


@box("order.execute.a")
def test_limit_swaps_are_for_keepers_of_frozen_orders(house: House, box: str) -> None:
    named = house.created(ask(house, OrderType.LIMIT_SWAP))
    for somebody in (KEEPER, "alice"):
        assert house.refused(house.execution(named, somebody)) == Reason.UNAUTHORIZED
    house.executed(named, SPECIAL)


@box("order.execute.b")
@pytest.mark.parametrize(
    ("kind", "is_long", "waits", "fires"),
    [
        (OrderType.LIMIT_INCREASE, True, "4999.01", "4999"),
        (OrderType.LIMIT_INCREASE, False, "5000.99", "5001"),
        (OrderType.STOP_INCREASE, True, "4998.99", "4999"),
        (OrderType.STOP_INCREASE, False, "5001.01", "5001"),
        (OrderType.LIMIT_DECREASE, True, "5000.99", "5001"),
        (OrderType.LIMIT_DECREASE, False, "4999.01", "4999"),
        (OrderType.STOP_LOSS_DECREASE, True, "5001.01", "5001"),
        (OrderType.STOP_LOSS_DECREASE, False, "4998.99", "4999"),
    ],
)
def test_an_order_waits_for_its_end_of_the_price(
    house: House, kind: OrderType, is_long: bool, waits: str, fires: str, box: str
) -> None:
    opened(house, is_long=is_long)
    house.spreads["WETH"] = "1"
    named = house.created(ask(house, kind, is_long=is_long))
    house.usd["WETH"] = waits
    assert house.refused(house.execution(named)) == Reason.TRIGGER_NOT_MET
    assert named[1] in house.pending
    house.usd["WETH"] = fires
    house.executed(named)
    assert house.exchange.requests.ended[named[1]].ending is Ending.EXECUTED


@box("order.execute.c")
@pytest.mark.parametrize("kind", CREATABLE)
def test_an_order_is_executed_once(house: House, kind: OrderType, box: str) -> None:
    opened(house)
    named = house.created(ask(house, kind))
    again = house.execution(named, SPECIAL)
    house.did(again)
    assert not house.pending
    assert not house.exchange.requests.by_account
    for late in (again, house.cancel(named), house.sweep(named), house.execution(named, "alice")):
        assert house.refused(late) == Reason.EMPTY_ORDER


@box("order.execute.d")
@pytest.mark.parametrize("kind", CREATABLE)
def test_the_budget_must_cover_the_estimate_beside_the_reserve(house: House, kind: OrderType, box: str) -> None:
    opened(house)
    named = house.created(ask(house, kind))
    units = 4_400_000 if kind.is_swap else 3_900_000
    enough = 1_200_000 + -(-units * 64 // 63)
    assert house.refused(house.execution(named, SPECIAL, units=enough - 1)) == Reason.INSUFFICIENT_WORK
    assert house.refused(house.execution(named, SPECIAL, units=0)) == Reason.INSUFFICIENT_WORK
    house.executed(named, SPECIAL, units=enough)


@box("order.execute.g")
def test_a_callback_is_told_if_there_is_work_left_for_it(house: House, box: str) -> None:
    asked = house.order(callback="log", callback_units=500_000)
    facts_of_rich = house.executed(house.created(asked))
    assert isinstance(facts_of_rich[0], IncreaseExecuted)
    assert (facts_of_rich[0].receipt.callback, facts_of_rich[0].receipt.callback_units) == ("log", 500_000)
    units = house.exchange.requests.rules.work
    house.exchange.requests.rules = replace(house.exchange.requests.rules, work=replace(units, increase_used=10**7))
    (poor,) = house.executed(house.created(asked), units=1_200_000 + 10**7 + 500_000)
    assert isinstance(poor, IncreaseExecuted)
    assert poor.receipt.callback == ""
    (cancelled,) = house.executed(house.created(replace(asked, acceptable_price=1)))
    assert isinstance(cancelled, RequestCancelled)
    assert cancelled.receipt.callback == "log"


@box("order.execute.g")
def test_without_a_callback_nobody_is_told(house: House, box: str) -> None:
    (fact,) = house.executed(house.created(house.order()))
    assert isinstance(fact, IncreaseExecuted)
    assert fact.receipt.callback == ""


@box("order.execute.h")
@pytest.mark.parametrize("kind", CREATABLE)
def test_the_keeper_is_paid_and_the_receiver_has_the_rest(house: House, kind: OrderType, box: str) -> None:
    opened(house)
    named = house.created(ask(house, kind, receiver="carol"))
    keeper = house.balance(SPECIAL, "WETH")
    fact = house.executed(named, SPECIAL)[0]
    assert isinstance(fact, SwapExecuted | IncreaseExecuted | DecreaseExecuted)
    units = 1_900_000 + 600_000 + 250_000 if kind.is_swap else 2_400_000
    paid = (600_000 + 3 * 250_000 + units) * 10**8
    assert (fact.receipt.fee_paid, fact.receipt.refund) == (paid, FEE - paid)
    assert house.balance(SPECIAL, "WETH") == keeper + paid
    assert Move(ORDER_VAULT, "wallet:carol", FEE - paid, "WETH") in fact.changes.moves


@box("order.execute.h")
def test_a_liquidation_costs_no_execution_fee(house: House, box: str) -> None:
    opened(house)
    house.usd["WETH"] = "4000"
    held = house.position()
    assert held is not None
    native = {each: house.balance(each, "WETH") for each in (KEEPER, "alice")}
    fact = house.did(commands.LiquidatePoolPosition(held.key, KEEPER, house.prices(), house.now_ms))[0]
    assert isinstance(fact, facts.PoolPositionLiquidated)
    assert {each: house.balance(each, "WETH") for each in native} == native
    assert house.position() is None


@box("order.execute.h")
def test_only_keepers_liquidate_and_only_at_prices_after_the_last_change(house: House, box: str) -> None:
    opened(house)
    held = house.position()
    assert held is not None
    attempt = commands.LiquidatePoolPosition(held.key, KEEPER, house.prices(), house.now_ms)
    assert house.refused(attempt) == Reason.NOT_LIQUIDATABLE
    house.usd["WETH"] = "4000"
    assert house.refused(replace(attempt, keeper="alice", prices=house.prices())) == Reason.UNAUTHORIZED
    stale = tuple(replace(price, timestamp_ms=held.increased_ms - 1) for price in house.prices())
    assert house.refused(replace(attempt, prices=stale)) == Reason.PRICES_TOO_OLD
    house.did(replace(attempt, prices=house.prices()))
    assert house.refused(replace(attempt, prices=house.prices())) == Reason.EMPTY_POSITION
