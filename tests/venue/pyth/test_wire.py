from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.venue.pyth.support import FIXTURES, NOW_MS, item, load
from venue.net.sse import Event, EventDecoder, EventTooLarge
from venue.net.strict import NotStrict
from venue.pyth import FEEDS, Price, PricePolicy, WireItem, check
from venue.pyth.wire import SocketReply, SocketRequest, SocketUpdate, WirePrice, parse_socket, parse_updates

STREAM = (FIXTURES / "stream.sse").read_bytes()


def test_rest_answer() -> None:
    items = parse_updates((FIXTURES / "latest.json").read_bytes())
    assert [each.price.price for each in items] == ["183487211", "195656091864"]
    price = check(FEEDS["ETH"], None, items[1], NOW_MS, PricePolicy())
    assert isinstance(price, Price)
    assert (price.wad, price.conf_wad) == (1_956_560_918_640_000_000_000, 879_081_360_000_000_000)


def test_single_items() -> None:
    items = load("items.json")
    btc = WireItem.model_validate_json(json.dumps(items["btc"]))
    assert (btc.id, btc.price.price) == (FEEDS["BTC"].id, "6488617685106")
    equity = items["equity_without_id"]
    assert isinstance(equity, dict)
    assert WirePrice.model_validate_json(json.dumps(equity["price"])).expo == -5
    with pytest.raises(ValidationError):
        WireItem.model_validate_json(json.dumps(equity))


def test_socket_messages() -> None:
    messages = load("socket.json")
    assert (
        json.loads(SocketRequest.model_validate_json(json.dumps(messages["subscribe"])).model_dump_json())
        == (messages["subscribe"])
    )
    assert SocketRequest.model_validate_json(json.dumps(messages["unsubscribe"])).type == "unsubscribe"
    update = parse_socket(json.dumps(messages["price_update"]).encode())
    assert isinstance(update, SocketUpdate)
    assert update.price_feed.price.conf == "87908136"
    assert parse_socket(json.dumps(messages["success"]).encode()) == SocketReply(type="response", status="success")
    refused = parse_socket(json.dumps(messages["error"]).encode())
    assert isinstance(refused, SocketReply)
    assert "not found" in refused.error


@pytest.mark.parametrize(
    "change",
    [
        {"price": 195656091864},
        {"price": "1.5"},
        {"price": "1e9"},
        {"price": "+1"},
        {"price": ""},
        {"price": "١٢٣"},
        {"price": "1\n"},
        {"price": "9" * 20},
        {"conf": None},
        {"expo": "-8"},
        {"expo": True},
        {"expo": -31},
        {"publish_time": 1785143368.0},
        {"publish_time": -1},
        {"publish_time": 2**63},
    ],
    ids=str,
)
def test_a_malformed_item_is_left_out_and_the_rest_kept(change: dict[str, object]) -> None:
    good = item("BTC").model_dump()
    bad = item("ETH").model_dump()
    bad["price"] |= change
    assert [each.id for each in parse_updates(json.dumps({"parsed": [bad, good]}).encode())] == [FEEDS["BTC"].id]


def test_ids_come_with_or_without_0x_in_any_case() -> None:
    spelled = item().model_dump() | {"id": "0X" + FEEDS["ETH"].id.upper()}
    assert parse_updates(json.dumps({"parsed": [spelled]}).encode())[0].id == FEEDS["ETH"].id
    for wrong in (FEEDS["ETH"].id[:-1], FEEDS["ETH"].id + "0", "g" * 64):
        assert parse_updates(json.dumps({"parsed": [spelled | {"id": wrong}]}).encode()) == []


@pytest.mark.parametrize("payload", [b"", b"<html>", b"[]", b"{}", b'{"parsed":null}', b"\xff\xfe", b"[" * 10_000])
def test_what_is_not_an_answer_raises(payload: bytes) -> None:
    with pytest.raises((NotStrict, ValidationError)):
        parse_updates(payload)
    with pytest.raises((NotStrict, ValidationError)):
        parse_socket(payload)


@pytest.mark.parametrize("more", ['"parsed":[]', '"n":NaN', '"n":1e999', '"n":{"a":1,"a":2}'])
def test_a_frame_says_nothing_twice_and_no_number_that_is_none(more: str) -> None:
    sound = json.dumps({"parsed": [item().model_dump()]})
    assert parse_updates(sound.encode())
    with pytest.raises(NotStrict):
        parse_updates(f"{sound[:-1]},{more}}}".encode())


@given(st.lists(st.integers(0, len(STREAM)), max_size=12), st.booleans())
def test_events_do_not_depend_on_how_the_stream_is_cut(cuts: list[int], crlf: bool) -> None:
    stream = STREAM.replace(b"\n", b"\r\n") if crlf else STREAM
    decoder, events, start = EventDecoder(4096), list[Event](), 0
    for end in [*sorted(cuts), len(stream)]:
        events += decoder.feed(stream[start:end])
        start = end
    assert [event.name for event in events] == [b"", b"error"]
    assert parse_updates(events[0].data)[0].id == FEEDS["ETH"].id
    assert events[1].data == b"Connection timeout reached (24h)"


@pytest.mark.parametrize(
    "flood",
    [
        b"data:" + b"x" * 600,
        b"data:" + b"x" * 600 + b"\n\n",
        b"data:xxxxxxxxxx\n" * 60,
        b"data:\n" * 600,
        b":" + b"x" * 600,
    ],
)
def test_an_event_may_not_outgrow_the_limit(flood: bytes) -> None:
    decoder = EventDecoder(512)
    with pytest.raises(EventTooLarge, match="larger than 512"):
        decoder.feed(flood)
