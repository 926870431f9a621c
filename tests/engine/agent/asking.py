"""What the tests of the agent share: a sight, its answers as checked-in data, and a Venice to ask."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from engine.agent.plan import MarketSight, NoPlan, NoPlanCode, Plan, Sight
from engine.agent.venice import Venice
from engine.agent.venice_state import VeniceOptions
from tests.engine.agent.venice_server import KEY, FakeVenice
from tests.engine.house import ManualClock

SIGHT = Sight(
    request_id="d1-0001",
    at_ms=1_700_000_000_000,
    pending=12_345_678,
    lookback_ms=900_000,
    in_session=True,
    markets=(
        MarketSight("ETH", 3_012_550_000_000_000_000_000, 2_512, 8_000, 20),
        MarketSight("BTC", 91_000 * 10**18, -1_500, 9_100, 10),
        MarketSight("SOL", None, None, None, 10),
        MarketSight("DOGE", 10**17, 100, 200, 0),
    ),
)
CAPS = {market.market: market.max_leverage for market in SIGHT.markets}


@dataclass(frozen=True)
class Case:
    """A line of the corpus: what a model said, and what has to come of it."""

    name: str
    content: str
    outcome: str
    market: str = ""
    side: str = ""
    leverage: int = 0
    asked: int | None = None
    reason: str | None = None


CASES = [
    Case(**json.loads(line))
    for line in (Path(__file__).parent / "corpus" / "answers.jsonl").read_text(encoding="ascii").splitlines()
]


def agrees(case: Case, plan: Plan) -> None:
    """The plan is the one that the corpus demands."""
    assert case.outcome == ("open" if plan.allow else "none")
    if plan.allow:
        assert (plan.market, plan.is_long, plan.leverage) == (case.market, case.side == "long", case.leverage)
        assert plan.leverage <= CAPS[plan.market]
        assert plan.asked_leverage == (case.leverage if case.asked is None else case.asked)
    else:
        assert (plan.market, plan.leverage) == ("", 0)
    assert case.reason is None or plan.reason == case.reason
    assert len(plan.reason) <= 280
    assert plan.reason.isprintable()


def unusable(case: Case, refusal: NoPlan) -> None:
    """The refusal is the one that the corpus demands."""
    assert (case.outcome, refusal.code) == ("bad", NoPlanCode.BAD_ANSWER), (case.name, refusal)
    assert refusal.detail.isprintable()


@asynccontextmanager
async def asking(
    server: FakeVenice, clock: ManualClock | None = None, key: str | None = KEY, **options: Any
) -> AsyncIterator[Venice]:
    """A Venice that asks `server` and retries without a pause."""
    settings: dict[str, Any] = {"url": server.url, "retry_wait_s": 0.0, "api_key": SecretStr(key) if key else None}
    venice = Venice(VeniceOptions(**settings | options), clock or ManualClock())
    try:
        yield venice
    finally:
        await venice.aclose()


async def refused(venice: Venice, code: NoPlanCode, sight: Sight = SIGHT) -> NoPlan:
    """The refusal that asking must end with."""
    with pytest.raises(NoPlan) as caught:
        await venice.plan(sight)
    assert caught.value.code is code, caught.value
    assert "\n" not in str(caught.value)
    assert len(caught.value.detail) <= 280
    return caught.value
