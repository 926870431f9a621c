"""executeOrder, box by box: what comes of an order (e), what must hold afterwards (f), where collateral goes (i)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.venue.exchange.requests.boxes import box
from tests.venue.exchange.requests.house import (
    BTC,
    CURVE,
    ETH,
    FEE,
    FREE,
    POOL,
    USDC,
    House,
    reason,
)
from tests.venue.exchange.requests.test_order_create import ask
from venue.exchange.pool.state import collateral
from venue.exchange.pool.units import FLOAT
from venue.exchange.reasons import Reason
from venue.exchange.requests.facts import DecreaseExecuted, IncreaseExecuted, RequestCancelled, SwapExecuted
from venue.exchange.requests.request import ORDER_VAULT, OrderType

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


@box("order.execute.e")
def test_an_increase_turns_collateral_into_a_position(house: House, box: str) -> None:
    opened(house)
    house.usd["WETH"] = "4000"
    opened(house, size=4_000 * FLOAT, collateral=10 * BTC // 1_000, collateral_token="WBTC", path=("BTC-USD",))
    held = house.position()
    assert held is not None
    assert (held.size, held.tokens, held.collateral) == (9_000 * FLOAT, 2 * ETH, 1_500 * USDC)
    assert held.increased_ms == house.now_ms


@box("order.execute.e")
def test_a_decrease_pays_profit_and_freed_collateral(house: House, box: str) -> None:
    opened(house)
    usdc, weth = house.balance("bob", "USDC"), house.balance("bob", "WETH")
    house.usd["WETH"] = "6000"
    half = ask(house, OrderType.MARKET_DECREASE, size=2_500 * FLOAT, collateral=100 * USDC, receiver="bob")
    (fact,) = house.executed(house.created(half))
    assert isinstance(fact, DecreaseExecuted)
    held = house.position()
    assert held is not None
    assert (held.size, held.tokens, held.collateral) == (2_500 * FLOAT, ETH // 2, 900 * USDC)
    assert house.balance("bob", "USDC") == usdc + 100 * USDC
    assert house.balance("bob", "WETH") == weth + 500 * ETH // 6_000 + fact.receipt.refund
    house.executed(house.created(ask(house, OrderType.MARKET_DECREASE, size=2_500 * FLOAT)))
    assert house.position() is None


@box("order.execute.e")
def test_a_swap_follows_its_route_to_the_receiver(house: House, box: str) -> None:
    weth = house.balance("bob", "WETH")
    route = ask(
        house,
        OrderType.MARKET_SWAP,
        collateral_token="WBTC",
        collateral=BTC,
        path=("BTC-USD", POOL),
        min_output=10 * ETH,
        receiver="bob",
    )
    (fact,) = house.executed(house.created(route))
    assert isinstance(fact, SwapExecuted)
    assert (fact.report.token, fact.report.amount, len(fact.report.hops)) == ("WETH", 10 * ETH, 2)
    assert house.balance("bob", "WETH") == weth + 10 * ETH + fact.receipt.refund
    too_much = house.created(replace(route, min_output=10 * ETH + 1))
    assert reason(house.executed(too_much)) == Reason.MIN_SWAP_OUTPUT


@box("order.execute.e")
@pytest.mark.parametrize(("is_long", "better"), [(True, 5_000), (False, 5_000)])
def test_the_price_must_be_acceptable(house: House, is_long: bool, better: int, box: str) -> None:
    worse = better - 1 if is_long else better + 1
    asked = house.order(is_long=is_long, acceptable_price=worse * INDEX)
    assert reason(house.executed(house.created(asked))) == Reason.ACCEPTABLE_PRICE
    opened(house, is_long=is_long, acceptable_price=better * INDEX)
    least = better + 1 if is_long else better - 1
    closing = ask(house, OrderType.MARKET_DECREASE, is_long=is_long, acceptable_price=least * INDEX)
    assert reason(house.executed(house.created(closing))) == Reason.ACCEPTABLE_PRICE
    house.executed(house.created(replace(closing, acceptable_price=better * INDEX)))
    assert house.position(is_long=is_long) is None


@box("order.execute.f")
def test_what_the_pool_owes_is_the_sum_of_its_positions(house: House, box: str) -> None:
    for user, is_long, size in (("alice", True, 5_000), ("bob", True, 2_000), ("bob", False, 3_000)):
        opened(house, account=user, receiver=user, is_long=is_long, size=size * FLOAT)
    house.executed(house.created(ask(house, OrderType.MARKET_DECREASE, size=1_000 * FLOAT)))
    held = house.exchange.pool_positions.values()
    for is_long in (True, False):
        interest = house.exchange.pools[POOL].interest(is_long)
        side = [each for each in held if each.is_long == is_long]
        assert interest.usd == sum(each.size for each in side)
        assert interest.tokens == sum(each.tokens for each in side)
        assert house.held("USDC", collateral(POOL, is_long)) == sum(each.collateral for each in side)
    assert house.exchange.pools[POOL].interest(True).usd == 6_000 * FLOAT


@box("order.execute.f")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"size": 200_000 * FLOAT}, Reason.INSUFFICIENT_COLLATERAL),
        ({"size": 100_001 * FLOAT}, Reason.INSUFFICIENT_COLLATERAL),
        ({"size": 4_500_001 * FLOAT, "collateral": 100_000 * USDC}, Reason.INSUFFICIENT_RESERVE),
        ({"size": FLOAT - 1}, Reason.MIN_POSITION_SIZE),
        ({"size": 0}, Reason.POSITION_SIZE),
        ({"size": 5_000 * FLOAT, "collateral": 0}, Reason.INSUFFICIENT_COLLATERAL),
    ],
)
def test_a_position_that_must_not_be_like_that_is_not_made(
    house: House, changes: dict[str, Any], code: Reason, box: str
) -> None:
    before = house.wallets()
    (fact,) = house.executed(house.created(house.order(**changes)))
    assert isinstance(fact, RequestCancelled)
    assert fact.reason == code
    after = house.wallets()
    assert after["wallet:alice", "USDC"] == before["wallet:alice", "USDC"]
    assert not house.exchange.pool_positions
    assert house.exchange.pools[POOL].interest(True).usd == 0


@box("order.execute.i")
def test_collateral_leaves_the_order_vault_for_the_market_under_it(house: House, box: str) -> None:
    named = house.created(house.order())
    assert house.held("USDC", ORDER_VAULT) == 1_000 * USDC
    house.executed(named)
    assert house.held("USDC", ORDER_VAULT) == 0
    assert house.held("USDC", collateral(POOL, True)) == 1_000 * USDC
    curve = house.created(house.curve_order(client_id="c"))
    house.executed(curve)
    held = house.exchange.open_positions[house.exchange.fills["c"].position_id]
    assert (held.market, held.user_id) == (CURVE, "alice")
    assert house.exchange.ledger[ORDER_VAULT] == 0


def test_collateral_alone_is_never_taken_out_to_the_last(house: House) -> None:
    house.executed(house.created(house.order()))
    held = next(iter(house.exchange.pool_positions.values())).collateral
    for much in (held, held * 1_000):
        asked = house.order(OrderType.MARKET_DECREASE, size=0, collateral=much)
        assert reason(house.executed(house.created(asked))) == Reason.UNABLE_TO_WITHDRAW
    house.executed(house.created(house.order(OrderType.MARKET_DECREASE, size=0, collateral=held // 2)))
    assert next(iter(house.exchange.pool_positions.values())).collateral < held
