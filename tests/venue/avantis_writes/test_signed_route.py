import asyncio
from dataclasses import replace

import httpx
import pytest

from tests.venue.avantis_writes import relay_server as told
from tests.venue.avantis_writes.intent_house import Memory, Process, routed
from tests.venue.avantis_writes.relay_stand import NOW, OPENED
from tests.venue.avantis_writes.signed_stand import CLOSING, DUE_MS, FILLED, GIVEN_BACK, LIFE, ended, housing
from venue.avantis.direct import Done, NoEffect, Unclear, UnderWay
from venue.avantis.intent_facts import Fact, IntentResult, IntentSigned, IntentSubmitting, IntentTracked
from venue.avantis.intent_log import Command, LogCode, RecordSigned, RecordTracked, Refusal
from venue.avantis.registered import Cancellation, Execution
from venue.avantis.relay import Relay
from venue.net.client import Client


async def test_a_whole_life_in_the_order_of_the_journal() -> None:
    async with housing([*LIFE]) as house:
        assert await house.route.ending("a") == NoEffect("NEVER_SENT", "nothing was ever signed for it")
        assert await house.send() is None
        await ended(house)
        assert isinstance(await house.looked(), UnderWay)
        assert await house.route.waiting_until() == {"a": DUE_MS}
        house.chain.use()
        assert await house.looked() == Done(OPENED, FILLED)
        names = ["IntentSigned", "IntentSubmitting", "IntentTracked", "IntentEvent", "IntentTaken", "IntentEnded"]
        assert [type(fact).__name__ for fact in house.memory.facts] == names
        assert await house.send() is None
        assert await house.route.pass_once() == "nothing open"
        assert house.posts() == 1


async def test_it_is_on_its_way_as_soon_as_the_relay_has_named_it() -> None:
    async with housing([told.ACCEPTED, told.Silence()]) as house:
        assert await house.send() is None
        assert isinstance(house.memory.facts[-1], IntentTracked)
        assert isinstance(await house.looked(), UnderWay)
        assert house.stand.server.asked_after == []
        await house.route.aclose()
        house.chain.use()
        assert await house.looked() == Done(OPENED, FILLED)
        assert house.posts() == 1


@pytest.mark.parametrize("fault", [told.Break(), told.Silence(), None, told.TIMEOUT])
@pytest.mark.parametrize("heard", [1, 2, 3])
async def test_a_stream_may_break_after_any_event(fault: told.Step | None, heard: int) -> None:
    async with housing([*LIFE[:heard], *([fault] if fault else [])]) as house:
        await house.send()
        await ended(house)
        house.chain.use()
        assert await house.looked() == Done(OPENED, FILLED)
        assert house.posts() == 1


@pytest.mark.parametrize("status", [200, 403, 500, 503])
async def test_without_a_tracking_id_the_chain_decides(status: int) -> None:
    async with housing([told.Break()] if status == 200 else []) as house:
        house.stand.server.status = status
        assert await house.send() is None
        assert await house.looked() == Unclear(
            f"handed over, and no answer came; the chain decides, it may be taken until {DUE_MS} ms"
        )
        house.chain.time_ms = DUE_MS
        assert isinstance(await house.looked(), Unclear)
        refused = await house.route.resolve("a", Cancellation(9), "by hand")
        assert isinstance(refused, Refusal)
        house.chain.time_ms += 1_000
        assert await house.looked() == NoEffect("EXPIRED", "the contract did not take it in time")
        assert house.posts() == 1


@pytest.mark.parametrize("script", [[told.Break()], [*LIFE], [told.ACCEPTED, told.FAILED]])
async def test_what_the_chain_has_and_tells_no_end_of_is_a_persons_business_in_the_end(script: list[told.Step]) -> None:
    async with housing(script) as house:
        await house.send()
        await ended(house)
        house.chain.use(None)
        assert isinstance(await house.looked(), UnderWay)
        house.late()
        unclear = await house.looked()
        assert isinstance(unclear, Unclear)
        assert unclear.stuck
        assert "no end of its order for too long. To resolve: find the order" in unclear.why
        assert await house.route.resolve("a", FILLED, "seen on the chain") is None
        assert await house.route.ending("a") == Done(OPENED, FILLED)


async def test_an_end_of_another_order_is_a_persons_business_at_once() -> None:
    async with housing([told.Break()]) as house:
        await house.send()
        house.chain.use(replace(FILLED, is_long=False))
        unclear = await house.looked()
        assert isinstance(unclear, Unclear)
        assert unclear.stuck
        assert "what was found is not a. To resolve: find the order" in unclear.why
        assert "is not a" in house.route.waiting["a"]
        assert isinstance(await house.route.resolve("a", replace(FILLED, is_long=False), "seen"), Refusal)
        assert await house.route.resolve("a", FILLED, "seen on the chain") is None
        assert await house.route.ending("a") == Done(OPENED, FILLED)


@pytest.mark.parametrize("found", [FILLED, Cancellation(90)])
async def test_the_chain_tells_what_the_relay_does_not(found: Execution | Cancellation) -> None:
    async with housing([told.ACCEPTED, told.FAILED], []) as house:
        await house.send()
        await ended(house)
        unclear = await house.looked()
        assert unclear == Unclear(
            f"the relay gave up: ATTEMPTS_EXHAUSTED; the chain decides, it may be taken until {DUE_MS} ms"
        )
        house.chain.use(found)
        ending = await house.looked()
        assert ending == (Done(OPENED, FILLED) if found is FILLED else GIVEN_BACK)


async def test_an_error_is_an_end_once_the_nonce_says_never() -> None:
    async with housing([told.ACCEPTED, told.FAILED], []) as house:
        await house.send()
        await ended(house)
        house.chain.time_ms = DUE_MS + 1_000
        why = "the relay said ATTEMPTS_EXHAUSTED; the contract did not take it in time"
        assert await house.looked() == NoEffect("EXPIRED", why)


async def test_a_cancellation_is_an_end_once_the_chain_tells_of_it() -> None:
    async with housing([told.ACCEPTED, told.INITIATED, told.CANCELED]) as house:
        await house.send()
        await ended(house)
        assert isinstance(await house.looked(), UnderWay)
        house.chain.use(None)
        assert isinstance(await house.looked(), UnderWay)
        house.chain.use(Cancellation(90))
        assert await house.looked() == GIVEN_BACK


async def test_a_relay_that_is_not_there_was_handed_nothing() -> None:
    async with housing([]) as house:
        away = Relay(Client(httpx.URL("http://127.0.0.1:9"), within_s=1), lambda: NOW)
        refused = await routed(Memory([], Process()), away, house.chain, lambda: NOW).send("a", OPENED)
        assert refused
        assert refused.code == IntentResult.NOT_SENT


async def test_a_close_names_since_when_its_position_has_stood() -> None:
    async with housing([*LIFE]) as house:
        house.chain.opened = None
        refused = await house.send(CLOSING)
        assert refused
        assert refused.code == "INTENT_POSITION_UNKNOWN"
        assert house.memory.facts == []
        house.chain.opened = NOW // 1000 - 5
        await house.send(CLOSING)
        signed = house.memory.facts[0]
        assert isinstance(signed, IntentSigned)
        assert signed.opened_at == NOW // 1000 - 5
        assert f"{signed.opened_at:064x}" in signed.encoded
        assert house.chain.asked == ["0/3", "0/3"]


async def test_whatever_the_journal_held_at_a_crash_nothing_is_handed_over_again() -> None:
    async with housing([*LIFE]) as house:
        await house.send()
        await ended(house)
        house.chain.use()
        await house.looked()
        for held in range(7):
            again = house.restart(house.memory.facts[:held])
            ending = await again.looked()
            if held > 1:
                assert ending == Done(OPENED, FILLED)
            else:
                assert isinstance(ending, NoEffect)
                assert ending.code == ("NOT_SENT" if held else "NEVER_SENT")
            assert house.posts() == 1 or held
            if held:
                await again.send()
        assert house.posts() == 1


async def test_an_order_in_hand_is_under_way_and_not_sent_twice() -> None:
    async with housing([*LIFE]) as house:
        first, second = asyncio.create_task(house.send()), asyncio.create_task(house.send())
        await asyncio.sleep(0)
        assert isinstance(await house.route.ending("a"), UnderWay)
        assert [*await asyncio.gather(first, second)] == [None, None]
        assert house.posts() == 1


async def test_a_pass_leaves_alone_what_is_in_hand() -> None:
    class Meanwhile(Memory):
        async def submit(self, command: Command) -> tuple[Fact, ...] | Refusal:
            answer = await super().submit(command)
            if isinstance(command, RecordSigned):
                await route.pass_once()
            return answer

    async with housing([*LIFE]) as house:
        route = routed(Meanwhile(house.memory.facts, Process()), house.stand.relay, house.chain, lambda: NOW)
        assert await route.send("a", OPENED) is None
        assert house.posts() == 1
        await route.aclose()


async def test_a_journal_that_cannot_be_written_is_not_passed_over() -> None:
    class Full(Memory):
        async def submit(self, command: Command) -> tuple[Fact, ...] | Refusal:
            if isinstance(command, RecordTracked):
                raise OSError("disk full")
            return await super().submit(command)

    async with housing([*LIFE]) as house:
        route = routed(Full(house.memory.facts, Process()), house.stand.relay, house.chain, lambda: NOW)
        with pytest.raises(OSError, match="disk full"):
            await route.send("a", OPENED)
        assert isinstance(house.memory.facts[-1], IntentSubmitting)


async def test_a_registration_the_chain_does_not_show_is_a_persons_business_in_the_end() -> None:
    async with housing([told.ACCEPTED, told.INITIATED], [told.INITIATED]) as house:
        await house.send()
        await ended(house)
        house.late()
        unclear = await house.looked()
        assert isinstance(unclear, Unclear)
        assert unclear.stuck
        assert "does not show nonce 7" in unclear.why
        assert "nonce is unused" in house.route.waiting["a"]


def test_codes_are_told_apart() -> None:
    assert not {code.value for code in LogCode} & {result.value for result in IntentResult}
