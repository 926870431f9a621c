import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from tests.venue.avantis.server import HTML, STATUS, TRADES, AvantisServer, Fault, Status
from tests.venue.avantis.support import Refuses, fields
from tests.venue.avantis.world import TRADER, WorldOrder
from venue.avantis.hosts import Api
from venue.avantis.orders import (
    Canceled,
    Executed,
    PastTrade,
    Pending,
    TradeHistory,
    Unknown,
    fetch_history,
    fetch_status,
    read_history,
    read_status,
)
from venue.avantis.units import TEN
from venue.avantis.wire import AvantisCode

HASH = "0x" + "a1" * 32
DONE = "0x" + "ee" * 32
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["status", "executed", "orderId", "t_index", "price", "txHash"]), inner)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("executed", Executed(4711, 7, 0, True, 20_005_000_000_000, 12_345_678, DONE, 103)),
        ("canceled", Canceled(4711, DONE, 103)),
        ("cancelled", Canceled(4711, DONE, 103)),
        ("pending", Pending(4711)),
        ("expired", Unknown("status is 'expired': expected executed, canceled or pending")),
    ],
)
async def test_what_became_of_an_order(server: AvantisServer, api: Api, status: str, expected: object) -> None:
    server.world.orders[HASH] = WorldOrder(HASH, 4711, status, paid=12.345678)
    assert await fetch_status(api, HASH.upper().replace("0X", "0x")) == expected


async def test_an_order_history_does_not_know(api: Api) -> None:
    assert await fetch_status(api, HASH) == Unknown("order status: failed: Market order not found")


async def test_an_order_behind_a_404(server: AvantisServer, api: Api) -> None:
    server.plan(STATUS, Status(404))
    assert isinstance(await fetch_status(api, HASH), Unknown)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (HTML, AvantisCode.NOT_JSON),
        (Status(500), AvantisCode.SERVER_FAILED),
        (Status(429), AvantisCode.RATE_LIMITED),
        (Status(200, {"data": {"status": "executed"}}), AvantisCode.WRONG_SHAPE),
    ],
)
async def test_no_answer_is_no_status(server: AvantisServer, api: Api, fault: Fault, code: AvantisCode) -> None:
    server.plan(STATUS, fault)
    with Refuses(code):
        await fetch_status(api, HASH)


@pytest.mark.parametrize("tx_hash", ["", "0x12", HASH + "0", HASH[:-1] + "g", f"{HASH}/../..", "a1" * 32])
async def test_what_is_no_hash_is_never_asked(server: AvantisServer, api: Api, tx_hash: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        await fetch_status(api, tx_hash)
    assert not server.asked


@pytest.mark.parametrize("data", [None, [], "executed", 7])
def test_no_data_is_unknown(data: JsonValue) -> None:
    assert read_status(fields({"success": True, "data": data}), HASH) == Unknown("the answer holds no data")


def test_an_answer_about_another_order_is_none() -> None:
    told: JsonValue = {"data": {"status": "executed", "initiated": {"txHash": DONE}}}
    made = read_status(fields(told), HASH)
    assert isinstance(made, Unknown)
    assert DONE in made.why


@pytest.mark.parametrize("executed", [None, [], {}, {"price": "much", "t_index": -1, "open": 1, "txHash": "0xbb"}])
def test_executed_stays_executed_when_nothing_else_can_be_read(executed: JsonValue) -> None:
    made = read_status(fields({"data": {"status": "executed", "orderId": "x", "executed": executed}}), HASH)
    assert made == Executed(None, None, None, None, None, None, None, None)


@given(ANYTHING)
def test_whatever_comes_is_a_status(data: JsonValue) -> None:
    assert isinstance(read_status(fields({"data": data}), HASH), Executed | Canceled | Pending | Unknown)


@given(st.lists(ANYTHING, max_size=4))
def test_whatever_lines_come_are_counted(rows: list[JsonValue]) -> None:
    made = read_history(fields({"data": rows}))
    assert len(made.trades) + made.unread == len(rows)


ROW: JsonValue = {
    "pairIndex": 7,
    "tradeIndex": "2",
    "isLong": False,
    "price": 1990.25,
    "collateral": "20.5",
    "netPnl": -1.5,
    "timestamp": 1_789_000_000_000,
    "txHash": HASH,
    "more": {},
}
READ = PastTrade(7, 2, False, 19_902_500_000_000, 20_500_000, -1_500_000, 1_789_000_000, HASH)


@pytest.mark.parametrize(
    "data", [[ROW, 5, {}], {"trades": [ROW, None, {"x": 1}]}, {"items": [{"event": ROW}, [], "a"]}]
)
async def test_a_page_of_the_history(server: AvantisServer, api: Api, data: JsonValue) -> None:
    server.plan(TRADES, Status(200, {"success": True, "data": data}))
    assert await fetch_history(api, TRADER) == TradeHistory((READ,), unread=2)
    assert server.asked[0].path.endswith(f"/v2/history/trade-history/{TRADER}/0/20")


async def test_an_empty_history_is_one(api: Api) -> None:
    assert await fetch_history(api, TRADER) == TradeHistory((), 0)


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"success": False, "data": []}, AvantisCode.HISTORY_FAILED),
        ({"success": True}, AvantisCode.WRONG_SHAPE),
        ({"success": True, "data": {}}, AvantisCode.WRONG_SHAPE),
        ({"success": True, "data": {"trades": {}}}, AvantisCode.WRONG_SHAPE),
    ],
)
async def test_a_history_that_failed_is_not_empty(
    server: AvantisServer, api: Api, told: JsonValue, code: AvantisCode
) -> None:
    server.plan(TRADES, Status(200, told))
    with Refuses(code):
        await fetch_history(api, TRADER)


def test_seconds_stay_seconds() -> None:
    (trade,) = read_history(fields({"data": [{"timestamp": 1_789_000_000, "price": 1}]})).trades
    assert trade == PastTrade(None, None, None, TEN, None, None, 1_789_000_000, None)
