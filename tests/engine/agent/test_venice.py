import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from engine.agent.plan import NoPlan, NoPlanCode, Plan, Tier
from engine.agent.venice_guard import BAN, MOST_FAILURES
from engine.agent.venice_state import VenicePhase
from tests.engine.agent.asking import CASES, SIGHT, agrees, asking, refused, unusable
from tests.engine.agent.venice_server import CHEAP, KEY, Act, FakeVenice, completion, serving
from tests.engine.house import ManualClock

NOON_MS = 1_700_049_600_000
"""2023-11-15T12:00:00Z."""


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FakeVenice]:
    async with serving() as each:
        yield each


async def test_a_good_answer_is_a_plan(server: FakeVenice) -> None:
    async with asking(server) as venice:
        tier: Tier = venice
        assert venice.state().phase is VenicePhase.NOT_ASKED
        plan = await tier.plan(SIGHT)
        assert plan == Plan("venice", True, "ETH", True, 5, "momentum beats the costs", asked_leverage=5)
        state = venice.state()
    assert (state.phase, state.text, state.model, state.key_source) == ("ready", "ready", CHEAP, "environment")
    assert (state.balance_diem, state.balance_usd, state.requests_left) == (Decimal("0.98765"), Decimal("12.5"), 74)
    assert (state.asked, state.answered, state.failed, state.last_latency_ms) == (1, 1, 0, 0)


async def test_the_request_says_what_it_must(server: FakeVenice) -> None:
    async with asking(server) as venice:
        await venice.plan(SIGHT)
        await venice.plan(SIGHT)
    first, second = server.chats
    assert json.dumps(first) == json.dumps(second)  # no history, no chance
    assert first["venice_parameters"] == {
        "include_venice_system_prompt": False,
        "strip_thinking_response": True,
        "disable_thinking": True,
        "enable_web_search": "off",
    }
    assert (first["temperature"], first["max_completion_tokens"]) == (0.2, 400)
    assert server.lists == 1


async def test_every_answer_of_the_corpus_over_the_wire(server: FakeVenice) -> None:
    """One desk meets them all: none may leave anything behind that changes how the next is judged."""
    server.acts.extend(Act(content=case.content) for case in CASES)
    async with asking(server) as venice:
        for case in CASES:
            try:
                agrees(case, await venice.plan(SIGHT))
            except NoPlan as refusal:
                unusable(case, refusal)
    assert len(server.chats) == len(CASES)  # an unusable answer is not asked for again


@pytest.mark.parametrize(
    "act",
    [
        Act(body=b""),
        Act(body=b"{"),
        Act(body=b"<html>hello</html>"),
        Act(body=b"\xff\xfe"),
        Act(body=b"[" * 100_000),
        Act(completion={"choices": []}),
        Act(completion={"choices": completion("m", "{}")["choices"] * 2}),
        Act(completion={"choices": completion("m", "{}", "length")["choices"]}),
        Act(completion={"choices": completion("m", "{}", "tool_calls")["choices"]}),
        Act(completion={"choices": completion("m", None)["choices"]}),
        Act(completion={"choices": completion("m", [{"type": "text", "text": "{}"}])["choices"]}),
        Act(completion={"choices": completion("m", {"allow": True})["choices"]}),
        Act(completion={"choices": [{"finish_reason": "stop"}]}),
        Act(completion={"choices": None}),
    ],
    ids=repr,
)
async def test_a_completion_of_another_shape_is_unusable(server: FakeVenice, act: Act) -> None:
    server.acts.append(act)
    async with asking(server) as venice:
        await refused(venice, NoPlanCode.BAD_ANSWER)
        assert (await venice.plan(SIGHT)).allow


@pytest.mark.parametrize("drip", [True, False], ids=["drip", "hang"])
async def test_the_deadline_cuts_a_server_that_does_not_finish(server: FakeVenice, drip: bool) -> None:
    server.acts.append(Act(drip=drip, hold=not drip))
    async with asking(server, timeout_s=0.2) as venice:
        refusal = await refused(venice, NoPlanCode.TIMED_OUT)
        assert refusal.detail == "no answer in 0.2 s"
        assert (await venice.plan(SIGHT)).allow
        assert (venice.state().asked, venice.state().failed) == (2, 1)


async def test_the_deadline_holds_for_both_attempts_together(server: FakeVenice) -> None:
    server.acts.extend((Act(status=500), Act(hold=True)))
    async with asking(server, timeout_s=0.2) as venice:
        await refused(venice, NoPlanCode.TIMED_OUT)
    assert len(server.chats) == 2


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (Act(status=500, body=b'{"error":"Inference processing failed"}'), NoPlanCode.SERVER_FAULT),
        (Act(status=502, body=b"<html>Bad Gateway</html>"), NoPlanCode.SERVER_FAULT),
        (Act(status=503, body=b'{"error":"MODEL_AT_CAPACITY"}'), NoPlanCode.BUSY),
        (Act(status=504), NoPlanCode.SERVER_FAULT),
        (Act(cut=True), NoPlanCode.UNREACHABLE),
        (Act(abort=True), NoPlanCode.UNREACHABLE),
        (Act(body=b" " * 300_000), NoPlanCode.SERVER_FAULT),
        (Act(headers={"Content-Encoding": "gzip"}), NoPlanCode.SERVER_FAULT),
    ],
    ids=repr,
)
async def test_a_passing_fault_is_met_with_one_more_attempt(server: FakeVenice, act: Act, code: NoPlanCode) -> None:
    async with asking(server) as venice:
        server.acts.append(act)
        assert (await venice.plan(SIGHT)).allow
        server.acts.extend((act, act))
        await refused(venice, code)
    assert len(server.chats) == 4


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (Act(status=400, body=b'{"error":"Invalid request parameters"}'), "(400): Invalid request parameters"),
        (Act(status=403, body=b'{"error":{"message":"No","code":"UNAUTHORIZED"}}'), "(403): No UNAUTHORIZED"),
        (Act(status=418, body=b"\x1b[2J\n tea \xe2\x80\xae"), "(418): [2J tea"),
        (Act(status=422, body=b""), "(422)"),
        (Act(status=413, body=b"<!doctype html>"), "(413): an HTML page"),
        (Act(status=400, body=b"x" * 5000), "(400): " + "x" * 160),
        (Act(status=400, body=b'{"error":[[1]]}'), "(400)"),
        (Act(status=400, body=b"[" * 50_000), "(400): " + "[" * 160),
        (Act(status=302, headers={"Location": "http://127.0.0.1:1/"}), "redirect refused (302)"),
    ],
    ids=lambda each: repr(each)[:40],
)
async def test_a_refusal_is_not_repeated_and_told_in_one_line(server: FakeVenice, act: Act, said: str) -> None:
    server.acts.append(act)
    async with asking(server) as venice:
        assert (await refused(venice, NoPlanCode.REFUSED)).detail.endswith(said)
    assert len(server.chats) == 1


async def test_nobody_there() -> None:
    async with serving() as server:
        pass
    async with asking(server) as venice:
        await refused(venice, NoPlanCode.UNREACHABLE)


async def test_a_refused_key_is_never_sent_again(server: FakeVenice) -> None:
    clock = ManualClock()
    async with asking(server, clock, key="vnc-wrong") as venice:
        assert (await refused(venice, NoPlanCode.KEY_REFUSED)).detail == "Venice refuses the key (401)"
        server.keys.add("vnc-wrong")
        clock.advance(90_000)
        await refused(venice, NoPlanCode.KEY_REFUSED)
        state = venice.state()
    assert server.chats == []
    assert (state.phase, state.until_ms, state.key_source) == (VenicePhase.KEY_REFUSED, None, "none")


async def test_without_a_key_nobody_is_asked(server: FakeVenice) -> None:
    async with asking(server, key=None) as venice:
        await refused(venice, NoPlanCode.NO_KEY)
        assert venice.state().text == "no key"
    assert server.lists == 0


async def test_no_balance_lasts_until_midnight(server: FakeVenice) -> None:
    clock = ManualClock(NOON_MS)
    server.acts.append(Act(status=402, body=b'{"error":"Insufficient USD or Diem balance"}'))
    async with asking(server, clock) as venice:
        assert "Insufficient" in (await refused(venice, NoPlanCode.NO_BALANCE)).detail
        clock.advance(12 * 3600 - 1)
        assert (await refused(venice, NoPlanCode.NO_BALANCE)).detail == "no balance until 00:00 UTC"
        assert venice.state().text == "no balance until 00:00 UTC"
        assert len(server.chats) == 1
        clock.advance(1)
        assert (await venice.plan(SIGHT)).allow
        assert venice.state().phase is VenicePhase.READY


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 60),
        ({"retry-after": "7"}, 7),
        ({"x-ratelimit-reset-requests": str(NOON_MS // 1000 + 90)}, 90),
        ({"x-ratelimit-reset-requests": str(NOON_MS // 1000 + 90), "retry-after": "5"}, 90),
        ({"x-ratelimit-reset-requests": str(NOON_MS // 1000 - 90)}, 60),
        ({"x-ratelimit-reset-requests": str(NOON_MS + 90_000)}, 60),
        ({"x-ratelimit-reset-requests": "soon", "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 3600),
        ({"retry-after": "-5"}, 60),
        ({"retry-after": "NaN"}, 60),
        ({"retry-after": "80000"}, 3600),
    ],
    ids=repr,
)
async def test_rate_limits_are_kept(server: FakeVenice, headers: dict[str, str], seconds: int) -> None:
    clock = ManualClock(NOON_MS)
    server.acts.append(Act(status=429, headers=headers, body=b'{"error":"Rate limit exceeded"}'))
    async with asking(server, clock) as venice:
        await refused(venice, NoPlanCode.RATE_LIMITED)
        clock.advance(seconds - 0.5)
        await refused(venice, NoPlanCode.RATE_LIMITED)
        assert venice.state().until_ms == NOON_MS + seconds * 1000
        assert venice.state().phase is VenicePhase.RATE_LIMITED
        assert len(server.chats) == 1
        clock.advance(0.5)
        assert (await venice.plan(SIGHT)).allow


async def test_we_rest_before_the_server_bans_us(server: FakeVenice) -> None:
    clock = ManualClock()
    server.acts.extend(Act(status=500) for _ in range(100))
    async with asking(server, clock, in_flight=40) as venice:
        for _ in range(MOST_FAILURES):
            await refused(venice, NoPlanCode.SERVER_FAULT if len(server.chats) < MOST_FAILURES else NoPlanCode.BUSY)
        assert len(server.chats) == MOST_FAILURES + 1
        assert venice.state().phase is VenicePhase.RESTING
        server.acts.clear()
        clock.advance(29.9)
        await refused(venice, NoPlanCode.BUSY)
        clock.advance(0.1)
        assert (await venice.plan(SIGHT)).allow


async def test_not_even_everything_failing_at_once_earns_a_ban(server: FakeVenice) -> None:
    server.acts.extend(Act(status=500, hold=True) for _ in range(100))
    async with asking(server, in_flight=60) as venice:
        callers = [asyncio.create_task(venice.plan(SIGHT)) for _ in range(60)]
        await server.until_open(BAN)
        server.released.set()
        ends = await asyncio.gather(*callers, return_exceptions=True)
    assert len(server.chats) == BAN  # none of them was asked a second time
    assert {end.code for end in ends if isinstance(end, NoPlan)} == {NoPlanCode.BUSY}


async def test_no_more_than_so_many_at_once(server: FakeVenice) -> None:
    server.acts.extend(Act(hold=True) for _ in range(12))
    async with asking(server, in_flight=4) as venice:
        callers = [asyncio.create_task(venice.plan(SIGHT)) for _ in range(12)]
        await server.until_open(4)
        server.released.set()
        assert all([(await caller).allow for caller in callers])
    assert server.most_open == 4
    assert server.lists == 1


async def test_cancellation_passes_through_and_leaves_nothing_behind(server: FakeVenice) -> None:
    server.acts.append(Act(hold=True))
    async with asking(server, in_flight=1) as venice:
        caller = asyncio.create_task(venice.plan(SIGHT))
        await server.until_open(1)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert (await venice.plan(SIGHT)).allow


async def test_a_market_that_cannot_be_entered_is_not_asked_about(server: FakeVenice) -> None:
    async with asking(server) as venice:
        plan = await venice.plan(replace(SIGHT, markets=SIGHT.markets[2:]))
        assert (plan.allow, plan.reason) == (False, "SOL: no tradable price; DOGE: the caps leave no leverage")
        assert (await venice.plan(replace(SIGHT, markets=()))).reason == "no market is offered"
        assert venice.state().asked == 0
    assert server.lists == 0


async def test_what_nobody_foresaw_is_a_fault_without_words(
    server: FakeVenice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Any:
        raise RuntimeError(f"Authorization: Bearer {KEY}")

    monkeypatch.setattr("engine.agent.prompt.messages", broken)
    async with asking(server) as venice:
        with capture_logs() as logs:
            refusal = await refused(venice, NoPlanCode.SERVER_FAULT)
    assert refusal.detail == "unexpected RuntimeError"
    assert KEY not in repr(logs)
    assert "broken" in repr(logs)


async def test_a_server_that_echoes_the_key_gets_it_no_further(server: FakeVenice) -> None:
    said = json.dumps(json.loads(completion_content()) | {"reason": f"you sent Bearer {KEY} and {KEY}"})
    server.acts.append(Act(content=said))
    with capture_logs() as logs:
        async with asking(server) as venice:
            plan = await venice.plan(SIGHT)
    assert plan.allow
    assert KEY not in plan.reason + repr(logs)
    assert "***" in plan.reason


async def test_an_envelope_that_says_a_thing_twice_is_no_answer(server: FakeVenice) -> None:
    whole = json.dumps(completion(CHEAP, completion_content()))
    server.acts.append(Act(body=whole.replace("{", '{"choices":[],', 1).encode()))
    async with asking(server) as venice:
        await refused(venice, NoPlanCode.BAD_ANSWER)


async def test_waiting_for_a_place_is_no_slow_answer(server: FakeVenice) -> None:
    async with asking(server, in_flight=1, timeout_s=0.5) as venice:
        server.answer_after_s = 0.1
        plans = await asyncio.gather(*(venice.plan(SIGHT) for _ in range(8)))
    assert all(plan.allow for plan in plans)


def completion_content() -> str:
    return json.dumps(
        {
            "request_id": SIGHT.request_id,
            "allow": True,
            "market": "ETH",
            "side": "long",
            "leverage": 5,
            "reason": "momentum beats the costs",
        }
    )
