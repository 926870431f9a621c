"""Orders on a vAMM market: the same two steps, and collateral that ends up in the clearinghouse."""

from typing import Any

import pytest

from tests.venue.exchange.requests.boxes import box
from tests.venue.exchange.requests.house import CURVE, FEE, KEEPER, House, reason
from venue.exchange import commands as clearing
from venue.exchange.fixed import wad
from venue.exchange.ledger import TRADE_FUND
from venue.exchange.reasons import Reason
from venue.exchange.requests import commands, facts
from venue.exchange.requests.request import ORDER_VAULT, Ending, OrderType


@pytest.fixture
def house() -> House:
    return House().seeded()


def opened(house: House) -> int:
    house.executed(house.created(house.curve_order(client_id="open")))
    return house.exchange.fills["open"].position_id


@box("order.execute.i")
def test_the_margin_leaves_the_vault_for_the_clearinghouse(house: House, box: str) -> None:
    funds = house.exchange.ledger[TRADE_FUND]
    named = house.created(house.curve_order(client_id="o"))
    assert house.exchange.ledger[ORDER_VAULT] == wad(1_000)
    executed, _ = house.executed(named)
    assert isinstance(executed, facts.CurveOrderExecuted)
    assert house.exchange.ledger[ORDER_VAULT] == 0
    held = house.exchange.open_positions[house.exchange.fills["o"].position_id]
    assert house.exchange.ledger[TRADE_FUND] - funds == held.margin
    assert held.user_id == "alice"
    assert held.entry_notional * 10**18 // held.margin == wad(10)


def test_an_order_executes_once_and_who_comes_second_hears_so(house: House) -> None:
    named = house.created(house.curve_order())
    house.executed(named)
    assert house.refused(house.execution(named, "special")) == Reason.EMPTY_ORDER


def test_growing_names_the_position_and_only_its_owner_may(house: House) -> None:
    number = opened(house)
    house.executed(house.created(house.curve_order(position_id=number)))
    assert len(house.exchange.open_positions) == 1
    strangers = house.curve_order(account="bob", receiver="bob", position_id=number)
    assert reason(house.executed(house.created(strangers))) == Reason.EMPTY_POSITION


@pytest.mark.parametrize(("share", "left"), [(1, 0), (2, 1)])
def test_a_decrease_pays_the_owner(house: House, share: int, left: int) -> None:
    number = opened(house)
    before = house.exchange.ledger["wallet:alice"]
    size = house.exchange.open_positions[number].entry_notional // share
    named = house.created(house.curve_order(OrderType.MARKET_DECREASE, size=size, position_id=number))
    house.executed(named)
    assert len(house.exchange.open_positions) == left
    assert house.exchange.ledger["wallet:alice"] > before


def test_more_than_the_position_is_refused_for_market_orders_and_capped_for_others(house: House) -> None:
    number = opened(house)
    much = house.exchange.open_positions[number].entry_notional * 2
    asked = house.curve_order(OrderType.MARKET_DECREASE, size=much, position_id=number)
    assert reason(house.executed(house.created(asked))) == Reason.DECREASE_SIZE
    low = wad(1)
    capped = house.curve_order(OrderType.LIMIT_DECREASE, size=much, position_id=number, trigger_price=low)
    house.executed(house.created(capped))
    assert not house.exchange.open_positions


def test_triggers_act_on_the_mark(house: House) -> None:
    mark = house.exchange.markets[CURVE].mark
    named = house.created(house.curve_order(OrderType.LIMIT_INCREASE, trigger_price=mark - 1))
    assert house.refused(house.execution(named)) == Reason.TRIGGER_NOT_MET
    house.executed(house.created(house.curve_order(is_long=False)))
    house.executed(named)
    assert len(house.exchange.open_positions) == 2


def test_a_worse_average_price_cancels_a_market_order_and_freezes_a_limit_order(house: House) -> None:
    mark = house.exchange.markets[CURVE].mark
    wallet = house.exchange.ledger["wallet:alice"]
    market = house.created(house.curve_order(acceptable_price=mark))
    assert reason(house.executed(market)) == Reason.ACCEPTABLE_PRICE
    assert house.exchange.ledger["wallet:alice"] == wallet
    limit = house.created(
        house.curve_order(OrderType.LIMIT_INCREASE, trigger_price=mark + wad(100), acceptable_price=mark)
    )
    (frozen,) = house.executed(limit)
    assert isinstance(frozen, facts.OrderFrozen)
    assert house.exchange.ledger[ORDER_VAULT] == wad(1_000)
    assert house.exchange.requests.pending[limit[1]].execution_fee == 0


def test_too_much_leverage_is_a_size_that_can_never_be_right(house: House) -> None:
    mark = house.exchange.markets[CURVE].mark
    order = house.curve_order(OrderType.LIMIT_INCREASE, size=wad(50_000), trigger_price=mark + 1)
    (cancelled,) = house.executed(house.created(order))
    assert isinstance(cancelled, facts.RequestCancelled)
    assert cancelled.reason == Reason.POSITION_SIZE


def test_the_clearinghouses_own_refusals_keep_their_names(house: House) -> None:
    order = house.curve_order(collateral=wad(50_000), size=wad(1_000_000))
    assert reason(house.executed(house.created(order))) == "PRICE_MOVE_LIMIT"


def test_a_liquidated_position_takes_its_auto_cancel_orders_with_it(house: House) -> None:
    number = opened(house)
    order = house.curve_order(
        OrderType.STOP_LOSS_DECREASE, position_id=number, trigger_price=wad(1), auto_cancel=True, size=wad(10)
    )
    named = house.created(order)
    assert house.refused(commands.SweepRequest(*named, KEEPER, house.now_ms)) == Reason.NOT_EXPIRED
    house.did(clearing.ClosePosition(user="alice", position_id=number))
    house.did(commands.SweepRequest(*named, KEEPER, house.now_ms))
    ended = house.exchange.requests.ended[named[1]]
    assert (ended.ending, ended.reason) == (Ending.CANCELLED, Reason.AUTO_CANCEL)


def test_a_close_takes_them_in_the_same_step(house: House) -> None:
    number = opened(house)
    waiting = [
        house.created(
            house.curve_order(
                OrderType.STOP_LOSS_DECREASE, position_id=number, trigger_price=wad(1), auto_cancel=True, size=wad(10)
            )
        )
        for _ in range(6)
    ]
    one_more = house.curve_order(
        OrderType.LIMIT_DECREASE, position_id=number, trigger_price=wad(9_000), auto_cancel=True, size=wad(10)
    )
    assert house.refused(one_more) == Reason.MAX_AUTO_CANCEL
    fees = house.balance("alice", "WETH")
    size = house.exchange.open_positions[number].entry_notional
    house.executed(house.created(house.curve_order(OrderType.MARKET_DECREASE, size=size, position_id=number)))
    assert not house.exchange.requests.pending
    assert {house.exchange.requests.ended[key].reason for _, key in waiting} == {Reason.AUTO_CANCEL}
    assert house.balance("alice", "WETH") > fees + 6 * FEE - FEE


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"collateral_token": "USDC"}, Reason.INVALID_COLLATERAL),
        ({"path": ("ETH-USD",)}, Reason.INVALID_COLLATERAL),
        ({"receiver": "bob"}, Reason.INVALID_RECEIVER),
        ({"size": 0}, Reason.EMPTY_ORDER),
        ({"collateral": wad(2_000_000)}, Reason.INSUFFICIENT_BALANCE),
        ({"market": "DOGE"}, Reason.EMPTY_MARKET),
    ],
)
def test_what_a_curve_does_not_take(house: House, changes: dict[str, Any], code: Reason) -> None:
    assert house.refused(house.curve_order(**changes)) == code
