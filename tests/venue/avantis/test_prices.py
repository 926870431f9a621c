import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from tests.venue.avantis.server import PRICE, SPREAD, AvantisServer, Fault, Lie, Raw, Status
from tests.venue.avantis.support import Refuses, fields
from tests.venue.avantis.world import NOW_MS, TRADER, WorldPrice
from venue.avantis.hosts import Api
from venue.avantis.prices import (
    Executable,
    Source,
    Spread,
    SpreadAsk,
    check_deviation,
    deviation,
    fetch_price,
    fetch_spread,
    read_price,
)
from venue.avantis.units import TEN
from venue.avantis.wire import AvantisCode

PRO = WorldPrice().leg()
CORE = WorldPrice(1999.5, NOW_MS - 3_000, "0x").leg()
ASK = SpreadAsk(7, TRADER, 5_000_000_000, is_long=True, is_open=True)


def read(told: JsonValue, now_ms: int = NOW_MS) -> Executable:
    return read_price(fields(told, "price of pair 7"), now_ms)


async def test_the_price_of_pro(server: AvantisServer, api: Api) -> None:
    price = await fetch_price(api, 7, lambda: NOW_MS)
    assert price == Executable(20_005_000_000_000, NOW_MS, Source.PRO, b"\xab\xcd")
    assert price.source.sourcing == 1


@pytest.mark.parametrize("pro", [None, PRO | {"price": 0}, PRO | {"publishTimestampMs": NOW_MS - 10_001}, [], {}])
def test_else_the_price_of_core(pro: JsonValue) -> None:
    price = read({"pro": pro, "core": CORE})
    assert price == Executable(19_995_000_000_000, NOW_MS - 3_000, Source.CORE, b"")
    assert price.source.sourcing == 0


def test_pro_goes_before_core() -> None:
    assert read({"core": CORE, "pro": PRO}).source is Source.PRO


async def test_other_ways_to_write_it(server: AvantisServer, api: Api) -> None:
    old: JsonValue = {"price": "2000.5", "publish_timestamp_ms": str(NOW_MS), "price_update_data": "0x01"}
    server.plan(PRICE, Lie(lambda told: {"data": told}), Status(200, {"pro": old}))
    assert (await fetch_price(api, 7, lambda: NOW_MS)).price == 20_005_000_000_000
    assert await fetch_price(api, 7, lambda: NOW_MS) == Executable(20_005_000_000_000, NOW_MS, Source.PRO, b"\x01")


@pytest.mark.parametrize(
    ("age_ms", "good"), [(0, True), (10_000, True), (10_001, False), (-2_000, True), (-2_001, False)]
)
def test_how_old_and_how_new_it_may_be(age_ms: int, good: bool) -> None:
    told: JsonValue = {"pro": PRO}
    if good:
        assert read(told, NOW_MS + age_ms).price
    else:
        with Refuses(AvantisCode.NO_PRICE, "publishTimestampMs is", "expected at most"):
            read(told, NOW_MS + age_ms)


@pytest.mark.parametrize(
    "change",
    [
        {"price": 0},
        {"price": "0"},
        {"price": -1},
        {"price": None},
        {"price": ""},
        {"price": True},
        {"price": 0.000000000001},
        {"price": 1e30},
        {"publishTimestampMs": None},
        {"publishTimestampMs": NOW_MS // 1000},
        {"publishTimestampMs": NOW_MS * 1000},
        {"publishTimestampMs": NOW_MS + 0.5},
        {"priceUpdateData": "abcd"},
        {"priceUpdateData": "0xabc"},
        {"priceUpdateData": "0xzz"},
        {"priceUpdateData": ["0xab"]},
        {"priceUpdateData": "0x" + "00" * 70_000},
    ],
    ids=lambda change: str(change)[:50],
)
def test_what_is_no_price(change: dict[str, JsonValue]) -> None:
    with Refuses(AvantisCode.NO_PRICE, "price of pair 7.pro", "expected"):
        read({"pro": PRO | change})


@pytest.mark.parametrize("told", [{}, {"pro": None, "core": None}, {"t": 1, "c": 2000}])
def test_an_answer_without_any(told: JsonValue) -> None:
    with Refuses(AvantisCode.NO_PRICE, "neither pro nor core"):
        read(told)


def test_both_reasons_are_told() -> None:
    with Refuses(AvantisCode.NO_PRICE, "pro.price", "core.publishTimestampMs"):
        read({"pro": PRO | {"price": 0}, "core": CORE}, NOW_MS + 60_000)


async def test_a_pair_the_feed_does_not_know(api: Api) -> None:
    with Refuses(AvantisCode.NOT_FOUND):
        await fetch_price(api, 99, lambda: NOW_MS)


@given(st.integers(1, 10**17))
def test_a_price_survives_exactly(price: int) -> None:
    whole, rest = divmod(price, TEN)
    assert read({"pro": PRO | {"price": f"{whole}.{rest:010d}"}}).price == price


@pytest.mark.parametrize(
    ("price", "reference", "percent"),
    [(101, 100, TEN), (99, 100, TEN), (100, 100, 0), (1_000_001, 1_000_000, 1_000_000), (4, 3, 333_333_333_334)],
)
def test_how_far_two_sources_lie_apart(price: int, reference: int, percent: int) -> None:
    assert deviation(price, reference) == percent
    check_deviation(price, reference, percent)
    with Refuses(AvantisCode.NO_PRICE, "too far"):
        check_deviation(price, reference, percent - 1)


def test_a_scale_mistaken_is_found() -> None:
    with Refuses(AvantisCode.NO_PRICE):
        check_deviation(2000 * 10**18, 2000 * TEN, TEN)
    with Refuses(AvantisCode.NO_PRICE):
        check_deviation(5, 0, 100 * TEN)


async def test_a_spread(server: AvantisServer, api: Api) -> None:
    assert await fetch_spread(api, ASK) == Spread(percent=100_000_000)
    assert server.asked[0].method == "POST"
    assert server.asked[0].body == {
        "pairIndex": 7,
        "trader": TRADER,
        "coinSize10": "5000000000",
        "isLong": True,
        "isOpen": True,
        "orderType": 0,
    }


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Status(403), AvantisCode.SPREAD_BLOCKED),
        (Status(403, {"spreadPctWithoutFlow10": "0"}), AvantisCode.SPREAD_BLOCKED),
        (Status(404), AvantisCode.DO_NOT_EXECUTE),
        (Raw(b"<html>", 404), AvantisCode.DO_NOT_EXECUTE),
        (Status(400), AvantisCode.BAD_REQUEST),
        (Status(200, {"estimatedSpreadPctWithFlow10": "0"}), AvantisCode.REFUSED),
        (Status(201, {}), AvantisCode.WRONG_SHAPE),
        (Status(201, {"estimatedSpreadPctWithFlow10": "0.01"}), AvantisCode.WRONG_SHAPE),
        (Status(201, {"estimatedSpreadPctWithFlow10": 0.01}), AvantisCode.WRONG_SHAPE),
        (Status(201, {"estimatedSpreadPctWithFlow10": str(10**13)}), AvantisCode.WRONG_SHAPE),
        (Raw(b"", 201), AvantisCode.NOT_JSON),
        (Status(451), AvantisCode.GEO_RESTRICTED),
    ],
)
async def test_no_spread_is_not_a_spread_of_zero(
    server: AvantisServer, api: Api, fault: Fault, code: AvantisCode
) -> None:
    server.plan(SPREAD, fault)
    with Refuses(code):
        await fetch_spread(api, ASK)


async def test_without_flow_will_do(server: AvantisServer, api: Api) -> None:
    server.plan(SPREAD, Status(201, {"spreadPctWithoutFlow10": "7", "estimatedSpreadPctWithFlow10": None}))
    assert await fetch_spread(api, ASK) == Spread(7)
