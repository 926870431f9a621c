"""What a failed execution does: the table, written out once more and held against the one in use."""

from dataclasses import replace
from enum import StrEnum

import pytest

from tests.venue.exchange.requests.house import House
from tests.venue.exchange.requests.test_order_create import CREATABLE, ask
from venue.exchange.commands import Code
from venue.exchange.commands import Rejection as Word
from venue.exchange.reasons import Reason
from venue.exchange.requests.failure import Outcome, in_our_words, outcome
from venue.exchange.requests.request import OrderRequest, OrderType

KEEPERS_FAULT = {
    "EmptyPrice",
    "InvalidPrice",
    "OracleTimestampsAreSmallerThanRequired",
    "OracleTimestampsAreLargerThanRequestExpirationTime",
    "DisabledFeature",
    "Unauthorized",
    "InsufficientExecutionGas",
    "OrderValidFromTimeNotReached",
    "InvalidOrderPrices",
    "OrderAlreadyFrozen",
}
NEVER_RIGHT = {
    "EmptyMarket",
    "DisabledMarket",
    "InvalidPositionMarket",
    "InvalidCollateralTokenForMarket",
    "InvalidToken",
    "InvalidDecreaseOrderSize",
    "InvalidPositionSizeValues",
    "MinPositionSize",
}
NO_POSITION = {"EmptyPosition"}
ALL: list[StrEnum] = [*Reason, *Code]


def expected(kind: str, code: str, frozen: bool = False) -> Outcome:
    waits = kind not in ("deposit", "withdrawal", "MarketSwap", "MarketIncrease", "MarketDecrease")
    if code in KEEPERS_FAULT or (waits and code in NO_POSITION):
        return Outcome.STAYS
    if not waits or code in NEVER_RIGHT:
        return Outcome.CANCEL
    return Outcome.STAYS if frozen else Outcome.FREEZE


def test_the_classes_are_made_of_reasons_there_are() -> None:
    assert set(Reason) >= KEEPERS_FAULT | NEVER_RIGHT | NO_POSITION


@pytest.mark.parametrize("code", ALL, ids=str)
def test_every_reason_for_every_type(code: StrEnum) -> None:
    house = House().seeded()
    for kind in CREATABLE:
        order = house.pending[house.created(ask(house, kind))[1]]
        assert isinstance(order, OrderRequest)
        assert outcome(order, code) is expected(kind, code), (kind, code)
        if not kind.is_market:
            assert outcome(replace(order, frozen=True), code) is expected(kind, code, frozen=True), (kind, code)
    for other in (house.deposit(), house.withdrawal()):
        named = house.created(other)
        assert outcome(house.pending[named[1]], code) is expected(named[0], code), named[0]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (Code.UNKNOWN_MARKET, "EmptyMarket"),
        (Code.BAD_AMOUNT, "InvalidPositionSizeValues"),
        (Code.BAD_LEVERAGE, "InvalidPositionSizeValues"),
        (Code.UNKNOWN_POSITION, "EmptyPosition"),
        (Code.NOT_OPEN, "EmptyPosition"),
        (Code.NOT_OWNER, "EmptyPosition"),
        (Code.WORSE_THAN_ACCEPTABLE, "OrderNotFulfillableAtAcceptablePrice"),
        (Code.PRICE_MOVE_LIMIT, "PRICE_MOVE_LIMIT"),
        (Code.UNDERWATER, "UNDERWATER"),
    ],
)
def test_a_curves_refusals_in_the_requests_words(code: Code, reason: str) -> None:
    assert in_our_words(Word(code, "why")).code == reason
    assert "why" in in_our_words(Word(code, "why")).detail


@pytest.mark.parametrize("kind", [each for each in CREATABLE if each.is_decrease])
def test_without_a_position_a_market_order_goes_and_the_others_wait(kind: OrderType) -> None:
    house = House().seeded()
    named = house.created(ask(house, kind))
    if kind.is_market:
        house.executed(named)
        assert house.exchange.requests.ended[named[1]].reason == Reason.EMPTY_POSITION
    else:
        assert house.refused(house.execution(named)) == Reason.EMPTY_POSITION
        house.executed(house.created(house.order()))
        house.executed(named)


@pytest.mark.parametrize("kind", [OrderType.MARKET_INCREASE, OrderType.LIMIT_INCREASE, OrderType.STOP_INCREASE])
def test_collateral_and_size_that_can_never_be_right_cancel_every_type(kind: OrderType) -> None:
    house = House().seeded()
    before = house.balance("alice", "WBTC"), house.balance("alice", "USDC")
    for changes, code in (
        ({"collateral_token": "WBTC"}, Reason.INVALID_COLLATERAL),
        ({"size": 10**30 - 1}, Reason.MIN_POSITION_SIZE),
        ({"size": 1}, Reason.POSITION_SIZE),
    ):
        named = house.created(ask(house, kind, **changes))
        house.executed(named)
        assert house.exchange.requests.ended[named[1]].reason == code
    assert (house.balance("alice", "WBTC"), house.balance("alice", "USDC")) == before


@pytest.mark.parametrize("kind", [OrderType.LIMIT_INCREASE, OrderType.STOP_INCREASE, OrderType.LIMIT_SWAP])
def test_anything_else_freezes_what_waits_with_its_escrow(kind: OrderType) -> None:
    house = House().seeded()
    before = house.balance("alice", "USDC")
    limits = {"min_output": 10**30} if kind.is_swap else {"acceptable_price": 1}
    named = house.created(ask(house, kind, receiver="bob", **limits))
    native = house.balance("bob", "WETH"), house.balance("special", "WETH")
    (fact,) = house.executed(named, "special")
    order = house.pending[named[1]]
    assert isinstance(order, OrderRequest)
    assert order.frozen
    assert house.balance("alice", "USDC") == before - 1_000 * 10**6
    paid = (600_000 + 750_000 + 400_000 + 250_000 * kind.is_swap) * 10**8
    assert house.balance("special", "WETH") == native[1] + paid
    assert house.balance("bob", "WETH") == native[0] + 10**15 - paid
    assert order.execution_fee == 0
    house.did(house.cancel(named))
    assert house.balance("alice", "USDC") == before
    assert getattr(fact, "reason", "") in (Reason.ACCEPTABLE_PRICE, Reason.MIN_SWAP_OUTPUT)
