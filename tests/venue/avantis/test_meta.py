import copy

import pytest
from pydantic import JsonValue

from tests.venue.avantis.server import AvantisServer
from tests.venue.avantis.support import Refuses, fields
from tests.venue.avantis.world import NOBODY, AvantisWorld
from venue.avantis.addresses import AVANTIS
from venue.avantis.hosts import Api
from venue.avantis.meta import Meta, fetch_meta, read_meta
from venue.avantis.wire import AvantisCode


def changed(path: str, value: JsonValue) -> JsonValue:
    told = copy.deepcopy(AvantisWorld().meta_data())
    at: JsonValue = told
    *way, last = path.split(".")
    for name in way:
        assert isinstance(at, dict)
        at = at[name]
    assert isinstance(at, dict)
    at[last] = value
    return told


async def test_what_it_says_is_what_is_pinned(server: AvantisServer, api: Api) -> None:
    assert await fetch_meta(api) == Meta(execution_fee=350_000_000_000_000)
    server.world.meta["chainId"] = 1
    with Refuses(AvantisCode.META_MISMATCH):
        await fetch_meta(api)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("chainId", 1, "meta.chainId is 1: expected 8453"),
        ("addresses.tradingRouter", NOBODY, f"meta.addresses.tradingRouter is {NOBODY}: expected {AVANTIS.trading}"),
        ("addresses.tradingStorage", AVANTIS.trading, f"expected {AVANTIS.storage}"),
        ("addresses.usdc", NOBODY, f"expected {AVANTIS.usdc}"),
        ("eip712.trading.name", "VerantaTrading", "name is VerantaTrading: expected AvantisTrading"),
        ("eip712.trading.chainId", 84532, "meta.eip712.trading.chainId is 84532: expected 8453"),
        ("eip712.trading.verifyingContract", NOBODY, f"expected {AVANTIS.trading}"),
        ("defaults.executionFeeWei", str(10**18), "expected at most 10000000000000000"),
    ],
)
def test_one_difference_and_nothing_is_traded(path: str, value: JsonValue, expected: str) -> None:
    with Refuses(AvantisCode.META_MISMATCH, expected):
        read_meta(fields(changed(path, value), "meta"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("chainId", None),
        ("chainId", "base"),
        ("addresses", []),
        ("addresses.usdc", None),
        ("addresses.usdc", "0x12"),
        ("eip712", None),
        ("eip712.trading.name", 7),
        ("defaults.executionFeeWei", -1),
        ("defaults.executionFeeWei", 0.00035),
        ("defaults", None),
    ],
)
def test_what_is_missing_is_no_agreement(path: str, value: JsonValue) -> None:
    with Refuses(AvantisCode.WRONG_SHAPE, "meta."):
        read_meta(fields(changed(path, value), "meta"))


def test_the_domain_may_stand_one_level_deeper_and_letters_do_not_matter() -> None:
    told = changed("eip712.trading", {"domain": {"name": "AvantisTrading"}, "types": {}})
    assert isinstance(told, dict)
    told["addresses"] = {
        "tradingRouter": AVANTIS.trading.lower(),
        "tradingStorage": AVANTIS.storage,
        "usdc": "0x" + AVANTIS.usdc[2:].upper(),
    }
    assert read_meta(fields(told)).execution_fee == 350_000_000_000_000
