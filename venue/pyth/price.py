"""What may be called a price: feeds pinned by id and exponent, every update judged before anyone sees it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from venue.pyth.wire import WireItem

_SCALE: Final[Mapping[int, int]] = {expo: int(10 ** (18 + expo)) for expo in range(-18, 13)}


@dataclass(frozen=True, slots=True)
class Feed:
    """A Pyth feed: `id` is 64 lower-case hex digits without 0x; a price is mantissa * 10**expo USD.

    Raises `ValueError` when `id` is spelled otherwise or `expo` cannot be held exactly in 18 decimals.
    """

    symbol: str
    id: str
    expo: int = -8

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]{64}", self.id):
            raise ValueError(f"{self.symbol}: a feed id is 64 lower-case hex digits")
        if self.expo not in _SCALE:
            raise ValueError(f"{self.symbol}: exponent {self.expo} does not fit 18 decimals")


FEEDS: Final[Mapping[str, Feed]] = MappingProxyType(
    {
        symbol: Feed(symbol, feed_id)
        for symbol, feed_id in (
            ("ETH", "ff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace"),
            ("BTC", "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43"),
            ("SOL", "ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d"),
            ("BNB", "2f95862b045670cd22bee3114c39763a4a08beeb663b145d283c31d7d1101c4f"),
            ("XRP", "ec5d399846a9209f3fe5881d70aae9268c94339ff9817e8d18ff19fa05eea1c8"),
            ("DOGE", "dcef50dd0a4cd2dcc17e45df1676dcb336a11a61c69df7a0299b0150c672d25c"),
            ("LINK", "8ac0c70fff57e9aefdf5edf44b51d62c2d433653cbb2cf5cc06bb115af04d221"),
            ("AVAX", "93da3352f9f1d105fdfe4971cfa80e9dd777bfc5d0f683ebb6e1294b92137bb7"),
            ("ARB", "3fa4252848f9f0a1480be62745a4629d9eb1322aebab8a791e344b3b9c1adcf5"),
            ("SUI", "23d7315113f5b1d3ba7a83604c44b94d79f4fd69af77f804fc7f920a6dc65744"),
            ("HYPE", "4279e31cc369bbcc2faf022b382b080e32a8e689ff20fbc530d2a603eb6cd98b"),
            ("USDC", "eaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a"),
            ("AERO", "9db37f4d5654aad3e37e2e14ffd8d53265fb3026d1d8f91146539eebaa2ef45f"),
        )
    }
)


PEGGED: Final = frozenset({"USDC"})
"""Feeds that are meant to stand still: they price collateral, nobody trades their moves."""


@dataclass(frozen=True, slots=True)
class Price:
    """An accepted update: mantissa and conf in 10**expo USD, publish_time in unix s, received_ms in unix ms."""

    symbol: str
    mantissa: int
    conf: int
    expo: int
    publish_time: int
    received_ms: int

    @property
    def wad(self) -> int:
        """The price in 1e-18 USD, exact."""
        return self.mantissa * _SCALE[self.expo]

    @property
    def conf_wad(self) -> int:
        """Half the width of the confidence interval in 1e-18 USD, exact."""
        return self.conf * _SCALE[self.expo]


@dataclass(frozen=True, slots=True)
class PricePolicy:
    """Limits a price must keep. Ages in seconds, ratios in basis points (1/10 000)."""

    warn_age_s: int = 3
    trade_age_s: int = 10
    display_age_s: int = 30
    max_future_s: int = 2
    max_conf_bps: int = 50
    max_jump_bps: int = 500
    jump_confs: int = 10
    """A move within this many confidence widths is not a jump."""
    jump_confirmations: int = 2
    """Updates that must agree on a far level, the first included, before it becomes the price."""
    jump_gap_ms: int = 400
    quarantine_updates: int = 20
    """Clean updates in a row that end a quarantine."""


class RefusalCode(StrEnum):
    """Why an update is not a price."""

    UNKNOWN_FEED = "unknown_feed"
    EXPONENT_CHANGED = "exponent_changed"
    NOT_POSITIVE = "not_positive"
    CONFIDENCE_ZERO = "confidence_zero"
    OUT_OF_ORDER = "out_of_order"
    STALE_ON_ARRIVAL = "stale_on_arrival"
    FROM_THE_FUTURE = "from_the_future"
    JUMP = "jump"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An update that was turned away."""

    code: RefusalCode
    detail: str


def is_wide(price: Price, policy: PricePolicy) -> bool:
    """Whether the confidence interval is too wide to trade on."""
    return price.conf * 10_000 > price.mantissa * policy.max_conf_bps


def is_jump(anchor: Price, price: Price, policy: PricePolicy) -> bool:
    """Whether `price` is further from `anchor` than both the move limit and its own confidence allow."""
    move = abs(price.mantissa - anchor.mantissa)
    return move * 10_000 > anchor.mantissa * policy.max_jump_bps and move > price.conf * policy.jump_confs


def read(
    feed: Feed, previous: Price | None, update: WireItem, received_ms: int, policy: PricePolicy
) -> Price | Refusal:
    """Judge everything about `update` that does not depend on its level. See `check`."""
    sent = update.price
    if update.id != feed.id:
        return Refusal(RefusalCode.UNKNOWN_FEED, f"{update.id} is not {feed.symbol}")
    if sent.expo != feed.expo:
        return Refusal(RefusalCode.EXPONENT_CHANGED, f"{feed.symbol} sent {sent.expo}, pinned {feed.expo}")
    price = Price(feed.symbol, int(sent.price), int(sent.conf), sent.expo, sent.publish_time, received_ms)
    if price.mantissa <= 0:
        return Refusal(RefusalCode.NOT_POSITIVE, f"{feed.symbol} sent {price.mantissa}")
    if price.conf <= 0:
        return Refusal(RefusalCode.CONFIDENCE_ZERO, f"{feed.symbol} sent {price.conf}")
    age_ms = received_ms - price.publish_time * 1000
    if age_ms < -policy.max_future_s * 1000:
        return Refusal(RefusalCode.FROM_THE_FUTURE, f"{feed.symbol} is {-age_ms} ms ahead of this clock")
    if age_ms > policy.display_age_s * 1000:
        return Refusal(RefusalCode.STALE_ON_ARRIVAL, f"{feed.symbol} is {age_ms} ms old")
    if previous is not None and price.publish_time < previous.publish_time:
        late = previous.publish_time - price.publish_time
        return Refusal(RefusalCode.OUT_OF_ORDER, f"{feed.symbol} is {late} s behind the last one")
    return price


def check(
    feed: Feed, previous: Price | None, update: WireItem, received_ms: int, policy: PricePolicy
) -> Price | Refusal:
    """The price `update` carries, or why it carries none. Never raises.

    A wide price passes: it may be shown, and `is_wide` says that it must not be traded on.
    """
    price = read(feed, previous, update, received_ms, policy)
    if isinstance(price, Price) and previous is not None and is_jump(previous, price, policy):
        return jump_refusal(previous, price)
    return price


def jump_refusal(anchor: Price, price: Price) -> Refusal:
    """The refusal of `price` for being too far from `anchor`."""
    bps = (price.mantissa - anchor.mantissa) * 10_000 // anchor.mantissa
    return Refusal(RefusalCode.JUMP, f"{price.symbol} moved {bps} bps at once")


@dataclass(frozen=True, slots=True)
class Jump:
    """A far level waiting to be believed: the last update that counted for it, and how many have."""

    level: Price
    agreed: int = 1


def confirm(pending: Jump | None, price: Price, policy: PricePolicy) -> Jump:
    """Count `price`, itself a jump, towards the level it stands at.

    Another level starts over. One update sent twice is still one witness, so the publish time must have moved
    on, and `jump_gap_ms` must have passed: a one-tick wick never becomes the price.
    """
    if pending is None or is_jump(pending.level, price, policy):
        return Jump(price)
    waited_ms = price.received_ms - pending.level.received_ms
    if waited_ms < 0:  # the clock stepped back: waiting for it to catch up could take hours
        return Jump(price)
    if waited_ms < policy.jump_gap_ms or price.publish_time <= pending.level.publish_time:
        return pending
    return Jump(price, pending.agreed + 1)
