import json

import httpx
import pytest

from tests.venue.avantis_writes.builder_server import Answer, BuilderServer, serving
from tests.venue.avantis_writes.golden import ASKED, FEE, HONEST, PRICES, answer, calldata
from venue.avantis.builder import REFUSALS, WINDOW_S, Builder, request
from venue.avantis.envelope import BuilderCode, NotOffered
from venue.chain.guard import GuardCode, Refused
from venue.net.client import Client

EVIL = Answer(answer("open", to="0x" + "ba" * 20))
DECLINED = Answer(b'{"ok": false, "error": {"code": "TX_REJECTED", "message": "no"}}')


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def refused(builder: Builder, name: str) -> BuilderCode | GuardCode | None:
    try:
        await builder.call(ASKED[name])
    except (NotOffered, Refused) as refusal:
        return refusal.code
    return None


def made(server: BuilderServer, clock: Time) -> tuple[Builder, Client]:
    client = Client(httpx.URL(server.url), within_s=8)
    return Builder((client,), clock), client


@pytest.mark.parametrize("name", HONEST)
async def test_what_is_asked_for_is_what_comes_back(name: str) -> None:
    async with serving() as server:
        builder, client = made(server, Time())
        server.answer = Answer(answer(name))
        call = await builder.call(ASKED[name])
        await client.aclose()
    path, body = request(ASKED[name])
    assert server.asked == [(f"/{path}", body)]
    assert call.data == calldata(ASKED[name])
    assert call.value == {"deposit": 1, "withdraw": 1, "approve": 0}.get(name, FEE)
    assert (PRICES[0] in call.data) == (name in ("deposit", "withdraw"))


async def test_three_refusals_open_the_circuit_for_what_adds_risk() -> None:
    clock = Time()
    async with serving() as server:
        builder, client = made(server, clock)
        server.answer = EVIL
        for count in range(REFUSALS):
            assert not builder.circuit.is_open
            assert builder.circuit.refusals == count
            assert await refused(builder, "open") is GuardCode.WRONG_TARGET
            clock.now += WINDOW_S / REFUSALS - 1
        assert builder.circuit.is_open
        assert builder.circuit.last is GuardCode.WRONG_TARGET
        asked = len(server.asked)
        for name in ("open", "increase", "approve"):
            assert await refused(builder, name) is BuilderCode.CIRCUIT_OPEN
        assert len(server.asked) == asked
        for name in ("close", "withdraw", "deposit"):
            server.answer = Answer(answer(name))
            assert await refused(builder, name) is None
        clock.now += WINDOW_S
        server.answer = Answer(answer("open"))
        assert await refused(builder, "open") is None
        assert not builder.circuit.refusals
        await client.aclose()


async def test_refusals_of_long_ago_and_honest_ones_do_not_count() -> None:
    clock = Time()
    async with serving() as server:
        builder, client = made(server, clock)
        for reply in (DECLINED, Answer(b"", 429), Answer(b"", 451), Answer(b"{}", 502)) * 3:
            server.answer = reply
            assert await refused(builder, "open") is not None
        assert builder.circuit.refusals == 0
        server.answer = EVIL
        for _ in range(2 * REFUSALS):
            assert await refused(builder, "open") is GuardCode.WRONG_TARGET
            clock.now += WINDOW_S / 2
        await client.aclose()


async def test_a_builder_that_is_not_there_is_no_builder() -> None:
    client = Client(httpx.URL("http://127.0.0.1:9"), within_s=8)
    builder = Builder((client,), Time())
    assert await refused(builder, "open") is BuilderCode.UNREACHABLE
    assert builder.circuit.refusals == 0
    await client.aclose()


async def test_yesterdays_answer_to_the_same_question_cannot_be_told_apart_and_does_what_is_asked() -> None:
    """The same words: what would be signed is what is asked for today."""
    async with serving() as server:
        builder, client = made(server, Time())
        server.answer = yesterday = Answer(answer("open"))
        call = await builder.call(ASKED["open"])
        await client.aclose()
    assert "0x" + call.data.hex() == json.loads(yesterday.body)["data"]["data"]


async def test_the_next_family_is_asked_when_one_does_not_answer_and_for_no_other_reason() -> None:
    away = Client(httpx.URL("http://127.0.0.1:9"), within_s=8)
    async with serving() as first, serving() as second:
        one, two = (Client(httpx.URL(server.url), within_s=8) for server in (first, second))
        second.answer = Answer(answer("close"))
        assert await refused(Builder((away, two), Time()), "close") is None
        first.answer = Answer(b"{}", 502)
        assert await refused(Builder((one, two), Time()), "close") is None
        for reply, code in (
            (Answer(b"", 451), BuilderCode.GEO_BLOCKED),
            (Answer(b"", 429), BuilderCode.RATE_LIMITED),
            (DECLINED, BuilderCode.DECLINED),
            (EVIL, GuardCode.WRONG_TARGET),
        ):
            first.answer, asked = reply, len(second.asked)
            assert await refused(Builder((one, two), Time()), "close") is code
            assert len(second.asked) == asked
        second.answer = EVIL
        assert await refused(Builder((away, two), Time()), "close") is GuardCode.WRONG_TARGET
        for client in (away, one, two):
            await client.aclose()
