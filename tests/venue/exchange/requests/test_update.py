"""updateOrder: new terms for what waits for a price."""

from dataclasses import replace
from typing import Any

import pytest

from tests.venue.exchange.requests.house import ETH, FEE, POOL, SPECIAL, House
from tests.venue.exchange.requests.test_order_create import CREATABLE, LEAST_ORDER_FEE, ask, stored
from venue.exchange.pool.units import FLOAT
from venue.exchange.reasons import Reason
from venue.exchange.requests import commands, facts
from venue.exchange.requests.request import ORDER_VAULT, Kind, OrderType


@pytest.fixture
def house() -> House:
    return House().seeded()


def frozen(house: House) -> str:
    """The key of an order that an ordinary keeper has frozen."""
    asked = ask(house, OrderType.LIMIT_INCREASE, acceptable_price=4_990 * 10**12)
    named = house.created(asked)
    (fact,) = house.executed(named)
    assert isinstance(fact, facts.OrderFrozen)
    return named[1]


@pytest.mark.parametrize("kind", CREATABLE)
def test_only_orders_that_wait_can_be_changed(house: House, kind: OrderType) -> None:
    key = house.created(ask(house, kind))[1]
    if kind.is_market:
        assert house.refused(house.update(key, min_output=1)) == Reason.ORDER_NOT_UPDATABLE
    else:
        house.did(house.update(key, min_output=1))
        assert stored(house, key).min_output == 1


def test_new_terms_replace_the_old_and_the_order_is_young_again(house: House) -> None:
    key = house.created(ask(house, OrderType.LIMIT_DECREASE))[1]
    before, wallet = stored(house, key), house.balance("alice", "WETH")
    house.now_ms += 1_000
    changes: dict[str, Any] = {
        "size": 7 * FLOAT,
        "trigger_price": 8,
        "acceptable_price": 9,
        "min_output": 10,
        "valid_from_ms": 11,
        "auto_cancel": True,
    }
    house.did(house.update(key, **changes, fee_top_up=FEE))
    assert stored(house, key) == replace(before, **changes, execution_fee=2 * FEE, updated_ms=house.now_ms)
    assert house.balance("alice", "WETH") == wallet - FEE
    assert house.held("WETH", ORDER_VAULT) == 2 * FEE


def test_a_frozen_order_thaws_and_its_fee_has_to_be_brought_again(house: House) -> None:
    key = frozen(house)
    assert (stored(house, key).frozen, stored(house, key).execution_fee) == (True, 0)
    assert stored(house, key).frozen_reason.startswith(Reason.ACCEPTABLE_PRICE)
    assert house.refused(house.execution((Kind.ORDER, key))) == Reason.ORDER_FROZEN
    low = house.update(key, acceptable_price=None, fee_top_up=LEAST_ORDER_FEE - 1)
    assert house.refused(low) == Reason.INSUFFICIENT_EXECUTION_FEE
    house.now_ms += 1
    house.did(replace(low, fee_top_up=LEAST_ORDER_FEE, now_ms=house.now_ms))
    assert (stored(house, key).frozen, stored(house, key).frozen_reason) == (False, "")
    house.price_age_ms = 1
    assert house.refused(house.execution((Kind.ORDER, key))) == Reason.PRICES_TOO_OLD
    house.price_age_ms = 0
    house.executed((Kind.ORDER, key))
    assert house.position() is not None


def test_a_keeper_of_frozen_orders_may_try_again_for_nothing(house: House) -> None:
    key = frozen(house)
    assert house.refused(house.execution((Kind.ORDER, key), SPECIAL)) == Reason.ACCEPTABLE_PRICE
    house.usd["WETH"] = "4900"
    (fact,) = house.executed((Kind.ORDER, key), SPECIAL)
    assert isinstance(fact, facts.IncreaseExecuted)
    assert (fact.receipt.fee_paid, fact.receipt.refund) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"account": "bob"}, Reason.UNAUTHORIZED),
        ({"key": "0x00"}, Reason.EMPTY_ORDER),
        ({"size": -1}, Reason.BAD_AMOUNT),
        ({"min_output": -1}, Reason.BAD_AMOUNT),
        ({"fee_top_up": -1}, Reason.BAD_AMOUNT),
        ({"size": 0}, Reason.EMPTY_ORDER),
        ({"trigger_price": None}, Reason.BAD_PRICE),
        ({"trigger_price": 0}, Reason.BAD_PRICE),
    ],
)
def test_what_cannot_be_changed_into(house: House, changes: dict[str, Any], code: Reason) -> None:
    key = house.created(ask(house, OrderType.LIMIT_DECREASE))[1]
    assert house.refused(replace(house.update(key), **changes)) == code


def test_a_deposit_is_no_order(house: House) -> None:
    key = house.created(ask(house, OrderType.LIMIT_DECREASE))[1]
    deposit = house.created(house.deposit(market=POOL))[1]
    assert house.refused(replace(house.update(key), key=deposit)) == Reason.EMPTY_ORDER


def test_a_top_up_beyond_a_hundred_times_the_least_fee_is_not_taken(house: House) -> None:
    key = frozen(house)
    before = house.balance("alice", "WETH")
    house.did(house.update(key, fee_top_up=10**6 * ETH))
    assert stored(house, key).execution_fee == before - house.balance("alice", "WETH") == 100 * LEAST_ORDER_FEE


def test_a_top_up_comes_out_of_the_wallet(house: House) -> None:
    key = frozen(house)
    house.did(commands.Debit("alice", "WETH", house.balance("alice", "WETH")))
    assert house.refused(house.update(key, fee_top_up=FEE)) == Reason.INSUFFICIENT_BALANCE
