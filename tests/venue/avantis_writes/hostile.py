"""Hostile answers as data: each case is an honest answer with one thing wrong."""

import json
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import encode

from tests.venue.avantis_writes.builder_server import Answer
from tests.venue.avantis_writes.golden import ASKED, calldata, offer
from venue.avantis.asked import Asked, Margin

Case = dict[str, Any]
CASES: Final[list[Case]] = json.loads((Path(__file__).parent / "fixtures" / "hostile.json").read_text("utf-8"))


def asked_in(case: Case) -> Asked:
    """What the desk asks for in a case."""
    return ASKED[case.get("asked", "open")]


def made(case: Case, elsewhere: str) -> Answer:
    """What the builder answers to it. `elsewhere` is where its redirects lead."""
    name: str = case["answer"] if "answer" in case else case.get("asked", "open")
    data = offer(name) | {"data": "0x" + _calldata(case, ASKED[name]).hex()} | case.get("set", {})
    if case.get("odd"):
        data["data"] = data["data"][:-1]
    for dropped in case.get("drop", ()):
        del data[dropped]
    body = json.dumps({"ok": True, "data": data}, ensure_ascii=False)
    if "text" in case:
        before, after = case["text"]
        assert before in body
        body = body.replace(before, after, 1)
    if "body" in case:
        body = case["body"]
    headers = {"Location": elsewhere} if case.get("location") else {}
    return Answer(
        body.encode(), case.get("status", 200), case.get("type", "application/json"), headers, case.get("shape", "")
    )


def _calldata(case: Case, asked: Asked) -> bytes:
    data = _with_prices(asked, case["prices"]) if "prices" in case else bytearray(calldata(asked))
    for index, value in case.get("words", {}).items():
        at = 4 + 32 * int(index)
        data[at : at + 32] = int(value).to_bytes(32, "big")
    if case.get("delegated"):
        data = bytearray.fromhex("9a10cc32") + encode(("address", "bytes"), (b"\xba" * 20, bytes(data)))
    if "selector" in case:
        data[:4] = bytes.fromhex(case["selector"])
    data += bytes.fromhex(case.get("add", "")) + bytes(case.get("zeros", 0))
    return bytes(data[: len(data) - case.get("cut", 0)])


def _with_prices(asked: Asked, sizes: list[int]) -> bytearray:
    assert isinstance(asked, Margin)
    types = ("uint256", "uint256", "uint8", "uint256", "bytes[]", "uint8")
    way = int(not asked.deposits)
    prices = [b"\x01" * size for size in sizes]
    values = (asked.pair_index, asked.trade_index, way, asked.collateral, prices, 1)
    return bytearray(calldata(asked)[:4] + encode(types, values))
