"""What execution costs: worked examples to the last unit, and the budget rules."""

import pytest

from tests.venue.exchange.requests.house import ETH, House
from venue.exchange.commands import Refused
from venue.exchange.reasons import Reason
from venue.exchange.requests import work
from venue.exchange.requests.request import DepositRequest, OrderType
from venue.exchange.requests.work import WorkTable

TABLE = WorkTable()


def request(hops: int = 0, callback: int = 0) -> DepositRequest:
    return DepositRequest(
        key="k",
        account="a",
        receiver="a",
        callback="log" if callback else "",
        callback_units=callback,
        execution_fee=5 * 10**14,
        updated_ms=0,
        client_id="",
        market="M",
        long_token="WETH",
        short_token="USDC",
        long_amount=ETH,
        short_amount=0,
        long_path=("M",) * hops,
        short_path=(),
        min_market_tokens=0,
    )


@pytest.mark.parametrize(
    ("kind", "hops", "callback", "least"),
    [
        ("deposit", 0, 0, 340_000_000_000_000),
        ("deposit", 2, 200_000, 610_000_000_000_000),
        (OrderType.MARKET_INCREASE, 1, 0, 650_000_000_000_000),
        (OrderType.MARKET_SWAP, 2, 0, 725_000_000_000_000),
    ],
)
def test_the_least_fee(kind: str, hops: int, callback: int, least: int) -> None:
    assert work.least_fee(TABLE, kind, hops, callback) == least


@pytest.mark.parametrize(
    ("hops", "units", "fee", "paid"),
    [
        (0, 1_700_000, 5 * 10**14, 305_000_000_000_000),
        (2, 3_100_000, 10**15, 495_000_000_000_000),
        (1, 3_000_000, 10**15, 460_000_000_000_000),
        (2, 9_000_000, 725_000_000_000_000, 725_000_000_000_000),
    ],
)
def test_the_keeper_is_paid_for_its_work_at_most_the_fee(hops: int, units: int, fee: int, paid: int) -> None:
    assert work.keeper_fee(TABLE, hops, units, fee) == paid


def test_estimates_and_uses_come_from_one_table() -> None:
    assert work.estimate(TABLE, request()) == 2_050_000
    assert work.estimate(TABLE, request(2, 200_000)) == 4_250_000
    assert work.used(TABLE, request()) == 1_700_000
    assert work.used(TABLE, request(2, 200_000)) == 3_100_000


def test_what_can_be_forwarded_must_cover_the_estimate_beside_the_error_reserve() -> None:
    enough = TABLE.error_reserve + -(-2_050_000 * 64 // 63)
    work.check_budget(TABLE, request(), enough)
    with pytest.raises(Refused) as caught:
        work.check_budget(TABLE, request(), enough - 1)
    assert caught.value.rejection.code is Reason.INSUFFICIENT_WORK


def test_a_callback_is_told_only_while_there_is_work_left_for_it() -> None:
    asking = request(0, 200_000)
    enough = TABLE.error_reserve + 1_700_000 + -(-200_000 * 64 // 63)
    assert work.callback_allowed(TABLE, asking, enough)
    assert not work.callback_allowed(TABLE, asking, enough - 1)


def test_a_fee_far_above_the_least_is_not_taken() -> None:
    house = House()
    named = house.created(house.deposit(execution_fee=10 * ETH, long_amount=20 * ETH))
    assert house.exchange.requests.pending[named[1]].execution_fee == 100 * 340_000_000_000_000
