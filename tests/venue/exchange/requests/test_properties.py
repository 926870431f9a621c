"""Random requests, prices, fees and faults: what holds of times (P9), fees (P10), failures (P11) and triggers (P12)."""

from collections.abc import Callable
from dataclasses import replace
from operator import ge, le
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.venue.exchange.requests.house import FEE, KEEPER, POOL, SPECIAL, House
from tests.venue.exchange.requests.test_order_create import CREATABLE, ask
from venue.exchange import machine
from venue.exchange.commands import Rejection
from venue.exchange.pool.trigger import trigger_met
from venue.exchange.pool.units import FLOAT, TokenPrice
from venue.exchange.reasons import Reason
from venue.exchange.requests import commands
from venue.exchange.requests.facts import Fact, OrderFrozen, RequestCancelled
from venue.exchange.requests.request import Ending, Kind, OrderType, expires

EXPIRY_MS = 300_000
WHATS = st.sampled_from(["deposit", "withdrawal", *CREATABLE])
OFFSETS = st.one_of(st.integers(-3, 3), st.integers(EXPIRY_MS - 3, EXPIRY_MS + 3), st.integers(-(10**6), 10**6))


def ready() -> House:
    """With a position that decreases can be about."""
    house = House().seeded()
    house.executed(house.created(house.order()))
    house.now_ms += 2_000_000
    return house


def requested(house: House, what: str, **changes: Any) -> tuple[Kind, str]:
    if what in ("deposit", "withdrawal"):
        return house.created(getattr(house, what)(**changes))
    return house.created(ask(house, OrderType(what), **changes))


def receipt(facts: tuple[Fact, ...]) -> Any:
    return getattr(facts[0], "receipt")  # noqa: B009 - every outcome of an execution has one


@settings(max_examples=60, deadline=None, derandomize=True)
@given(what=WHATS, weth=OFFSETS, usdc=OFFSETS)
def test_p9_it_executes_at_prices_of_its_lifetime_and_at_no_others(what: str, weth: int, usdc: int) -> None:
    house = ready()
    named = requested(house, what)
    request = house.pending[named[1]]
    prices = tuple(
        replace(price, timestamp_ms=request.updated_ms + offset)
        for price, offset in zip(house.prices("WETH", "USDC"), (weth, usdc), strict=True)
    )
    house.now_ms += max(0, weth, usdc)
    attempt = house.execution(named, SPECIAL, prices=prices)
    if min(weth, usdc) < 0:
        assert house.refused(attempt) == Reason.PRICES_TOO_OLD
    elif expires(request) and max(weth, usdc) > EXPIRY_MS:
        assert house.refused(attempt) == Reason.PRICES_TOO_NEW
    else:
        house.did(attempt)
        assert named[1] not in house.pending


@settings(max_examples=60, deadline=None, derandomize=True)
@given(what=WHATS, wait=st.one_of(st.integers(EXPIRY_MS - 2, EXPIRY_MS + 2), st.integers(0, 10**6)))
def test_p9_its_owner_cancels_what_expires_after_its_expiry_and_the_rest_always(what: str, wait: int) -> None:
    house = ready()
    before = house.wallets()
    named = requested(house, what)
    house.now_ms += wait
    if expires(house.pending[named[1]]) and wait < EXPIRY_MS:
        assert house.refused(house.cancel(named)) == Reason.NOT_YET_CANCELLABLE
    else:
        house.did(house.cancel(named))
        assert house.wallets() == before


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    what=WHATS,
    fee=st.one_of(st.integers(6 * 10**14, 10**15), st.integers(6 * 10**14, 10**17)),
    units=st.integers(0, 2_000_000),
    spoil=st.booleans(),
)
def test_p10_the_keepers_fee_and_the_refund_are_the_whole_fee(what: str, fee: int, units: int, spoil: bool) -> None:
    house = ready()
    fee += units * 10**8
    spoiled: dict[str, Any] = {"min_market_tokens": 10**40}
    if what == "withdrawal":
        spoiled = {"min_long": 10**40}
    elif what != "deposit":
        spoiled = {"min_output": 10**40}
    changes: dict[str, Any] = {"execution_fee": fee, "callback": "log", "callback_units": units}
    if what != "deposit":
        changes["native_sent"] = fee
    named = requested(house, what, receiver="bob", **changes, **(spoiled if spoil else {}))
    whole = house.pending[named[1]].execution_fee
    assert whole <= fee
    keeper = house.balance(SPECIAL, "WETH")
    told = receipt(house.executed(named, SPECIAL))
    assert told.fee_paid + told.refund == whole
    assert 0 < told.fee_paid <= whole
    assert house.balance(SPECIAL, "WETH") == keeper + told.fee_paid


KEEPER_FAULTS: dict[str, Callable[[House], dict[str, Any]]] = {
    "no price": lambda house: {"prices": house.prices("WETH")},
    "no prices": lambda _: {"prices": ()},
    "upside down": lambda house: {"prices": tuple(replace(each, min=each.max + 1) for each in house.prices())},
    "old": lambda house: {"prices": tuple(replace(each, timestamp_ms=1) for each in house.prices())},
    "too little work": lambda _: {"units": 5_000_000 - 1},
    "stranger": lambda _: {"keeper": "mallory"},
}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(what=WHATS, faults=st.lists(st.sampled_from(sorted(KEEPER_FAULTS)), min_size=1, max_size=3))
def test_p11_a_keepers_fault_never_removes_or_changes_a_request(what: str, faults: list[str]) -> None:
    house = ready()
    named = requested(house, what, callback="log", callback_units=2_000_000, **_fee(what, 2 * FEE))
    for fault in faults:
        house.refused(replace(house.execution(named, SPECIAL), **KEEPER_FAULTS[fault](house)))
    house.executed(named, SPECIAL)


def _fee(what: str, fee: int) -> dict[str, Any]:
    return {"execution_fee": fee} if what == "deposit" else {"execution_fee": fee, "native_sent": fee}


USER_FAULTS: dict[str, dict[str, Any]] = {
    "acceptable price": {"acceptable_price": 1},
    "output": {"min_output": 10**40},
    "leverage": {"size": 10**6 * FLOAT},
    "token": {"collateral_token": "WBTC", "collateral": 10**7},
    "dust": {"size": 1},
}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from([each for each in CREATABLE if not each.is_decrease]),
    fault=st.sampled_from(sorted(USER_FAULTS)),
    off=st.booleans(),
)
def test_p11_a_users_fault_refunds_a_market_order_and_freezes_or_cancels_a_waiting_one(
    kind: OrderType, fault: str, off: bool
) -> None:
    house = ready()
    before = house.wallets()
    named = house.created(ask(house, kind, **USER_FAULTS[fault]))
    if off:
        house.did(commands.SwitchPool(POOL, False))
    escrowed = house.wallets()
    (fact,) = house.executed(named, SPECIAL)
    if not isinstance(fact, OrderFrozen | RequestCancelled):
        assert kind.is_swap
        assert not off
        return
    paid, after = fact.receipt.fee_paid, house.wallets()
    frozen = isinstance(fact, OrderFrozen)
    assert frozen <= (not kind.is_market)
    expected = dict(escrowed if frozen else before)
    expected["wallet:alice", "WETH"] = before["wallet:alice", "WETH"] - paid
    expected[f"wallet:{SPECIAL}", "WETH"] = before.get((f"wallet:{SPECIAL}", "WETH"), 0) + paid
    assert after == expected
    assert (named[1] in house.pending) == frozen
    assert paid == (600_000 + 750_000 + 400_000 + 250_000 * kind.is_swap) * 10**8


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_p11_c1_random_attempts_refused_leave_everything_as_it_was(data: st.DataObject) -> None:
    house = ready()
    keys = [requested(house, data.draw(WHATS)) for _ in range(3)]
    for _ in range(6):
        named = data.draw(st.sampled_from(keys))
        keeper = data.draw(st.sampled_from([KEEPER, SPECIAL, "alice", "mallory"]))
        house.usd["WETH"] = data.draw(st.sampled_from(["4000", "4999", "5000", "5001", "9000"]))
        house.now_ms += data.draw(st.sampled_from([0, 1, EXPIRY_MS // 2]))
        attempts: list[Any] = [house.execution(named, keeper), house.cancel(named, keeper), house.sweep(named, keeper)]
        attempt = data.draw(st.sampled_from(attempts))
        if isinstance(machine.decide(house.exchange, attempt), Rejection):
            house.refused(attempt)
        else:
            house.did(attempt)


READS: dict[OrderType, dict[bool, tuple[str, Callable[[int, int], bool]]]] = {
    OrderType.LIMIT_INCREASE: {True: ("max", le), False: ("min", ge)},
    OrderType.STOP_INCREASE: {True: ("max", ge), False: ("min", le)},
    OrderType.LIMIT_DECREASE: {True: ("min", ge), False: ("max", le)},
    OrderType.STOP_LOSS_DECREASE: {True: ("min", le), False: ("max", ge)},
}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(sorted(READS)),
    is_long=st.booleans(),
    low=st.integers(95, 105),
    spread=st.integers(0, 5),
    trigger=st.integers(94, 111),
)
def test_p12_each_type_reads_one_end_of_the_price(
    kind: OrderType, is_long: bool, low: int, spread: int, trigger: int
) -> None:
    price = TokenPrice("WETH", low, low + spread, 0)
    end, compare = READS[kind][is_long]
    assert trigger_met(kind, is_long, price.min, price.max, trigger) == compare(getattr(price, end), trigger)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from([OrderType.MARKET_INCREASE, OrderType.MARKET_DECREASE, OrderType.MARKET_SWAP]),
    trigger=st.integers(1, 10**30),
)
def test_p12_market_orders_and_swaps_have_no_trigger(kind: OrderType, trigger: int) -> None:
    house = ready()
    named = house.created(ask(house, kind, trigger_price=trigger))
    house.executed(named)
    assert house.exchange.requests.ended[named[1]].ending is Ending.EXECUTED
