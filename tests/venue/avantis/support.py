"""What the tests of this folder share."""

import json

import httpx
import pytest
from pydantic import JsonValue

from venue.avantis.positions import Held
from venue.avantis.wire import AvantisCode, AvantisError, Fields
from venue.net.client import Reply
from venue.net.strict import parse


def reply(told: JsonValue | bytes = None, status: int = 200, **headers: str) -> Reply:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return Reply(status, httpx.Headers({name.replace("_", "-"): value for name, value in headers.items()}), body)


def fields(told: JsonValue, where: str = "answer") -> Fields:
    """As read from a server: numbers with a point are decimals."""
    return Fields(parse(json.dumps(told)), where)


class Refuses:
    """Expects a code, and words in the line."""

    def __init__(self, code: AvantisCode, *words: str) -> None:
        self._code, self._words = code, words
        self._raises = pytest.raises(AvantisError)

    def __enter__(self) -> "Refuses":
        self._info = self._raises.__enter__()
        return self

    def __exit__(self, *error: object) -> bool | None:
        swallowed = self._raises.__exit__(*error)  # type: ignore[arg-type]
        caught = self._info.value
        assert caught.code is self._code, caught
        assert "\n" not in caught.text
        for word in self._words:
            assert word in caught.text, caught.text
        return swallowed


def held(
    pair: int = 7,
    at: int = 0,
    *,
    is_long: bool = True,
    collateral: int = 20_000_000,
    leverage: int = 10 * 10**10,
    open_price: int = 2000 * 10**10,
    opened_at_s: int = 1_789_000_000,
    rollover: int | None = 120_000,
    funding: int | None = -20_000,
    liquidation_price: int | None = 1831 * 10**10,
    is_pnl: bool | None = False,
) -> Held:
    return Held(
        pair,
        at,
        is_long,
        collateral,
        leverage,
        open_price,
        opened_at_s,
        liquidation_price=liquidation_price,
        rollover=rollover,
        funding=funding,
        is_pnl=is_pnl,
    )
