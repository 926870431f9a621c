import json
from dataclasses import replace
from typing import Any

import pytest

from engine.agent import prompt
from engine.agent.plan import REASON_LIMIT, MarketSight
from tests.engine.agent.asking import SIGHT
from tests.engine.agent.venice_server import schema_problem


def told() -> dict[str, Any]:
    _, user = prompt.messages(SIGHT)
    assert isinstance(user, dict)
    return dict(json.loads(str(user["content"])))


def test_only_the_numbers_of_the_sight_are_told() -> None:
    assert told() == {
        "request_id": "d1-0001",
        "at_utc": "2023-11-14T22:13:20Z",
        "in_active_session": True,
        "pending_usdc": "12.34",
        "lookback_minutes": "15.00",
        "markets": [
            {
                "market": "ETH",
                "index_usd": "3012.55000000",
                "momentum_pct": "0.2512",
                "volatility_pct": "0.8000",
                "max_leverage": 20,
            },
            {
                "market": "BTC",
                "index_usd": "91000.00000000",
                "momentum_pct": "-0.1500",
                "volatility_pct": "0.9100",
                "max_leverage": 10,
            },
            {"market": "SOL", "index_usd": None, "momentum_pct": None, "volatility_pct": None, "max_leverage": 10},
            {
                "market": "DOGE",
                "index_usd": "0.10000000",
                "momentum_pct": "0.0100",
                "volatility_pct": "0.0200",
                "max_leverage": 0,
            },
        ],
    }


@pytest.mark.parametrize(
    ("momentum", "shown"), [(0, "0.0000"), (-1, "-0.0001"), (1, "0.0001"), (-1_000_000, "-100.0000"), (None, None)]
)
def test_small_and_negative_moves_are_exact(momentum: int | None, shown: str | None) -> None:
    sight = replace(SIGHT, markets=(MarketSight("ETH", 1, momentum, None, 5),))
    _, user = prompt.messages(sight)
    assert isinstance(user, dict)
    (market,) = json.loads(str(user["content"]))["markets"]
    assert market["momentum_pct"] == shown
    assert market["index_usd"] == "0.00000000"


def test_the_same_sight_is_the_same_bytes() -> None:
    one, other = (json.dumps([prompt.messages(each), prompt.response_format(each)]) for each in (SIGHT, replace(SIGHT)))
    assert one == other
    assert one.isascii()


def test_the_system_text_is_constant() -> None:
    other = replace(SIGHT, request_id="z", pending=0, in_session=False, markets=SIGHT.markets[:1])
    assert prompt.messages(SIGHT)[0] == prompt.messages(other)[0] == {"role": "system", "content": prompt.SYSTEM}
    assert str(REASON_LIMIT) in prompt.SYSTEM
    assert "0.045 %" in prompt.SYSTEM


def test_the_schema_is_strict_and_does_not_change_from_request_to_request() -> None:
    shape: Any = prompt.response_format(SIGHT)
    assert shape["json_schema"]["strict"] is True
    schema = shape["json_schema"]["schema"]
    assert schema_problem(schema) == ""
    assert schema["properties"]["market"]["enum"] == ["ETH", "BTC", "SOL", "DOGE"]
    assert schema["required"] == ["request_id", "allow", "market", "side", "leverage", "reason"]
    assert prompt.response_format(replace(SIGHT, request_id="other", at_ms=0)) == shape
