"""Hermes messages parsed into checked prices, beside bare `json.loads` of the same bytes."""

import json

from tests.bench.report import best_of, report, timed
from venue.pyth import FEEDS, PriceBook
from venue.pyth.wire import parse_updates

FRAMES = 2_000


def _frame(number: int) -> bytes:
    items = [
        {
            "id": feed.id,
            "price": {"price": str(10**11 + number), "conf": "10000000", "expo": -8, "publish_time": 1_700_000_000},
            "ema_price": {"price": str(10**11), "conf": "10000000", "expo": -8, "publish_time": 1_700_000_000},
            "metadata": {"slot": 1, "proof_available_time": 1, "prev_publish_time": 1},
        }
        for feed in FEEDS.values()
    ]
    return json.dumps({"binary": {"encoding": "hex", "data": ["00"]}, "parsed": items}).encode()


def parse() -> None:
    """Updates per second."""
    frames = [_frame(number) for number in range(FRAMES)]
    updates = FRAMES * len(FEEDS)

    def checked() -> None:
        book = PriceBook(FEEDS)
        for frame in frames:
            for item in parse_updates(frame):
                book.apply(item, 1_700_000_000_500)
        assert book.accepted == updates

    value = updates / best_of(3, lambda: timed(checked))
    baseline = updates / best_of(3, lambda: timed(lambda: [json.loads(frame) for frame in frames]))
    report("feed.parse", f"{len(FEEDS)} feeds a frame", value, "updates/s", "json.loads", baseline)
