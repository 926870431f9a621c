"""createDeposit, box by box: what is refused has a name and changes nothing, what is accepted is in escrow."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from tests.venue.exchange.requests.boxes import box
from tests.venue.exchange.requests.house import ETH, FEE, LEAST_DEPOSIT_FEE, NOW, POOL, USDC, House
from venue.exchange.ledger import EXTERNAL, Move
from venue.exchange.pool.state import DEAD
from venue.exchange.reasons import Reason
from venue.exchange.requests import commands, facts, work
from venue.exchange.requests.book import RequestRules
from venue.exchange.requests.request import DEPOSIT_VAULT, ZERO, DepositRequest, Kind

NEITHER_NATIVE = {"long_token": "USDC", "long_amount": 5 * USDC, "short_amount": 7 * USDC}


@pytest.fixture
def house() -> House:
    return House()


def stored(house: House, key: str) -> DepositRequest:
    request = house.pending[key]
    assert isinstance(request, DepositRequest)
    return request


@box("deposit.create.a", "deposit.create.f")
def test_everything_that_was_asked_for_is_in_the_stored_object(house: House, box: str) -> None:
    house.now_ms += 77
    asked = house.deposit(
        receiver="bob",
        min_market_tokens=7,
        long_path=("BTC-USD",),
        short_path=(POOL,),
        callback="log",
        callback_units=9,
        client_id="mine",
    )
    kind, key = house.created(asked)
    assert kind is Kind.DEPOSIT
    assert house.pending[key] == DepositRequest(
        key=key,
        account="alice",
        receiver="bob",
        callback="log",
        callback_units=9,
        execution_fee=FEE,
        updated_ms=NOW + 77,
        client_id="mine",
        market=POOL,
        long_token="WETH",
        short_token="USDC",
        long_amount=10 * ETH,
        short_amount=50_000 * USDC,
        long_path=("BTC-USD",),
        short_path=(POOL,),
        min_market_tokens=7,
    )


@box("deposit.create.b")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"account": ""}, Reason.EMPTY_ACCOUNT),
        ({"account": ZERO}, Reason.EMPTY_ACCOUNT),
        ({"account": "a" * 101}, Reason.EMPTY_ACCOUNT),
        ({"account": DEAD}, Reason.UNAUTHORIZED),
        ({"market": "DOGE-USD"}, Reason.EMPTY_MARKET),
        ({"market": ""}, Reason.EMPTY_MARKET),
        ({"long_path": (POOL, "BTC-USD", "x", "y")}, Reason.MAX_SWAP_PATH),
        ({"short_path": (POOL, "BTC-USD", "x", "y")}, Reason.MAX_SWAP_PATH),
        ({"short_path": (POOL, "BTC-USD", POOL)}, Reason.DUPLICATED_MARKET),
        ({"long_path": ("DOGE-USD",)}, Reason.EMPTY_MARKET),
    ],
)
def test_account_market_and_paths_are_checked(house: House, changes: dict[str, Any], code: Reason, box: str) -> None:
    assert house.refused(house.deposit(**changes)) == code


@box("deposit.create.b")
def test_a_disabled_market_or_feature_takes_nothing_new(house: House, box: str) -> None:
    house.did(commands.SwitchPool("BTC-USD", False))
    assert house.refused(house.deposit(market="BTC-USD")) == Reason.DISABLED_MARKET
    assert house.refused(house.deposit(short_path=("BTC-USD",))) == Reason.DISABLED_MARKET
    house.did(commands.SwitchPool("BTC-USD", True))
    house.created(house.deposit(short_path=("BTC-USD",)))
    house.did(commands.SwitchFeature("create:deposit", False))
    assert house.refused(house.deposit()) == Reason.DISABLED_FEATURE
    house.did(commands.SwitchFeature("create:deposit", True))
    house.created(house.deposit())


@box("deposit.create.c")
def test_the_amounts_are_what_reached_the_vault(house: House, box: str) -> None:
    before = house.wallets()
    _, key = house.created(house.deposit())
    request, after = stored(house, key), house.wallets()
    assert house.held("WETH", DEPOSIT_VAULT) == request.long_amount + request.execution_fee == 10 * ETH + FEE
    assert house.held("USDC", DEPOSIT_VAULT) == request.short_amount == 50_000 * USDC
    assert before["wallet:alice", "WETH"] - after["wallet:alice", "WETH"] == 10 * ETH + FEE
    assert before["wallet:alice", "USDC"] - after["wallet:alice", "USDC"] == 50_000 * USDC


@box("deposit.create.c")
def test_of_two_equal_tokens_only_the_long_amount_is_set(house: House, box: str) -> None:
    _, key = house.created(house.deposit(**NEITHER_NATIVE, native_sent=FEE))
    assert (stored(house, key).long_amount, stored(house, key).short_amount) == (12 * USDC, 0)


@box("deposit.create.c")
def test_nobody_can_claim_to_have_sent_more_than_there_is(house: House, box: str) -> None:
    everything = house.balance("alice", "USDC")
    assert house.refused(house.deposit(short_amount=everything + 1)) == Reason.INSUFFICIENT_BALANCE
    house.created(house.deposit(short_amount=everything))


@box("deposit.create.c")
def test_from_outside_the_wallet_is_left_alone_but_market_tokens_are_never_made(house: House, box: str) -> None:
    house.executed(house.created(house.deposit()))
    wallets, outside = house.wallets(), house.held("USDC", EXTERNAL)
    house.created(house.deposit(from_outside=True))
    assert house.wallets() == wallets
    assert outside - house.held("USDC", EXTERNAL) == 50_000 * USDC
    invented = house.deposit(
        account="carol", long_token=f"MT:{POOL}", long_amount=1, native_sent=FEE, from_outside=True
    )
    assert house.refused(invented) == Reason.INSUFFICIENT_BALANCE
    supply = house.supply()
    assert house.refused(house.withdrawal(account="carol", from_outside=True)) == Reason.INSUFFICIENT_BALANCE
    house.created(house.withdrawal(from_outside=True, amount=supply))
    assert house.supply() == supply


@box("deposit.create.d")
@pytest.mark.parametrize(
    ("changes", "long", "short", "fee"),
    [
        ({}, 10 * ETH, 50_000 * USDC, FEE),
        ({"native_sent": 5 * FEE}, 10 * ETH, 50_000 * USDC, FEE),
        (
            {"long_token": "USDC", "long_amount": 3, "short_token": "WETH", "short_amount": ETH},
            3,
            ETH - FEE,
            FEE,
        ),
        ({**NEITHER_NATIVE, "short_token": "WBTC", "native_sent": FEE}, 5 * USDC, 7 * USDC, FEE),
        ({**NEITHER_NATIVE, "short_token": "WBTC", "native_sent": 3 * FEE}, 5 * USDC, 7 * USDC, 3 * FEE),
        ({"long_amount": FEE}, 0, 50_000 * USDC, FEE),
    ],
    ids=["long", "long, not what is sent", "short", "separate", "all that is sent", "nothing but the fee"],
)
def test_the_fee_comes_off_native_tokens_or_is_sent(
    house: House, changes: dict[str, Any], long: int, short: int, fee: int, box: str
) -> None:
    _, key = house.created(house.deposit(**changes))
    request = stored(house, key)
    assert (request.long_amount, request.short_amount, request.execution_fee) == (long, short, fee)


@box("deposit.create.d")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"long_amount": FEE - 1}, Reason.INSUFFICIENT_WNT),
        ({"long_amount": FEE - 1, "native_sent": FEE}, Reason.INSUFFICIENT_WNT),
        ({"long_token": "USDC", "short_token": "WETH", "short_amount": FEE - 1}, Reason.INSUFFICIENT_WNT),
        ({**NEITHER_NATIVE, "native_sent": FEE - 1}, Reason.INSUFFICIENT_WNT),
        ({"long_amount": 0, "short_amount": 0, "native_sent": FEE}, Reason.EMPTY_DEPOSIT_AMOUNTS),
        ({"long_amount": FEE, "short_amount": 0}, Reason.EMPTY_DEPOSIT_AMOUNTS),
        ({"long_amount": -1}, Reason.BAD_AMOUNT),
        ({"execution_fee": -1}, Reason.BAD_AMOUNT),
        ({"native_sent": -1}, Reason.BAD_AMOUNT),
    ],
)
def test_what_does_not_cover_the_fee_or_leaves_nothing(
    house: House, changes: dict[str, Any], code: Reason, box: str
) -> None:
    assert house.refused(house.deposit(**changes)) == code


@box("deposit.create.e")
@pytest.mark.parametrize(
    ("receiver", "code"),
    [
        ("", Reason.EMPTY_RECEIVER),
        (ZERO, Reason.EMPTY_RECEIVER),
        (DEPOSIT_VAULT, Reason.INVALID_RECEIVER),
        ("order_vault", Reason.INVALID_RECEIVER),
        ("r" * 101, Reason.INVALID_RECEIVER),
    ],
)
def test_the_receiver_must_be_somebody(house: House, receiver: str, code: Reason, box: str) -> None:
    assert house.refused(house.deposit(receiver=receiver)) == code


@box("deposit.create.g")
def test_keys_are_the_hash_of_engine_and_nonce_and_a_refusal_uses_none_up(house: House, box: str) -> None:
    first = house.created(house.deposit())[1]
    assert house.refused(house.deposit(receiver="")) == Reason.EMPTY_RECEIVER
    second = house.created(house.deposit())[1]
    assert [first, second] == ["0x" + sha256(f"test:{nonce}".encode()).hexdigest() for nonce in (1, 2)]
    house.executed((Kind.DEPOSIT, first))
    assert house.created(house.deposit())[1] not in (first, second)
    assert replace(house.exchange.requests, engine_id="other").key(1) != first


@box("deposit.create.h")
def test_the_fee_must_reach_the_least(house: House, box: str) -> None:
    short = LEAST_DEPOSIT_FEE - 1
    assert house.refused(house.deposit(execution_fee=short)) == Reason.INSUFFICIENT_EXECUTION_FEE
    assert (
        house.refused(house.deposit(**NEITHER_NATIVE, execution_fee=short, native_sent=short))
        == Reason.INSUFFICIENT_EXECUTION_FEE
    )
    _, key = house.created(house.deposit(execution_fee=LEAST_DEPOSIT_FEE))
    assert stored(house, key).execution_fee == LEAST_DEPOSIT_FEE


@box("deposit.create.i")
def test_hops_and_callback_are_in_the_estimate_and_so_in_the_fee(house: House, box: str) -> None:
    asked = {"long_path": ("BTC-USD",), "short_path": (POOL,), "callback_units": 200_000}
    least = 610_000_000_000_000
    assert house.refused(house.deposit(**asked, execution_fee=least - 1)) == Reason.INSUFFICIENT_EXECUTION_FEE
    _, key = house.created(house.deposit(**asked, execution_fee=least))
    assert work.estimate(RequestRules().work, house.pending[key]) == 2_050_000 + 2 * 1_000_000 + 200_000


@box("deposit.create.j")
def test_a_callback_may_ask_for_so_much_and_no_more(house: House, box: str) -> None:
    assert house.refused(house.deposit(callback="log", callback_units=2_000_001)) == Reason.MAX_CALLBACK_UNITS
    assert house.refused(house.deposit(callback="log", callback_units=-1)) == Reason.MAX_CALLBACK_UNITS
    _, key = house.created(house.deposit(callback="log", callback_units=2_000_000))
    assert stored(house, key).callback_units == 2_000_000


@box("deposit.create.k")
def test_it_is_in_the_list_of_all_and_in_the_accounts_own(house: House, box: str) -> None:
    keys = [house.created(house.deposit(account=user))[1] for user in ("alice", "bob", "alice")]
    assert list(house.pending) == keys
    assert list(house.exchange.requests.by_account["alice"]) == [keys[0], keys[2]]
    assert list(house.exchange.requests.by_account["bob"]) == [keys[1]]
    house.created(house.deposit(client_id="mine"))
    assert house.refused(house.deposit(client_id="mine")) == Reason.DUPLICATE_CLIENT_ID


@box("deposit.create.l", "deposit.create.m")
def test_one_event_tells_it_whole_and_carries_the_key(house: House, box: str) -> None:
    (fact,) = house.did(house.deposit())
    assert isinstance(fact, facts.DepositCreated)
    assert fact.nonce == house.exchange.requests.nonce == 1
    assert fact.request is house.pending[fact.request.key]
    assert fact.moves == (
        Move("wallet:alice", DEPOSIT_VAULT, 10 * ETH, "WETH"),
        Move("wallet:alice", DEPOSIT_VAULT, 50_000 * USDC, "USDC"),
        Move("wallet:alice", DEPOSIT_VAULT, FEE, "WETH"),
    )
    assert fact.request.key == house.exchange.requests.key(1)
    house.executed((Kind.DEPOSIT, fact.request.key))
