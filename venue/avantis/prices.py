"""Prices an order may be signed with, and what the spread would add to them. Prices and percents are 1e-10."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from eth_typing import ChecksumAddress
from pydantic import JsonValue

from venue.avantis.answers import bare, refusal
from venue.avantis.hosts import RISK, Api, Service
from venue.avantis.units import TEN
from venue.avantis.wire import AvantisCode, AvantisError, Fields, wrong
from venue.net.client import Reply

OLDEST_MS: Final = 10_000
AHEAD_MS: Final = 2_000
"""How far the publisher's clock may be ahead of ours."""
_WHOLE_PERCENT: Final = 100 * TEN
_MOST_BYTES: Final = 64 * 1024


class Source(StrEnum):
    """Who signed a price. `sourcing` is what contracts call it."""

    PRO = "pro"
    CORE = "core"

    @property
    def sourcing(self) -> int:
        return int(self is Source.PRO)


@dataclass(frozen=True, slots=True)
class Executable:
    """A price the venue would execute at now, and the signed bytes that prove it on chain (empty: none were sent)."""

    price: int
    published_ms: int
    source: Source
    update: bytes


@dataclass(frozen=True, slots=True)
class Spread:
    """What the venue adds to the price, against the trader."""

    percent: int


def read_price(fields: Fields, now_ms: int) -> Executable:
    """The price of `pro`, else that of `core`. Raises NO_PRICE with the reason of each that is there."""
    whys: list[str] = []
    for source in Source:
        if fields.get(source) is None:
            continue
        try:
            return _one(fields.inner(source), source, now_ms)
        except AvantisError as error:
            whys.append(error.text)
    raise AvantisError(AvantisCode.NO_PRICE, "; ".join(whys) or f"{fields.where} holds neither pro nor core")


def _one(leg: Fields, source: Source, now_ms: int) -> Executable:
    price = leg.human("price", steps=TEN)
    if price <= 0:
        raise wrong(leg.path("price"), leg.get("price"), "a number above 0")
    published_ms = leg.integer("publishTimestampMs", "publish_timestamp_ms", most=10**14)
    age_ms = now_ms - published_ms
    if age_ms > OLDEST_MS:
        raise _untimely(leg, f"{age_ms} ms old: expected at most {OLDEST_MS}")
    if age_ms < -AHEAD_MS:
        raise _untimely(leg, f"{-age_ms} ms ahead of our clock: expected at most {AHEAD_MS}")
    return Executable(price, published_ms, source, _update(leg))


def _untimely(leg: Fields, why: str) -> AvantisError:
    return AvantisError(AvantisCode.NO_PRICE, f"{leg.path('publishTimestampMs')} is {why}")


def _update(leg: Fields) -> bytes:
    value = leg.get("priceUpdateData", "price_update_data")
    if value is None:
        return b""
    where = leg.path("priceUpdateData")
    if not isinstance(value, str) or not value.startswith("0x") or len(value) > 2 * _MOST_BYTES:
        raise wrong(where, value, "hexadecimal bytes")
    try:
        return bytes.fromhex(value[2:])
    except ValueError:
        raise wrong(where, value, "hexadecimal bytes") from None


def deviation(price: int, reference: int) -> int:
    """How far `price` lies from `reference`, in percent of it, 1e-10, rounded up."""
    return -(-abs(price - reference) * _WHOLE_PERCENT // reference)


def check_deviation(price: int, reference: int, most: int) -> None:
    """Raises NO_PRICE when two sources differ by more than `most` percent: one of them may have the wrong scale."""
    if reference <= 0 or deviation(price, reference) > most:
        text = f"price {price} is too far from our own {reference}: expected at most {most} percent, all in 1e-10"
        raise AvantisError(AvantisCode.NO_PRICE, text)


async def fetch_price(api: Api, pair_index: int, now_ms: Callable[[], int]) -> Executable:
    """Raises AvantisError."""
    what = f"price of pair {pair_index}"
    path = f"v2/pairs/{pair_index}/price-update-data"
    return await api.read(Service.FEED, path, lambda reply: read_price(bare(reply, what), now_ms()))


@dataclass(frozen=True, slots=True)
class SpreadAsk:
    """A market order whose spread is asked for. `coins` in 1e-10 of the coin."""

    pair_index: int
    trader: ChecksumAddress
    coins: int
    is_long: bool
    is_open: bool


def read_spread(reply: Reply) -> Spread:
    """201 is a quote. Raises SPREAD_BLOCKED for 403 and DO_NOT_EXECUTE for 404, whatever they carry."""
    match reply.status:
        case 201:
            fields = bare(reply, "spread", 201)
            name = "estimatedSpreadPctWithFlow10"
            return Spread(fields.integer(name, "spreadPctWithoutFlow10", least=-_WHOLE_PERCENT, most=_WHOLE_PERCENT))
        case 403:
            raise AvantisError(AvantisCode.SPREAD_BLOCKED, "spread: blocked (403): expected a quote (201)")
        case 404:
            raise AvantisError(AvantisCode.DO_NOT_EXECUTE, "spread: none can be computed (404): expected a quote (201)")
    raise refusal(reply, "spread")


async def fetch_spread(api: Api, ask: SpreadAsk) -> Spread:
    """Raises AvantisError."""
    body: dict[str, JsonValue] = {
        "pairIndex": ask.pair_index,
        "trader": str(ask.trader),
        "coinSize10": str(ask.coins),
        "isLong": ask.is_long,
        "isOpen": ask.is_open,
        "orderType": 0,
    }
    return await api.read(Service.GATEWAY, f"{RISK}/spread", read_spread, method="POST", body=body)
