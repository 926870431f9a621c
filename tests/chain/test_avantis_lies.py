"""A tx-builder that returns another call than the one it was asked for: nothing is signed."""

from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, Final

import pytest
import pytest_asyncio
from pydantic import JsonValue

from tests.chain.avantis_bench import AvantisBench, benched, unsigned
from tests.chain.avantis_house import staged
from tests.chain.avantis_servers import CLOSE_PATH, OPEN_PATH
from tests.chain.node import Node
from tests.chain.stage import KEEPER, STRANGER, Stage
from tests.venue.avantis.server import Lie
from tests.venue.perp.bench import USDC, Desk
from venue.chain.erc20 import APPROVE


@pytest.fixture(scope="module")
def stage(session_node: Node) -> Generator[Stage, None, None]:
    with staged(session_node) as made:
        yield made


@pytest_asyncio.fixture
async def bench(stage: Stage) -> AsyncGenerator[AvantisBench, None]:
    async with benched(stage) as made:
        yield made


@pytest.fixture
def desk(bench: AvantisBench) -> Desk:
    return Desk(bench)


def word(index: int, value: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The builder's call with one word of its arguments changed."""

    def change(data: dict[str, Any]) -> dict[str, Any]:
        at = 10 + 64 * index
        return {"data": data["data"][:at] + f"{value:064x}" + data["data"][at + 64 :]}

    return change


def told(**members: JsonValue) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda _: dict(members)


def lie(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Lie:
    """The builder's answer with `change` in its data."""

    def changed(answer: JsonValue) -> JsonValue:
        assert isinstance(answer, dict)
        data = answer["data"]
        assert isinstance(data, dict)
        return {"ok": True, "data": data | change(data)}

    return Lie(changed)


LIES: Final = {
    "trader": (word(0, int(STRANGER, 16)), "WRONG_ARGUMENT"),
    "pair": (word(1, 3), "WRONG_ARGUMENT"),
    "collateral": (word(4, 200 * USDC), "WRONG_ARGUMENT"),
    "price": (word(5, 2100 * 10**10), "OUT_OF_BOUNDS"),
    "side": (word(6, 0), "WRONG_ARGUMENT"),
    "leverage": (word(7, 20 * 10**10), "WRONG_ARGUMENT"),
    "take-profit": (word(8, 1), "WRONG_ARGUMENT"),
    "kind": (word(11, 3), "WRONG_ARGUMENT"),
    "slippage": (word(12, 5 * 10**10), "WRONG_ARGUMENT"),
    "recipient": (told(to=KEEPER), "WRONG_TARGET"),
    "sender": (told(**{"from": STRANGER}), "WRONG_SENDER"),
    "value": (told(value=hex(10**16)), "VALUE_TOO_HIGH"),
    "chain": (told(chainId=1), "WRONG_CHAIN"),
    "function": (told(data=f"0x{APPROVE.encode(KEEPER, USDC).hex()}"), "WRONG_FUNCTION"),
}


@pytest.mark.parametrize("name", LIES)
async def test_a_call_that_was_not_asked_for_is_not_signed(bench: AvantisBench, desk: Desk, name: str) -> None:
    change, code = LIES[name]
    bench.out.server.plan(OPEN_PATH, lie(change))
    assert (await unsigned(bench, desk, desk.opening())).code == code
    await desk.done(desk.opening())


async def test_three_lies_leave_the_builder_alone_but_not_the_position(bench: AvantisBench, desk: Desk) -> None:
    ref = (await desk.done(desk.opening())).ref
    bench.out.server.plan(OPEN_PATH, *[lie(word(1, 3))] * 3)
    codes = [(await unsigned(bench, desk, desk.opening())).code for _ in range(4)]
    assert codes == ["WRONG_ARGUMENT"] * 3 + ["BUILDER_CIRCUIT_OPEN"]
    await desk.done(desk.closing(ref))


async def test_a_lie_about_what_is_closed_is_not_signed(bench: AvantisBench, desk: Desk) -> None:
    ref = (await desk.done(desk.opening())).ref
    bench.out.server.plan(CLOSE_PATH, lie(word(1, 1)))
    assert (await unsigned(bench, desk, desk.closing(ref))).code == "WRONG_ARGUMENT"
    await desk.done(desk.closing(ref))
