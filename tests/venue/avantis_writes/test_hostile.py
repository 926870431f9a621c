import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, Literal

import httpx
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from tests.scale import SEED, scaled
from tests.venue.avantis_writes.builder_server import BuilderServer, serving
from tests.venue.avantis_writes.golden import ASKED, FEE, HONEST, PRICE, answer, calldata, offer
from tests.venue.avantis_writes.hostile import CASES, asked_in, made
from tests.venue.avantis_writes.support import Way
from venue.avantis.asked import Approve, Margin
from venue.avantis.builder import Builder
from venue.net.client import MAX_BODY, Client, Reply

GENERATED = scaled(2_000, 2_000, 20_000)
"""Answers that differ."""


class Canned(Client):
    """Every request gets the same answer, without a network."""

    body = b""

    async def send(
        self,
        method: Literal["GET", "POST", "PUT"],
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: JsonValue = None,
        auth: httpx.Auth | None = None,
        limit: int = MAX_BODY,
        within_s: float | None = None,
    ) -> Reply:
        return Reply(200, httpx.Headers({"content-type": "application/json"}), self.body)


def way(client: Client, within_s: float = 8.0) -> Way:
    return Way(Builder((client,), lambda: 0.0, within_s=within_s))


async def test_every_hostile_answer_is_refused_for_its_own_reason(tried: Callable[[int], None]) -> None:
    async with serving() as server, serving() as elsewhere:
        client = Client(httpx.URL(server.url), within_s=8)
        found = {case["name"]: await attacked(server, client, case, elsewhere.url) for case in CASES}
        await client.aclose()
        assert elsewhere.asked == []
    assert found == {case["name"]: case["code"] for case in CASES}
    tried(len(found))


async def attacked(server: BuilderServer, client: Client, case: dict[str, Any], elsewhere: str) -> str:
    server.answer = made(case, elsewhere)
    attempt = way(client, within_s=0.3 if case["row"] == "B10" else 8.0)
    code = await attempt.go(asked_in(case))
    assert attempt.signed == [], case
    assert all(said.isprintable() for said in attempt.said), case
    return code


def test_there_are_enough_of_them_in_every_row() -> None:
    assert len(CASES) >= 60
    assert len({case["name"] for case in CASES}) == len(CASES)
    assert {case["row"] for case in CASES} == {f"B{row}" for row in range(1, 12)}


@pytest.mark.parametrize("name", HONEST)
async def test_honest_answers_are_signed(name: str) -> None:
    async with serving() as server:
        client = Client(httpx.URL(server.url), within_s=8)
        attempt = way(client)
        for body in honest(name):
            server.answer = type(server.answer)(body)
            assert await attempt.go(ASKED[name]) == "", body
        await client.aclose()
    assert len(attempt.signed) == len(honest(name))


def honest(name: str) -> list[bytes]:
    told = offer(name)
    same = [
        answer(name),
        json.dumps({"ok": True, "data": told}).encode(),
        answer(name, to=told["to"].lower(), **{"from": "0x" + told["from"][2:].upper()}),
        answer(name, data="0x" + told["data"][2:].upper()),
    ]
    if isinstance(ASKED[name], Margin | Approve):
        return same
    word = {"open": 5, "close": 3, "increase": 3}[name]
    at = 4 + 32 * word
    data, edges = calldata(ASKED[name]), (PRICE - PRICE // 100, PRICE + PRICE // 100)
    moved = [data[:at] + edge.to_bytes(32, "big") + data[at + 32 :] for edge in edges]
    return [
        *same,
        *(answer(name, value=value) for value in ("0x0", hex(10**15))),
        *(answer(name, data="0x" + each.hex()) for each in moved),
    ]


FREE = {"open": (5,), "close": (3,), "increase": (3,)}
FIXED_WORDS = {"open": 13, "close": 4, "increase": 7, "deposit": 6, "withdraw": 6, "approve": 2}
words = st.integers(0, 2**256 - 1)


@st.composite
def flipped(draw: st.DrawFn) -> tuple[str, bytes]:
    """One bit of a word that is not the builder's to choose, or of the selector."""
    name = draw(st.sampled_from(HONEST))
    bits = [bit for bit in range(8 * (4 + 32 * FIXED_WORDS[name])) if (bit // 8 - 4) // 32 not in FREE.get(name, ())]
    bit = draw(st.sampled_from(bits))
    data = bytearray(calldata(ASKED[name]))
    data[bit // 8] ^= 1 << bit % 8
    return name, answer(name, data="0x" + data.hex())


@st.composite
def out_of_bounds(draw: st.DrawFn) -> tuple[str, bytes]:
    """A price that nobody allowed."""
    name = draw(st.sampled_from(sorted(FREE)))
    stray = PRICE // 100
    price = draw(st.integers(0, PRICE - stray - 1) | st.integers(PRICE + stray + 1, 2**256 - 1))
    at, data = 4 + 32 * FREE[name][0], calldata(ASKED[name])
    return name, answer(name, data="0x" + (data[:at] + price.to_bytes(32, "big") + data[at + 32 :]).hex())


@st.composite
def resized(draw: st.DrawFn) -> tuple[str, bytes]:
    """Calldata that goes on, or stops."""
    name = draw(st.sampled_from(HONEST))
    data = calldata(ASKED[name])
    cut = data[: draw(st.integers(0, len(data) - 1))]
    return name, answer(
        name, data="0x" + draw(st.just(cut) | st.binary(min_size=1).map(lambda more: data + more)).hex()
    )


@st.composite
def overcharged(draw: st.DrawFn) -> tuple[str, bytes]:
    """More native coin than may be."""
    name = draw(st.sampled_from(HONEST))
    least = 2 if isinstance(ASKED[name], Margin) else 1 if isinstance(ASKED[name], Approve) else 10**15 + 1
    return name, answer(name, value=hex(draw(st.integers(least, 2**300))))


@st.composite
def misdirected(draw: st.DrawFn) -> tuple[str, bytes]:
    """Another contract, another wallet or another chain."""
    name = draw(st.sampled_from(HONEST))
    address = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
    field = draw(st.sampled_from(("to", "from", "chainId")))
    value = draw(st.integers().filter(lambda chain: chain != 8453) if field == "chainId" else address)
    return name, answer(name, **{field: value})


@st.composite
def mistyped(draw: st.DrawFn) -> tuple[str, bytes]:
    """A field with something in it that does not belong there, or without anything."""
    name = draw(st.sampled_from(HONEST))
    odd = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=80)
    field = draw(st.sampled_from(("to", "from", "data", "value", "chainId")))
    data = offer(name) | {field: draw(odd | st.lists(st.integers(), max_size=2))}
    if draw(st.booleans()):
        del data[field]
    return name, json.dumps({"ok": True, "data": data}).encode()


@st.composite
def garbled(draw: st.DrawFn) -> tuple[str, bytes]:
    """A visible character put anywhere into the text, or the text cut off."""
    name = draw(st.sampled_from(HONEST))
    body = json.dumps({"ok": True, "data": offer(name)}).encode()
    at = draw(st.integers(0, len(body) - 1))
    more = bytes((draw(st.integers(33, 126)),))
    return name, draw(st.sampled_from((body[:at], body[:at] + more + body[at:])))


async def _attempted(name: str, body: bytes) -> tuple[str, int]:
    client = Canned.__new__(Canned)
    client.body = body
    attempt = way(client)
    return await attempt.go(ASKED[name]), len(attempt.signed)


def test_no_mutation_of_an_honest_answer_is_signed(tried: Callable[[int], None]) -> None:
    met: set[tuple[str, bytes]] = set()
    mutations = flipped(), out_of_bounds(), resized(), overcharged(), misdirected(), mistyped(), garbled()
    with asyncio.Runner() as runner:

        @seed(SEED)
        @settings(max_examples=GENERATED + GENERATED // 4, deadline=None, database=None)
        @given(st.one_of(*mutations))
        def attack(mutation: tuple[str, bytes]) -> None:
            met.add(mutation)
            code, signed = runner.run(_attempted(*mutation))
            assert code
            assert not signed

        attack()
    assert len(met) >= GENERATED
    tried(len(met))


def test_the_fee_of_an_honest_answer_is_below_its_cap() -> None:
    assert FEE < 10**15
