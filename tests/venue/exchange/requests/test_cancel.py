"""Ways out without execution: the owner's, the keepers' sweep, a position that closes. The escrow goes back whole."""

from typing import Any

import pytest

from tests.venue.exchange.requests.house import CURVE, FEE, FREE, KEEPER, POOL, USDC, House
from tests.venue.exchange.requests.test_order_create import CREATABLE, WAITING, ask
from venue.exchange.pool.units import FLOAT
from venue.exchange.reasons import Reason
from venue.exchange.requests import commands, facts
from venue.exchange.requests.request import Ending, Kind, OrderType

EXPIRY_MS = 300_000
SWEPT = (600_000 + 3 * 250_000 + 400_000) * 10**8
"""What a keeper earns for clearing away a request without hops."""


@pytest.fixture
def house() -> House:
    return House(FREE).seeded()


def requested(house: House, what: str, **changes: Any) -> tuple[Kind, str]:
    if what == "deposit":
        return house.created(house.deposit(**changes))
    if what == "withdrawal":
        return house.created(house.withdrawal(**changes))
    return house.created(ask(house, OrderType(what), **changes))


@pytest.mark.parametrize("what", ["deposit", "withdrawal", *(each for each in CREATABLE if each.is_market)])
def test_what_expires_is_its_owners_again_only_then(house: House, what: str) -> None:
    before = house.wallets()
    named = requested(house, what)
    house.now_ms += EXPIRY_MS - 1
    assert house.refused(house.cancel(named)) == Reason.NOT_YET_CANCELLABLE
    house.now_ms += 1
    assert house.refused(house.cancel(named, "bob")) == Reason.UNAUTHORIZED
    assert house.refused(house.cancel(named, KEEPER)) == Reason.UNAUTHORIZED
    (fact,) = house.did(house.cancel(named))
    assert isinstance(fact, facts.RequestCancelled)
    assert (fact.reason, fact.receipt.fee_paid, fact.receipt.refund) == (Reason.USER_CANCELLED, 0, FEE)
    assert house.wallets() == before
    assert house.exchange.requests.ended[named[1]].ending is Ending.CANCELLED


@pytest.mark.parametrize("kind", WAITING)
def test_what_waits_for_a_price_is_its_owners_at_any_time(house: House, kind: OrderType) -> None:
    before = house.wallets()
    at_once = requested(house, kind)
    house.did(house.cancel(at_once))
    later = requested(house, kind)
    house.now_ms += 100 * EXPIRY_MS
    assert house.refused(house.cancel(later, "bob")) == Reason.UNAUTHORIZED
    assert house.refused(house.sweep(later)) == Reason.NOT_EXPIRED
    house.did(house.cancel(later))
    assert house.wallets() == before
    assert house.refused(house.cancel(later)) == Reason.EMPTY_ORDER


@pytest.mark.parametrize("what", ["deposit", "withdrawal", *(each for each in CREATABLE if each.is_market)])
def test_a_keeper_sweeps_what_has_expired_and_is_paid_for_it(house: House, what: str) -> None:
    before = house.wallets()
    named = requested(house, what, receiver="carol")
    house.now_ms += EXPIRY_MS
    assert house.refused(house.sweep(named)) == Reason.NOT_EXPIRED
    house.now_ms += 1
    for stranger in ("bob", "alice"):
        assert house.refused(house.sweep(named, stranger)) == Reason.UNAUTHORIZED
    (fact,) = house.did(house.sweep(named))
    assert isinstance(fact, facts.RequestCancelled)
    paid = SWEPT + 250_000 * 10**8 * ("Swap" in what)
    assert (fact.reason, fact.receipt.fee_paid, fact.receipt.refund) == (Reason.EXPIRED, paid, FEE - paid)
    after = house.wallets()
    for user, change in (("alice", -FEE), (KEEPER, paid), ("carol", FEE - paid)):
        assert after.pop((f"wallet:{user}", "WETH")) == before.pop((f"wallet:{user}", "WETH")) + change
    assert after == before


def test_the_escrow_is_the_accounts_or_the_cancellation_receivers(house: House) -> None:
    start = {user: house.balance(user, "USDC") for user in ("alice", "bob", "carol")}
    plain = requested(house, OrderType.LIMIT_INCREASE, receiver="bob")
    house.did(house.cancel(plain))
    assert house.balance("alice", "USDC") == start["alice"]
    elsewhere = requested(house, OrderType.LIMIT_INCREASE, receiver="bob", cancellation_receiver="carol")
    house.did(house.cancel(elsewhere))
    assert house.balance("alice", "USDC") == start["alice"] - 1_000 * USDC
    assert house.balance("carol", "USDC") == start["carol"] + 1_000 * USDC
    assert house.balance("bob", "USDC") == start["bob"]


def test_what_came_from_outside_goes_back_outside(house: House) -> None:
    start = house.wallets()
    deposit = requested(house, "deposit", from_outside=True)
    limit = requested(house, OrderType.LIMIT_INCREASE, from_outside=True)
    curve = house.created(house.curve_order(from_outside=True))
    assert house.wallets() == start
    house.now_ms += EXPIRY_MS
    for named in (deposit, limit, curve):
        house.did(house.cancel(named))
    assert house.wallets() == start


def ending(house: House, number: int = 0, **changes: Any) -> tuple[Kind, str]:
    return requested(house, OrderType.STOP_LOSS_DECREASE, trigger_price=1, auto_cancel=True, position_id=number)


@pytest.mark.parametrize("way", ["closed", "liquidated", "stopped"])
def test_orders_end_with_their_position_and_cost_nothing(house: House, way: str) -> None:
    house.executed(house.created(house.order()))
    orders = [ending(house, number) for number in range(5)]
    last = requested(house, OrderType.STOP_LOSS_DECREASE, auto_cancel=True, size=5_000 * FLOAT)
    others = [requested(house, OrderType.STOP_LOSS_DECREASE), requested(house, OrderType.STOP_INCREASE)]
    native = house.balance("alice", "WETH")
    spent = 0
    if way == "liquidated":
        held = house.position()
        assert held is not None
        house.usd["WETH"] = "4000"
        done = house.did(commands.LiquidatePoolPosition(held.key, KEEPER, house.prices(), house.now_ms))
        ended = [*orders, last]
    elif way == "stopped":
        done, ended = house.executed(last), orders
        spent = done[0].receipt.fee_paid - FEE if isinstance(done[0], facts.DecreaseExecuted) else 0
    else:
        done, ended = house.executed(requested(house, OrderType.MARKET_DECREASE)), [*orders, last]
        spent = done[0].receipt.fee_paid if isinstance(done[0], facts.DecreaseExecuted) else 0
    assert [fact.reason for fact in done[1:] if isinstance(fact, facts.RequestCancelled)] == (
        [Reason.AUTO_CANCEL] * len(ended)
    )
    assert house.balance("alice", "WETH") == native + len(ended) * FEE - spent
    assert list(house.pending) == [key for _, key in others]


def test_a_part_of_the_position_leaves_its_orders_alone(house: House) -> None:
    house.executed(house.created(house.order()))
    order = ending(house)
    assert len(house.executed(requested(house, OrderType.MARKET_DECREASE, size=FLOAT))) == 1
    assert order[1] in house.pending
    assert house.refused(house.sweep(order)) == Reason.NOT_EXPIRED


def test_an_order_whose_position_never_came_can_be_swept_once_it_is_old(house: House) -> None:
    order = ending(house)
    assert house.refused(house.sweep(order)) == Reason.NOT_EXPIRED
    coming = requested(house, OrderType.LIMIT_INCREASE, trigger_price=10**12)
    house.now_ms += EXPIRY_MS + 1
    assert house.refused(house.sweep(order)) == Reason.NOT_EXPIRED
    house.did(house.cancel(coming))
    (fact,) = house.did(house.sweep(order))
    assert isinstance(fact, facts.RequestCancelled)
    assert (fact.reason, fact.receipt.fee_paid) == (Reason.AUTO_CANCEL, SWEPT)


def test_a_request_on_a_market_switched_off_is_still_its_owners(house: House) -> None:
    before = house.wallets()
    named = [requested(house, "deposit"), requested(house, OrderType.LIMIT_INCREASE)]
    house.did(commands.SwitchPool(POOL, False))
    house.now_ms += EXPIRY_MS
    for each in named:
        house.did(house.cancel(each))
    assert house.wallets() == before
    assert CURVE in house.exchange.markets
