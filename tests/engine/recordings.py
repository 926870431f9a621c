"""Recordings for tests: made by hand, the one the simulator made, and the same as Hermes would have sent it."""

import io
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from engine.agent.recording import Recording
from engine.agent.replay import Result, Terms, replay
from engine.sections import Signal
from venue.pyth import FEEDS

FIXTURE = Path(__file__).parent.parent / "fixtures" / "simulated-3h.csv"
T0 = 1_785_542_400_000
BOTH = ("ETH", "BTC")
TEN_MINUTES = Signal(momentum_lookback_ms=600_000)
SHORT = Terms(TEN_MINUTES, ("ETH",), sample_ms=60_000, every_ms=300_000, horizon_ms=600_000)
QUICK = Terms(
    Signal(momentum_lookback_ms=120_000, entry_momentum_pct=Decimal("0.0004")),
    BOTH,
    sample_ms=20_000,
    every_ms=60_000,
    horizon_ms=120_000,
)


def run(content: str | bytes, terms: Terms) -> Result:
    data = content.encode() if isinstance(content, str) else content
    return replay(Recording(io.BytesIO(data), "file"), terms)


def csv(*rows: tuple[int, str, float]) -> str:
    """Times in seconds since T0."""
    return "\n".join(["time,market,price", *(f"{T0 + at * 1000},{market},{price:.8f}" for at, market, price in rows)])


def climb(until_s: int, step_s: int = 10, slope: float = 1 / 60) -> list[tuple[int, str, float]]:
    return [(at, "ETH", 1000 + at * slope) for at in range(0, until_s + 1, step_s)]


def fixture_rows() -> list[tuple[int, str, float]]:
    lines = FIXTURE.read_text().splitlines()[1:]
    return [(int(at), market, float(price)) for at, market, price in (line.split(",") for line in lines)]


def item(market: str, price: float, at_s: int, conf: int = 50_000_000, **more: object) -> dict[str, object]:
    sent = {"price": str(round(price * 10**8)), "conf": str(conf), "expo": -8, "publish_time": at_s}
    return {"id": FEEDS[market].id, "price": sent, "ema_price": sent, **more}


def update(*items: dict[str, object]) -> str:
    return json.dumps({"binary": {"encoding": "hex", "data": ["504e"]}, "parsed": items})


def stream(rows: Sequence[tuple[int, str, float]]) -> list[tuple[int, str]]:
    """The fixture's rows as Hermes would have sent them: unix s and one line for each moment."""
    moments: dict[int, list[dict[str, object]]] = {}
    for at, market, price in rows:
        moments.setdefault(at // 1000, []).append(item(market, price, at // 1000))
    return [(at, update(*items)) for at, items in moments.items()]
