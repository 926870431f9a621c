"""The configuration of a scenario's market."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from venue.exchange.params import MarketParams
from venue.exchange.scenario.numbers import number, on_grid

BAD_REQUEST = "BAD_REQUEST"
UNKNOWN_CONFIG = "UNKNOWN_CONFIG"


class ScenarioError(ValueError):
    """The scenario as a whole cannot be run; `code` is stable, the text one line."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


_RATIOS = {
    "MIN_LEVERAGE": "min_leverage",
    "MAX_LEVERAGE": "max_leverage",
    "BASE_OPEN_FEE_RATE": "open_fee",
    "OI_SKEW_FEE_MULTIPLIER": "skew_multiplier",
    "LIQUIDATION_FEE_RATIO": "liquidation_fee",
    "BASE_CARRY_RATE_PER_BLOCK": "carry_per_block",
    "CARRY_SENSITIVITY": "carry_sensitivity",
    "FEE_TO_INSURANCE": "fee_to_insurance",
    "MIN_RESERVE_RATIO": "min_reserve",
    "MAX_OPEN_PRICE_MOVE": "max_open_move",
}
RESERVES = {"INITIAL_BASE_RESERVE": "initial_base", "INITIAL_QUOTE_RESERVE": "initial_quote"}
BUCKETS = "LEVERAGE_BUCKETS"
_IGNORED = ("GRID",)
SEED_LITERAL = MarketParams(max_open_move=None)


def configured(config: Mapping[str, object], start: MarketParams = SEED_LITERAL) -> MarketParams:
    """`start` with what `config` changes. Raises ScenarioError for an unknown key or a bad value."""
    changes: dict[str, Any] = {}
    for key, value in config.items():
        if key in _IGNORED:
            continue
        if key == BUCKETS:
            changes["buckets"] = _buckets(value)
            continue
        if key not in _RATIOS and key not in RESERVES:
            known = ", ".join((*RESERVES, *_RATIOS, BUCKETS))
            raise ScenarioError(UNKNOWN_CONFIG, f"config key {key!r} is unknown; expected any of {known}")
        try:
            exact = number(value)
        except ValueError as error:
            raise ScenarioError(BAD_REQUEST, f"config {key}: {value!r:.60}: {error}") from None
        if key in RESERVES and on_grid(exact) <= 0:
            raise ScenarioError(BAD_REQUEST, f"config {key}: {value!r:.60}: expected a number above zero")
        if exact < 0:
            raise ScenarioError(BAD_REQUEST, f"config {key}: {value!r:.60}: expected zero or more")
        if key == "FEE_TO_INSURANCE" and exact > 1:
            raise ScenarioError(BAD_REQUEST, f"config {key}: {value!r:.60}: expected a share, at most 1")
        changes[RESERVES.get(key) or _RATIOS[key]] = on_grid(exact) if key in RESERVES else exact
    params = replace(start, **changes)
    if params.min_leverage > params.max_leverage:
        raise ScenarioError(BAD_REQUEST, "config MIN_LEVERAGE: above MAX_LEVERAGE; expected at most that")
    return params


def _buckets(value: object) -> tuple[tuple[Fraction, Fraction], ...]:
    """`[{"maxLeverage": .., "bufferRatio": ..}, ...]`, leverages rising, ratios below 1."""
    expected = "expected [{maxLeverage, bufferRatio}, ...], leverages rising, ratios from 0 to below 1"
    wrong = ScenarioError(BAD_REQUEST, f"config {BUCKETS}: {expected}")
    if not isinstance(value, list) or not value:
        raise wrong
    found: list[tuple[Fraction, Fraction]] = []
    for bucket in value:
        if not isinstance(bucket, dict) or bucket.keys() != {"maxLeverage", "bufferRatio"}:
            raise wrong
        try:
            ceiling, ratio = number(bucket["maxLeverage"]), number(bucket["bufferRatio"])
        except ValueError:
            raise wrong from None
        if not 0 <= ratio < 1 or ceiling <= (found[-1][0] if found else 0):
            raise wrong
        found.append((ceiling, ratio))
    return tuple(found)
