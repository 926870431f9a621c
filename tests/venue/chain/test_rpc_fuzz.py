"""Answers that were sound before chance had its way with them: read or refused, and nothing else."""

import json
import random

from aiohttp import web
from eth_typing import ChecksumAddress

from tests.venue.chain import rpc_server as server
from tests.venue.chain.rpc_server import serving, wire_head
from tests.venue.chain.test_rpc import ALICE, CONTRACT, TX, wire_receipt
from venue.chain.rpc import RpcCode, RpcError


def hostile(seed: int, asked: int) -> bytes:
    """An answer that was sound before chance had its way with it."""
    dice = random.Random(seed)
    good = [wire_receipt(), wire_head(5), "0x5", [wire_receipt()], None]
    whole: object = {
        "jsonrpc": "2.0",
        "id": dice.choice([asked] * 6 + [0, str(asked), True]),
        "result": dice.choice(good),
    }
    for _ in range(dice.randrange(3)):
        whole = _bent(whole, dice)
    body = bytearray(json.dumps(whole).encode())
    for _ in range(dice.randrange(4)):
        at = dice.randrange(len(body))
        body[at : at + dice.randrange(3)] = dice.choice(
            [b"", b"[", b'"', b"\xff", b"\x00", b"9" * 5_000, b"1e999", b"\\ud800"]
        )
        body = body or bytearray(b"x")
    return bytes(body)


def _bent(value: object, dice: random.Random) -> object:
    if isinstance(value, dict) and value and dice.random() < 0.9:
        key = dice.choice(sorted(value))
        return value | {key: _bent(value[key], dice)}
    if isinstance(value, list) and value and dice.random() < 0.7:
        return [_bent(value[0], dice), *value[1:]]
    odd: list[object] = [
        None,
        True,
        -1,
        2**300,
        0.5,
        "",
        "0x",
        "0xZZ",
        "0x" + "0" * 64,
        [],
        {},
        [[[]]],
        "\ud800",
        "é" * 99,
    ]
    return dice.choice(odd)


async def test_three_hundred_hostile_answers_are_read_or_refused_and_nothing_else() -> None:
    refusals: list[RpcError] = []
    async with serving() as servers:
        asked = servers[0].rpc()
        for seed in range(300):

            async def answer(_: web.BaseRequest, question: server.Question, seed: int = seed) -> web.StreamResponse:
                return web.Response(body=hostile(seed, question["id"]))

            servers[0].always = answer
            for ask in (asked.receipt(TX), asked.head(5), asked.block_number(), asked.logs([_any(seed)], [], 0, 9)):
                try:
                    await ask
                except RpcError as error:
                    refusals.append(error)
        await asked.aclose()
    assert 900 < len(refusals) < 1_200
    assert {error.code for error in refusals} == {RpcCode.MALFORMED}
    assert all(str(error).isprintable() and len(str(error)) <= 200 for error in refusals)


def _any(seed: int) -> ChecksumAddress:
    return CONTRACT if seed % 2 else ALICE
