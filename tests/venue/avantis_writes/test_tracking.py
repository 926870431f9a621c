import itertools
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.venue.avantis_writes import relay_server as told
from venue.avantis.tracking import Seen, Stage, Track, Verdict, fold, nonce_slot, replayed, seen, verdict
from venue.net.sse import Event, EventDecoder

OPEN = (told.ACCEPTED, told.ATTEMPT, told.INITIATED, told.EXECUTED)


def folded(events: Iterable[told.Told], track: Track | None = None) -> Track:
    track = track or Track()
    for event in events:
        track = fold(track, Seen(event.seq, event.name, event.payload))
    return track


@pytest.mark.parametrize(
    ("events", "stage"),
    [
        ((), Stage.SENT),
        ((told.ACCEPTED,), Stage.ACCEPTED),
        ((told.ACCEPTED, told.ATTEMPT), Stage.ACCEPTED),
        ((told.ACCEPTED, told.INITIATED), Stage.REGISTERED),
        ((told.ACCEPTED, told.REQUESTED), Stage.REGISTERED),
        (OPEN, Stage.EXECUTED),
        ((told.ACCEPTED, told.REQUESTED, told.INCREASED), Stage.EXECUTED),
        ((told.ACCEPTED, told.INITIATED, told.CANCELED), Stage.CANCELED),
        ((told.ACCEPTED, told.ATTEMPT, told.FAILED), Stage.FAILED),
        ((told.ACCEPTED, told.TIMEOUT), Stage.ACCEPTED),
        ((told.ACCEPTED, replace(told.TIMEOUT, seq=1)), Stage.ACCEPTED),
        ((told.ACCEPTED, replace(told.FAILED, seq=None)), Stage.ACCEPTED),
        ((told.ACCEPTED, told.Told("SomethingNew", 1, {"trackingId": "x"})), Stage.ACCEPTED),
        ((told.EXECUTED,), Stage.EXECUTED),
    ],
)
def test_how_far_it_has_come(events: tuple[told.Told, ...], stage: Stage) -> None:
    assert folded(events).stage is stage
    assert folded(events).ended is (stage in (Stage.EXECUTED, Stage.CANCELED, Stage.FAILED))


def test_what_is_told_is_kept() -> None:
    track = folded(OPEN)
    assert (track.tracking_id, track.order_id, track.attempts, track.last_seq) == (told.ID, 42, 1, 3)
    assert folded((told.ACCEPTED, told.FAILED)).code == "ATTEMPTS_EXHAUSTED"


@given(st.lists(st.sampled_from(OPEN), max_size=20))
def test_whatever_comes_twice_or_late_the_end_is_the_same(noise: list[told.Told]) -> None:
    """Any events, then all of them in order: none that was passed over changes what is known."""
    track = folded(noise)
    again = folded(noise, track)
    assert again == track
    assert folded(OPEN, track).stage is Stage.EXECUTED
    assert not folded(OPEN, track).contradicted


def test_every_order_of_events_ends_as_executed_once_that_was_told() -> None:
    for order in itertools.permutations(OPEN):
        track = folded(order)
        assert track.stage is Stage.EXECUTED
        assert track.tracking_id == told.ID


def test_two_ends_contradict_and_the_first_stays() -> None:
    track = folded((*OPEN, replace(told.CANCELED, seq=4)))
    assert track.contradicted
    assert track.stage is Stage.EXECUTED
    assert not folded((*OPEN, replace(told.EXECUTED, seq=4))).contradicted


def test_an_id_is_given_once_and_is_an_id() -> None:
    track = folded((told.ACCEPTED, told.Told("MarketOrderAccepted", 1, {"trackingId": "other"})))
    assert track.tracking_id == told.ID
    for wrong in (None, 5, "", "..", "../../etc", "a b", "a\nb", "x" * 129, "?afterSeq=0"):
        assert folded((told.Told("MarketOrderAccepted", 0, {"trackingId": wrong}),)).tracking_id is None


odd: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)
)
names = st.sampled_from([event.name for event in (*OPEN, told.REQUESTED, told.INCREASED, told.CANCELED, told.FAILED)])
keys = st.sampled_from(["trackingId", "orderId", "code", "t", "price", "open", "usdcSentToTrader", "isPnl"])


@given(st.lists(st.builds(Seen, st.none() | st.integers(0, 9), names, st.dictionaries(keys, odd)), max_size=8))
def test_no_payload_stops_the_fold(events: list[Seen]) -> None:
    track = Track()
    for event in events:
        after = fold(track, event)
        assert after.last_seq >= track.last_seq
        assert not track.ended or after.stage is track.stage
        track = after


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_no_bytes_stop_the_reader(name: bytes, data: bytes, number: bytes) -> None:
    one = seen(Event(name, data, number))
    assert one is None or fold(Track(), one).stage in Stage
    replayed(data)


@given(st.integers(1, 40))
def test_a_stream_may_be_cut_anywhere(size: int) -> None:
    text = b"".join(event.streamed() for event in OPEN)
    decoder, track = EventDecoder(10_000), Track()
    for at in range(0, len(text), size):
        for event in decoder.feed(text[at : at + size]):
            one = seen(event)
            assert one is not None
            track = fold(track, one)
    assert track == folded(OPEN)


def test_a_replay_is_read_in_its_order() -> None:
    body = json.dumps({"events": [event.listed() for event in reversed(OPEN)]}).encode()
    events = replayed(body)
    assert events is not None
    assert [event.seq for event in events] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"events":{}}',
        b'{"events":[1]}',
        b'{"events":[{"seq":true,"type":"Error"}]}',
        b'{"events":[{"seq":1.5,"type":"Error"}]}',
        b'{"events":[{"seq":-1,"type":"Error"}]}',
        b'{"events":[{"seq":1000000000,"type":"Error"}]}',
        b'{"events":[{"seq":1}]}',
        b'{"events":[],"events":[]}',
    ],
)
def test_what_is_no_replay_is_none(body: bytes) -> None:
    assert replayed(body) is None


def test_a_replay_without_payloads_still_says_how_it_ended() -> None:
    registered, executed = (
        b'{"seq":1,"type":"MarketOrderInitiated","payload":{}}',
        b'{"seq":2,"type":"MarketOrderExecuted"}',
    )
    body = b'{"events":[' + registered + b"," + executed + b"]}"
    track = folded((told.ACCEPTED,))
    for event in replayed(body) or ():
        track = fold(track, event)
    assert track.stage is Stage.EXECUTED


def test_two_numbers_contradict() -> None:
    assert folded((told.INITIATED, replace(told.EXECUTED, payload={"orderId": 43}))).contradicted
    assert not folded((told.INITIATED, told.EXECUTED)).contradicted


@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))
def test_the_chain_has_the_last_word(nonce: int, others: int) -> None:
    word, bit = nonce_slot(nonce)
    assert word * 256 + bit == nonce
    used, unused = others | 1 << bit, others & ~(1 << bit)
    deadline = 1_800_000_000_123
    for block_time in (1_800_000_000, 1_800_000_001):
        assert verdict(used, nonce, deadline, block_time) is Verdict.USED
    assert verdict(unused, nonce, deadline, 1_800_000_000) is Verdict.OPEN
    assert verdict(unused, nonce, deadline, 1_800_000_001) is Verdict.NEVER
