"""What the language model is told. A pure function of the sight: no token, no name, no word from outside.

The schema is the same from one request to the next, because a schema the server has not seen makes it slow; which
request is meant is therefore an ordinary field that the model copies.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import JsonValue

from engine.agent.plan import REASON_LIMIT, MarketSight, Sight

SYSTEM: Final = f"""\
You decide whether a trading desk that holds money and no position opens one leveraged perpetual-futures position now.
Everything you know is in the JSON object of the user message:
- request_id: copy it into your answer unchanged.
- at_utc: the time. in_active_session: whether it lies within the London to New York session on a weekday.
- pending_usdc: the money the desk would commit as collateral.
- lookback_minutes: the window that momentum and volatility were measured over.
- markets: the markets you may choose from. Of each: index_usd, its price now; momentum_pct, its move over the window;
  volatility_pct, its realised volatility over the window (the root of the summed squared log returns);
  max_leverage, the most the venue and the operator allow. null means unknown; a market without index_usd cannot be
  traded.
Answer with one JSON object and nothing else:
- allow: true to open, false to stay out. Staying out is a good answer whenever there is no clear edge.
- market: one of the markets given. side: "long" or "short".
- leverage: a whole number from 1 to that market's max_leverage; 0 when allow is false.
- reason: one plain sentence with the numbers that decided, at most {REASON_LIMIT} characters.
Costs count: opening and closing each cost about 0.045 % of the notional, and the notional is collateral times
leverage. A move smaller than the round trip is no edge. High leverage leaves little room before liquidation: choose
less of it when volatility is high. Do not invent data, and do not refer to anything outside the object."""


def messages(sight: Sight) -> list[JsonValue]:
    """The conversation: always these two messages, never any history."""
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": json.dumps(_told(sight), separators=(",", ":"), allow_nan=False)},
    ]


def response_format(sight: Sight) -> dict[str, JsonValue]:
    """The strict schema of the answer. It keeps honest models in shape; what comes back is checked all the same."""
    markets: list[JsonValue] = [market.market for market in sight.markets]
    properties: dict[str, JsonValue] = {
        "request_id": {"type": "string"},
        "allow": {"type": "boolean"},
        "market": {"type": "string", "enum": markets},
        "side": {"type": "string", "enum": ["long", "short"]},
        "leverage": {"type": "integer"},
        "reason": {"type": "string"},
    }
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "desk_entry", "strict": True, "schema": schema}}


def _told(sight: Sight) -> dict[str, JsonValue]:
    at = datetime.fromtimestamp(sight.at_ms // 1000, UTC)
    return {
        "request_id": sight.request_id,
        "at_utc": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "in_active_session": sight.in_session,
        "pending_usdc": _decimal(sight.pending, 6, 2),
        "lookback_minutes": _decimal(sight.lookback_ms * 100 // 60_000, 2, 2),
        "markets": _markets(sight.markets),
    }


def _markets(markets: Sequence[MarketSight]) -> list[JsonValue]:
    return [
        {
            "market": market.market,
            "index_usd": _decimal(market.index, 18, 8),
            "momentum_pct": _decimal(market.momentum, 4, 4),  # 1e-6 is 1e-4 percent
            "volatility_pct": _decimal(market.volatility, 4, 4),
            "max_leverage": market.max_leverage,
        }
        for market in markets
    ]


def _decimal(amount: int | None, places: int, shown: int) -> str | None:
    """`amount` of 1e-`places` as an exact decimal with `shown` digits, truncated toward zero; a string, as no float is.

    None stays None.
    """
    if amount is None:
        return None
    whole, rest = divmod(abs(amount) // 10 ** (places - shown), 10**shown)
    return f"{'-' if amount < 0 and (whole or rest) else ''}{whole}.{rest:0{shown}d}"
