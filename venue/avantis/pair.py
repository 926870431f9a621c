"""One pair of the venue, read no more generously than our own limits allow."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from venue.avantis.units import TEN, TO_WAD, USDC
from venue.avantis.wire import AvantisError, Fields, wrong
from venue.perp import MarketTerms, Usdc

_WHOLE_PERCENT: Final = 100 * TEN


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What no catalogue can talk us out of. `max_leverage` in 1e-10."""

    max_leverage: int = 75 * TEN
    min_notional: Usdc = 100 * USDC
    max_notional: Usdc = 1_000_000 * USDC


@dataclass(frozen=True, slots=True)
class Fees:
    """Percent of notional, 1e-10, rounded up."""

    open_taker: int
    open_maker: int
    close_taker: int
    close_maker: int
    spread: int


@dataclass(frozen=True, slots=True)
class Interest:
    """What is open on each side, and what a side pays for it: percent of its notional per hour, 1e-10. To be shown
    only: nothing is decided by it."""

    long: Usdc
    short: Usdc
    long_pays: int
    short_pays: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair with a fixed fee, within `Ceilings`. Leverage and percents are 1e-10."""

    index: int
    symbol: str
    quote: str
    group: int
    min_leverage: int
    max_leverage: int
    min_notional: Usdc
    fees: Fees
    headroom: Usdc
    """Open interest the pair and its group still take, both sides together."""
    max_wallet: Usdc
    """Most open interest of one wallet, what it has included."""
    max_order: Usdc
    close_only: bool
    is_open: bool
    feed_id: str
    """Of Pyth, 64 hexadecimal digits without 0x."""
    lazer_id: int | None
    max_open_deviation: int
    """Furthest the wanted price may lie from the executed one."""
    interest: Interest | None

    @property
    def opens(self) -> bool:
        """Whether a position may be opened at all."""
        usable = self.min_leverage <= self.max_leverage
        return usable and self.is_open and not self.close_only and self.max_notional >= self.min_notional

    @property
    def max_notional(self) -> Usdc:
        """What one more position may be worth; what the wallet already holds of `max_wallet` is not known here."""
        return min(self.headroom, self.max_wallet, self.max_order)

    def terms(self) -> MarketTerms:
        """In the words of desks; leverage in 1e-18."""
        room = self.max_notional
        return MarketTerms(self.symbol, self.max_leverage * TO_WAD, self.min_notional, room, room, self.opens)


def read_pair(row: Fields, groups: Fields, ceilings: Ceilings) -> Pair:
    """A row of the catalogue. Raises AvantisError for one that cannot be read whole."""
    levers, feed = row.inner("leverages"), row.inner("feed")
    group = row.integer("groupIndex", most=10_000)
    params = row.inner("additionalPairParams2")
    least = row.human("pairMinLevPosUSDC", "minLevPosUSDC", steps=USDC, up=True)
    return Pair(
        index=row.integer("index", most=10_000),
        symbol=row.text("from"),
        quote=row.text("to"),
        group=group,
        min_leverage=max(TEN, levers.human("minLeverage", steps=TEN, up=True)),
        max_leverage=min(ceilings.max_leverage, levers.human("maxLeverage", steps=TEN)),
        min_notional=max(ceilings.min_notional, least),
        fees=_fees(row, params),
        headroom=max(
            0, min(_room(row, "pairMaxOI", "pairOI"), _room(groups.inner(str(group)), "groupMaxOI", "groupOI"))
        ),
        max_wallet=row.human("maxWalletOI", steps=USDC),
        max_order=ceilings.max_notional,
        close_only=params.flag("closeOnlyMode"),
        is_open=feed.inner("attributes").flag("isOpen", "is_open"),
        feed_id=_feed_id(feed),
        lazer_id=_lazer_id(row),
        max_open_deviation=_percent(feed, "maxOpenDeviationP"),
        interest=_interest(row),
    )


def _fees(row: Fields, params: Fields) -> Fees:
    return Fees(
        open_taker=_percent(params, "openTakerFeeP"),
        open_maker=_percent(params, "openMakerFeeP"),
        close_taker=_percent(params, "closeTakerFeeP"),
        close_maker=_percent(params, "closeMakerFeeP"),
        spread=_percent(row, "spreadP"),
    )


def _interest(row: Fields) -> Interest | None:
    """None when it cannot be read: a pair can be traded without."""
    try:
        both = row.inner("openInterest")
        long, short = both.human("long", steps=USDC), both.human("short", steps=USDC)
        return Interest(long, short, _hourly(row, "long"), _hourly(row, "short"))
    except AvantisError:
        return None


def _hourly(row: Fields, side: str) -> int:
    """Margin fee and funding; funding may be negative, when the other side pays."""
    margin = row.inner("marginFee").human(side, steps=TEN)
    if row.get("fundingRate") is None:
        return margin
    return margin + row.inner("fundingRate").human(side, steps=TEN, least=Decimal(-100))


def _percent(fields: Fields, name: str) -> int:
    value = fields.human(name, steps=TEN, up=True)
    if value > _WHOLE_PERCENT:
        raise wrong(fields.path(name), fields.get(name), "at most 100 percent")
    return value


def _room(fields: Fields, most: str, taken: str) -> Usdc:
    return fields.human(most, steps=USDC) - fields.human(taken, steps=USDC, up=True)


def _feed_id(feed: Fields) -> str:
    text = feed.text("feedId", "feed_id").lower().removeprefix("0x")
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise wrong(feed.path("feedId"), text, "64 hexadecimal digits")
    return text


def _lazer_id(row: Fields) -> int | None:
    if row.get("lazerFeed") is None or row.inner("lazerFeed").get("feedId") is None:
        return None
    return row.inner("lazerFeed").integer("feedId", most=2**32)
