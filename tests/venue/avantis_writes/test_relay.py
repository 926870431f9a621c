import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.venue.avantis_writes import relay_server as told
from tests.venue.avantis_writes.relay_stand import LIFE, NOW, WALLET, executed, signed, standing
from venue.avantis.asked import Close, Increase
from venue.avantis.intents import CloseIntent, IncreaseIntent, Intent, TriggersIntent
from venue.avantis.relay import NotJournaled, Rejected, Relay, RelayCode, Unsettled
from venue.avantis.tracking import Stage, Track
from venue.avantis.units import TEN, USDC
from venue.net.client import Client


async def test_an_order_is_handed_over_and_streamed_to_its_end() -> None:
    async with standing() as stand:
        stand.server.script = list(LIFE)
        executed(await stand.submit())
    intent = signed()
    assert stand.journal == [told.ID]
    assert stand.server.asked_after == []
    assert stand.server.orders == [
        {
            "orderType": 0,
            "erc712": {"userIntent": f"0x{intent.encoded.hex()}", "userSignature": f"0x{intent.signature.hex()}"},
        }
    ]


@pytest.mark.parametrize(
    ("intent", "order_type"),
    [
        (CloseIntent(Close(WALLET, 0, 3, USDC, TEN, TEN), 1_700_000_000, NOW + 60_000, 1), 1),
        (IncreaseIntent(Increase(WALLET, 0, 3, USDC, TEN, TEN, TEN), NOW + 60_000, 1), 9),
    ],
)
async def test_the_relay_has_a_list_of_its_own_of_what_an_order_is(intent: Intent, order_type: int) -> None:
    async with standing() as stand:
        stand.server.script = [told.ACCEPTED, told.REQUESTED, told.INCREASED]
        executed(await stand.relay.submit(signed(intent), stand.on_accepted))
    assert [order["orderType"] for order in stand.server.orders] == [order_type]


@pytest.mark.parametrize(("end", "stage"), [(told.CANCELED, Stage.CANCELED), (told.FAILED, Stage.FAILED)])
async def test_other_ends(end: told.Told, stage: Stage) -> None:
    async with standing() as stand:
        stand.server.script = [told.ACCEPTED, told.INITIATED, end]
        outcome = await stand.submit()
    assert isinstance(outcome, Track)
    assert outcome.stage is stage


@pytest.mark.parametrize("fault", [told.Break(), told.Silence(), told.Drip(), told.Flood(), None])
@pytest.mark.parametrize("told_before", [1, 2, 3])
async def test_a_stream_that_breaks_after_the_id_is_replayed_from_there(
    fault: told.Step | None, told_before: int
) -> None:
    async with standing(stream_s=0.4) as stand:
        stand.server.script = [*LIFE[:told_before], *([fault] if fault else [])]
        track = executed(await stand.submit())
    assert track.attempts == 1
    assert stand.journal == [told.ID]
    assert stand.server.asked_after == [str(told_before - 1)]
    assert len(stand.server.orders) == 1


@pytest.mark.parametrize("fault", [told.Break(), told.Silence(), told.Drip(), told.Flood(), None, told.TIMEOUT])
async def test_a_stream_that_breaks_before_the_id_is_unsettled(fault: told.Step | None) -> None:
    async with standing(stream_s=0.4) as stand:
        stand.server.script = [fault] if fault else []
        outcome = await stand.submit()
        again = await stand.submit()
    assert outcome == Unsettled(RelayCode.LOST, Track())
    assert isinstance(again, Rejected)
    assert again.code is RelayCode.ALREADY_SENT
    assert stand.journal == []
    assert len(stand.server.orders) == 1


async def test_what_is_told_twice_or_late_changes_nothing() -> None:
    late = [told.ACCEPTED, told.INITIATED, told.ATTEMPT, told.ACCEPTED, told.INITIATED, told.EXECUTED, told.EXECUTED]
    async with standing() as stand:
        stand.server.script = list(late)
        executed(await stand.submit())
    assert stand.journal == [told.ID]


@pytest.mark.parametrize("timeout", [told.TIMEOUT, replace(told.TIMEOUT, seq=2)])
async def test_the_end_of_the_stream_is_not_the_orders(timeout: told.Told) -> None:
    async with standing() as stand:
        stand.server.script = [told.ACCEPTED, timeout]
        stand.server.log = [told.INITIATED, replace(told.EXECUTED, seq=3)]
        executed(await stand.submit())


async def test_an_id_that_comes_late_is_an_id() -> None:
    async with standing() as stand:
        stand.server.script = [told.INITIATED, told.ACCEPTED, told.Break()]
        executed(await stand.submit())
    assert stand.journal == [told.ID]
    assert stand.server.asked_after == ["2"]


async def test_unknown_events_are_passed_over() -> None:
    async with standing() as stand:
        new = told.Told("OrderSawAButterfly", 1, {"code": "STREAM_TIMEOUT", "trackingId": "other"})
        stand.server.script = [new, told.ACCEPTED, *LIFE]
        stand.server.script[0] = replace(new, seq=None)
        executed(await stand.submit())


@pytest.mark.parametrize("status", [401, 403, 404, 409, 429, 451, 500, 502, 503, 302, 201])
async def test_a_status_that_promises_nothing_is_unsettled(status: int) -> None:
    async with standing() as stand:
        stand.server.status = status
        stand.server.script = list(LIFE)
        outcome = await stand.submit()
    assert outcome == Unsettled(RelayCode.NO_STREAM, Track())
    assert len(stand.server.orders) == 1


async def test_an_answer_that_is_no_stream_is_unsettled() -> None:
    async with standing() as stand:
        stand.server.media_type = "application/json"
        assert await stand.submit() == Unsettled(RelayCode.NO_STREAM, Track())


async def test_400_is_no_promise_either() -> None:
    async with standing() as stand:
        stand.server.status = 400
        outcome = await stand.submit()
        again = await stand.submit()
    assert outcome == Unsettled(RelayCode.REJECTED, Track(Stage.FAILED, code="RELAY_REJECTED"))
    assert isinstance(again, Rejected)
    assert again.code is RelayCode.ALREADY_SENT
    assert len(stand.server.orders) == 1


async def test_a_relay_that_is_not_there_was_sent_nothing() -> None:
    relay = Relay(Client(httpx.URL("http://127.0.0.1:9"), within_s=1), lambda: NOW)
    for _ in range(2):
        outcome = await relay.submit(signed(), _nobody)
        assert isinstance(outcome, Rejected)
        assert outcome.code is RelayCode.NOT_SENT


async def _nobody(_: str) -> None:
    raise AssertionError


async def test_expired_intents_and_other_messages_are_not_sent() -> None:
    async with standing() as stand:
        triggers = signed(TriggersIntent(WALLET, 0, 3, 0, 0, NOW + 60_000, 1))
        outcome = await stand.relay.submit(triggers, stand.on_accepted)
        assert isinstance(outcome, Rejected)
        assert outcome.code is RelayCode.NOT_AN_ORDER
        stand.now = NOW + 120_000
        outcome = await stand.submit()
    assert isinstance(outcome, Rejected)
    assert outcome.code is RelayCode.EXPIRED
    assert stand.server.orders == []


async def test_two_at_once_are_one() -> None:
    async with standing() as stand:
        stand.server.script = list(LIFE)
        first, second = await asyncio.gather(stand.submit(), stand.submit())
    executed(first)
    assert isinstance(second, Rejected)
    assert second.code is RelayCode.ALREADY_SENT
    assert len(stand.server.orders) == 1


async def test_the_id_is_written_down_before_anything_else_is_waited_for() -> None:
    order: list[str] = []
    async with standing() as stand:
        stand.server.script = [told.ACCEPTED, told.Break()]

        async def slowly(tracking_id: str) -> None:
            await asyncio.sleep(0.1)
            order.append(f"{tracking_id} after {len(stand.server.asked_after)} questions")

        executed(await stand.relay.submit(signed(), slowly))
    assert order == [f"{told.ID} after 0 questions"]


async def test_an_id_whose_writing_outlasts_the_stream_is_written_again() -> None:
    attempts: list[str] = []
    async with standing(stream_s=0.2) as stand:
        stand.server.script = [told.ACCEPTED, told.Silence()]

        async def slow_at_first(tracking_id: str) -> None:
            attempts.append(tracking_id)
            assert stand.server.asked_after == []
            await asyncio.sleep(0.0 if len(attempts) > 1 else 3.0)

        executed(await stand.relay.submit(signed(), slow_at_first))
    assert attempts == [told.ID, told.ID]


@pytest.mark.parametrize("error", [OSError("disk full"), TimeoutError(), RuntimeError()])
async def test_an_id_that_cannot_be_written_down_is_not_taken_for_a_broken_stream(error: Exception) -> None:
    async with standing() as stand:
        stand.server.script = list(LIFE)

        async def fails(_: str) -> None:
            raise error

        with pytest.raises(NotJournaled) as caught:
            await stand.relay.submit(signed(), fails)
    assert caught.value.tracking_id == told.ID
    assert caught.value.__cause__ is error
    assert stand.server.asked_after == []


KNOWN = Track(Stage.ACCEPTED, told.ID, 0)


async def test_an_order_of_an_earlier_process_is_followed_without_being_sent() -> None:
    async with standing() as stand:
        executed(await stand.relay.follow(KNOWN, stand.on_accepted))
    assert stand.server.orders == []
    assert stand.server.asked_after == ["0"]
    assert stand.journal == []


@pytest.mark.parametrize("fault", [500, 429, 502, 302, b"<html>", b"{}", b'{"events":[{"seq":"1"}]}', b" " * 70_000])
async def test_a_question_may_fail_and_is_asked_again(fault: Any) -> None:
    async with standing() as stand:
        stand.server.status_faults.extend([fault, fault])
        executed(await stand.relay.follow(KNOWN, stand.on_accepted))
    assert stand.server.asked_after == ["0", "0", "0"]


async def test_an_id_the_relay_does_not_know_is_unsettled() -> None:
    async with standing() as stand:
        stand.server.known = False
        outcome = await stand.relay.follow(KNOWN, stand.on_accepted)
    assert outcome == Unsettled(RelayCode.UNKNOWN_ID, KNOWN)


async def test_an_order_without_an_end_is_unsettled_with_all_that_is_known() -> None:
    async with standing(follow_s=0.15) as stand:
        stand.server.log = LIFE[:3]
        outcome = await stand.relay.follow(KNOWN, stand.on_accepted)
    assert isinstance(outcome, Unsettled)
    assert outcome.code is RelayCode.NO_END
    assert (outcome.track.stage, outcome.track.last_seq, outcome.track.order_id) == (Stage.REGISTERED, 2, 42)
    assert stand.server.asked_after[-1] == "2"
