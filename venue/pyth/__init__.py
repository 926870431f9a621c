"""Pyth prices: what counts as one, and where invented ones come from. Who needs client or simulator loads it."""

from venue.pyth.book import FeedState, PriceBook, PriceView
from venue.pyth.fault import HermesError
from venue.pyth.link import LinkPhase, LinkState, LinkTiming
from venue.pyth.path import BASE_PRICES, PricePath
from venue.pyth.price import FEEDS, PEGGED, Feed, Price, PricePolicy, Refusal, RefusalCode, check
from venue.pyth.script import Episode, Regime, Script, demo_script
from venue.pyth.wire import WireItem, WirePrice

__all__ = [
    "BASE_PRICES",
    "FEEDS",
    "PEGGED",
    "Episode",
    "Feed",
    "FeedState",
    "HermesError",
    "LinkPhase",
    "LinkState",
    "LinkTiming",
    "Price",
    "PriceBook",
    "PricePath",
    "PricePolicy",
    "PriceView",
    "Refusal",
    "RefusalCode",
    "Regime",
    "Script",
    "WireItem",
    "WirePrice",
    "check",
    "demo_script",
]
