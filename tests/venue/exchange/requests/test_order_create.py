"""createOrder, box by box, and updateOrder."""

from typing import Any

import pytest

from tests.venue.exchange.requests.boxes import box
from tests.venue.exchange.requests.house import CURVE, ETH, FEE, NOW, POOL, USDC, House
from venue.exchange.ledger import Move
from venue.exchange.pool.state import DEAD
from venue.exchange.pool.units import FLOAT, factor
from venue.exchange.reasons import Reason
from venue.exchange.requests import commands, facts, work
from venue.exchange.requests.request import ORDER_VAULT, ZERO, Kind, OrderRequest, OrderType

LEAST_ORDER_FEE = 525_000_000_000_000
LEAST_SWAP_FEE = 600_000_000_000_000
TRIGGER = 5_000 * 10**12
CREATABLE = [each for each in OrderType if each is not OrderType.LIQUIDATION]
WAITING = [each for each in CREATABLE if not each.is_market]


@pytest.fixture
def house() -> House:
    return House()


def ask(house: House, kind: OrderType, **changes: Any) -> commands.CreateOrder:
    """An order of the type that passes every check, but for `changes`."""
    trigger = None if kind.is_market or kind.is_swap else TRIGGER
    return house.order(kind, **{"trigger_price": trigger, **changes})


def stored(house: House, key: str) -> OrderRequest:
    order = house.pending[key]
    assert isinstance(order, OrderRequest)
    return order


@box("order.create.a")
def test_everything_that_was_asked_for_is_in_the_stored_order(house: House, box: str) -> None:
    house.now_ms += 5
    asked = ask(
        house,
        OrderType.LIMIT_DECREASE,
        receiver="bob",
        callback="log",
        callback_units=9,
        client_id="mine",
        is_long=False,
        collateral=7,
        acceptable_price=11,
        min_output=13,
        valid_from_ms=NOW + 17,
        path=("BTC-USD",),
        auto_cancel=True,
        cancellation_receiver="carol",
    )
    kind, key = house.created(asked)
    assert kind is Kind.ORDER
    assert house.pending[key] == OrderRequest(
        key=key,
        account="alice",
        receiver="bob",
        callback="log",
        callback_units=9,
        execution_fee=FEE,
        updated_ms=NOW + 5,
        client_id="mine",
        type=OrderType.LIMIT_DECREASE,
        market=POOL,
        is_long=False,
        collateral_token="USDC",
        collateral=7,
        size=5_000 * FLOAT,
        trigger_price=TRIGGER,
        acceptable_price=11,
        min_output=13,
        valid_from_ms=NOW + 17,
        path=("BTC-USD",),
        position_id=0,
        auto_cancel=True,
        cancellation_receiver="carol",
        withdraw_unit=0,
    )


@box("order.create.b")
@pytest.mark.parametrize(
    ("account", "code"),
    [
        ("", Reason.EMPTY_ACCOUNT),
        (ZERO, Reason.EMPTY_ACCOUNT),
        ("a" * 101, Reason.EMPTY_ACCOUNT),
        (DEAD, Reason.UNAUTHORIZED),
    ],
)
def test_the_trader_must_be_somebody(house: House, account: str, code: Reason, box: str) -> None:
    assert house.refused(house.order(account=account)) == code


@box("order.create.b")
@pytest.mark.parametrize("kind", CREATABLE)
def test_each_type_has_a_switch_of_its_own(house: House, kind: OrderType, box: str) -> None:
    house.did(commands.SwitchFeature(f"create:{kind}", False))
    assert house.refused(ask(house, kind)) == Reason.DISABLED_FEATURE
    for other in CREATABLE:
        if other is not kind:
            house.created(ask(house, other))
    house.did(commands.SwitchFeature(f"create:{kind}", True))
    house.created(ask(house, kind))


@box("order.create.c")
def test_the_first_code_stays_and_a_refused_order_sets_none(house: House, box: str) -> None:
    for code in ("FIRST", "SECOND"):
        house.did(commands.RegisterReferralCode("carol", code, factor("0.2"), factor("0.5")))
    assert house.refused(house.order(referral_code="NOBODYS")) == Reason.INVALID_REFERRAL_CODE
    assert house.refused(house.order(referral_code="FIRST", receiver="")) == Reason.EMPTY_RECEIVER
    house.created(house.order())
    assert house.exchange.requests.referred == {}
    referred, _ = house.did(house.order(referral_code="FIRST"))
    assert referred == facts.TraderReferred("alice", "FIRST")
    assert len(house.did(house.order(referral_code="SECOND"))) == 1
    house.created(house.order(referral_code="SECOND", account="bob"))
    assert house.exchange.requests.referred == {"alice": "FIRST", "bob": "SECOND"}


@box("order.create.d")
@pytest.mark.parametrize("kind", CREATABLE)
def test_increases_and_swaps_bring_collateral_and_decreases_name_it(house: House, kind: OrderType, box: str) -> None:
    before = house.balance("alice", "USDC")
    order = stored(house, house.created(ask(house, kind, collateral=1_000 * USDC))[1])
    assert order.collateral == 1_000 * USDC
    escrowed = 0 if kind.is_decrease else 1_000 * USDC
    assert house.held("USDC", ORDER_VAULT) == before - house.balance("alice", "USDC") == escrowed


@box("order.create.d")
@pytest.mark.parametrize("kind", CREATABLE)
def test_native_collateral_covers_the_fee_and_is_less_by_it(house: House, kind: OrderType, box: str) -> None:
    native = {"collateral_token": "WETH", "native_sent": 0}
    if kind.is_decrease:
        assert house.refused(ask(house, kind, **native, collateral=ETH)) == Reason.INSUFFICIENT_WNT
        return
    assert house.refused(ask(house, kind, **native, collateral=FEE - 1)) == Reason.INSUFFICIENT_WNT
    order = stored(house, house.created(ask(house, kind, **native, collateral=ETH))[1])
    assert (order.collateral, order.execution_fee) == (ETH - FEE, FEE)
    assert house.held("WETH", ORDER_VAULT) == ETH


@box("order.create.d")
def test_a_liquidation_cannot_be_ordered(house: House, box: str) -> None:
    assert house.refused(house.order(OrderType.LIQUIDATION)) == Reason.ORDER_TYPE


@box("order.create.e")
def test_the_fee_is_sent_and_all_of_it_is_the_fee(house: House, box: str) -> None:
    assert house.refused(house.order(native_sent=FEE - 1)) == Reason.INSUFFICIENT_WNT
    (fact,) = house.did(house.order(native_sent=3 * FEE))
    assert isinstance(fact, facts.OrderCreated)
    assert fact.request.execution_fee == 3 * FEE == house.held("WETH", ORDER_VAULT)
    assert Move("wallet:alice", ORDER_VAULT, 3 * FEE, "WETH") in fact.moves


@box("order.create.e")
def test_what_is_far_above_the_least_is_left_with_the_sender(house: House, box: str) -> None:
    before = house.balance("alice", "WETH")
    order = stored(house, house.created(house.order(native_sent=ETH))[1])
    assert order.execution_fee == before - house.balance("alice", "WETH") == 100 * LEAST_ORDER_FEE


@box("order.create.f")
@pytest.mark.parametrize(
    ("kind", "changes", "code"),
    [
        (OrderType.MARKET_INCREASE, {"market": "DOGE-USD"}, Reason.EMPTY_MARKET),
        (OrderType.MARKET_DECREASE, {"market": ""}, Reason.EMPTY_MARKET),
        (OrderType.MARKET_INCREASE, {"market": "SWAPS"}, Reason.INVALID_POSITION_MARKET),
        (OrderType.LIMIT_DECREASE, {"market": "SWAPS"}, Reason.INVALID_POSITION_MARKET),
        (OrderType.MARKET_INCREASE, {"market": "OFF"}, Reason.DISABLED_MARKET),
        (OrderType.MARKET_SWAP, {"market": POOL}, Reason.UNEXPECTED_MARKET),
        (OrderType.LIMIT_SWAP, {"market": CURVE}, Reason.UNEXPECTED_MARKET),
        (OrderType.MARKET_SWAP, {"path": ("DOGE-USD",)}, Reason.EMPTY_MARKET),
        (OrderType.MARKET_SWAP, {"path": (POOL, "OFF")}, Reason.DISABLED_MARKET),
        (OrderType.LIMIT_SWAP, {"path": (POOL, "BTC-USD", POOL)}, Reason.DUPLICATED_MARKET),
        (OrderType.MARKET_INCREASE, {"path": (POOL, "BTC-USD", "SWAPS", "OFF")}, Reason.MAX_SWAP_PATH),
        (OrderType.MARKET_SWAP, {"path": ()}, Reason.EMPTY_ORDER),
        (OrderType.MARKET_SWAP, {"collateral_token": ""}, Reason.EMPTY_ORDER),
        (OrderType.MARKET_INCREASE, {"valid_from_ms": 1}, Reason.UNEXPECTED_VALID_FROM),
        (OrderType.MARKET_SWAP, {"valid_from_ms": 1}, Reason.UNEXPECTED_VALID_FROM),
        (OrderType.LIMIT_INCREASE, {"trigger_price": None}, Reason.BAD_PRICE),
        (OrderType.STOP_LOSS_DECREASE, {"trigger_price": 0}, Reason.BAD_PRICE),
        (OrderType.MARKET_INCREASE, {"size": -1}, Reason.BAD_AMOUNT),
        (OrderType.MARKET_INCREASE, {"collateral": -1}, Reason.BAD_AMOUNT),
    ],
)
def test_market_path_and_times_must_fit_the_type(
    house: House, kind: OrderType, changes: dict[str, Any], code: Reason, box: str
) -> None:
    for symbol, index in (("SWAPS", ""), ("OFF", "WBTC")):
        house.did(commands.ListPool(symbol, index, "WBTC", "USDC", house.exchange.pools[POOL].params))
    house.did(commands.SwitchPool("OFF", False))
    assert house.refused(ask(house, kind, **changes)) == code
    house.created(ask(house, OrderType.MARKET_SWAP, path=(POOL, "SWAPS", "BTC-USD")))


@box("order.create.g")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"receiver": ""}, Reason.EMPTY_RECEIVER),
        ({"receiver": ZERO}, Reason.EMPTY_RECEIVER),
        ({"receiver": ORDER_VAULT}, Reason.INVALID_RECEIVER),
        ({"cancellation_receiver": ORDER_VAULT}, Reason.INVALID_RECEIVER),
        ({"cancellation_receiver": ZERO}, Reason.EMPTY_RECEIVER),
        ({"callback_units": 2_000_001}, Reason.MAX_CALLBACK_UNITS),
        ({"callback_units": -1}, Reason.MAX_CALLBACK_UNITS),
    ],
)
def test_receiver_and_callback_are_checked(house: House, changes: dict[str, Any], code: Reason, box: str) -> None:
    assert house.refused(house.order(**changes)) == code
    house.created(house.order(cancellation_receiver="carol", callback="log", callback_units=2_000_000))


@box("order.create.h")
@pytest.mark.parametrize("kind", CREATABLE)
def test_the_fee_covers_the_estimate_of_its_type(house: House, kind: OrderType, box: str) -> None:
    least = LEAST_SWAP_FEE if kind.is_swap else LEAST_ORDER_FEE
    short = ask(house, kind, execution_fee=least - 1, native_sent=least - 1)
    assert house.refused(short) == Reason.INSUFFICIENT_EXECUTION_FEE
    order = stored(house, house.created(ask(house, kind, execution_fee=least, native_sent=least))[1])
    assert work.estimate(house.exchange.requests.rules.work, order) == (4_400_000 if kind.is_swap else 3_900_000)


@box("order.create.h")
def test_hops_and_callback_cost_more(house: House, box: str) -> None:
    more: dict[str, Any] = {"path": (POOL, "BTC-USD"), "callback": "log", "callback_units": 300_000}
    least = LEAST_ORDER_FEE + (2 * 1_000_000 + 2 * 250_000 + 300_000) * 10**8
    assert house.refused(house.order(**more, native_sent=least - 1, execution_fee=0)) == (
        Reason.INSUFFICIENT_EXECUTION_FEE
    )
    house.created(house.order(**more, native_sent=least, execution_fee=0))


@box("order.create.i")
@pytest.mark.parametrize(
    "changes",
    [
        {"size": 0, "collateral": 0},
        {"size": 0, "collateral_token": "WETH", "collateral": FEE},
        {"type": OrderType.MARKET_SWAP, "market": "", "size": 0, "path": (POOL,), "collateral": 0},
        {
            "type": OrderType.MARKET_SWAP, "market": "", "path": (POOL,), "collateral_token": "WETH", "collateral": FEE
        },
    ],
    ids=["nothing", "nothing but the fee", "an empty swap", "a swap of the fee"],
)  # fmt: skip
def test_an_empty_order_is_none(house: House, changes: dict[str, Any], box: str) -> None:
    assert house.refused(house.order(**changes)) == Reason.EMPTY_ORDER


@box("order.create.i")
def test_it_gets_the_next_key_and_is_in_both_lists(house: House, box: str) -> None:
    (fact,) = house.did(house.order())
    assert isinstance(fact, facts.OrderCreated)
    assert fact.request.key == house.exchange.requests.key(1)
    assert house.pending == {fact.request.key: fact.request}
    assert list(house.exchange.requests.by_account["alice"]) == [fact.request.key]
    assert house.created(house.deposit())[1] == house.exchange.requests.key(2)


@box("order.create.i")
def test_a_position_has_six_auto_cancel_orders_at_most(house: House, box: str) -> None:
    ending: dict[str, Any] = {"kind": OrderType.STOP_LOSS_DECREASE, "auto_cancel": True}
    keys = [house.created(ask(house, **ending, position_id=number))[1] for number in range(6)]
    assert house.refused(ask(house, **ending, position_id=9)) == Reason.MAX_AUTO_CANCEL
    for free in ({"is_long": False}, {"collateral_token": "WETH"}, {"account": "bob"}, {"market": "BTC-USD"}):
        house.created(ask(house, **{**ending, **free}))
    plain = house.created(ask(house, OrderType.STOP_LOSS_DECREASE))[1]
    assert house.refused(house.update(plain, auto_cancel=True)) == Reason.MAX_AUTO_CANCEL
    house.did(house.update(keys[0], auto_cancel=False))
    house.did(house.update(plain, auto_cancel=True))
    increase = house.created(ask(house, OrderType.LIMIT_INCREASE, auto_cancel=True))[1]
    assert not stored(house, increase).auto_cancel
