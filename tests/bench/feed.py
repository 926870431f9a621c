"""Hermes messages parsed into checked prices, beside bare `json.loads` of the same bytes."""

import json
from collections.abc import Sequence

from tests.bench.report import best_of, report, timed
from venue.pyth import FEEDS, Feed, PriceBook
from venue.pyth.wire import parse_updates

UPDATES = 26_000
_FEEDS = tuple(FEEDS.values())


def _frame(number: int, feeds: Sequence[Feed]) -> bytes:
    """As the server-sent events have it."""
    items = [
        {
            "id": feed.id,
            "price": {"price": str(10**11 + number), "conf": "10000000", "expo": -8, "publish_time": 1_700_000_000},
            "ema_price": {"price": str(10**11), "conf": "10000000", "expo": -8, "publish_time": 1_700_000_000},
            "metadata": {"slot": 1, "proof_available_time": 1, "prev_publish_time": 1},
        }
        for feed in feeds
    ]
    return json.dumps({"binary": {"encoding": "hex", "data": ["00"]}, "parsed": items}).encode()


def parse() -> None:
    """Updates per second, as they come in slots of all feeds and one at a time."""
    _compare("13 feeds a frame", [_frame(number, _FEEDS) for number in range(UPDATES // len(_FEEDS))])
    _compare("1 feed a frame", [_frame(number, _FEEDS[number % len(_FEEDS) :][:1]) for number in range(UPDATES)])


def _compare(case: str, frames: Sequence[bytes]) -> None:
    def checked() -> None:
        book = PriceBook(FEEDS)
        for frame in frames:
            for item in parse_updates(frame):
                book.apply(item, 1_700_000_000_500)
        assert book.accepted == UPDATES

    value = UPDATES / best_of(3, lambda: timed(checked))
    baseline = UPDATES / best_of(3, lambda: timed(lambda: [json.loads(frame) for frame in frames]))
    report("feed.parse", case, value, "updates/s", "json.loads", baseline)
