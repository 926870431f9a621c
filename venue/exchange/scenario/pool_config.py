"""The configuration of a scenario's pools and of its request layer, by upper-case names, as strings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, TypeVar

from venue.exchange.pool.params import PoolParams
from venue.exchange.pool.units import FLOAT, SHARE
from venue.exchange.requests.book import RequestRules
from venue.exchange.scenario.config import BAD_REQUEST, UNKNOWN_CONFIG, ScenarioError
from venue.exchange.scenario.numbers import number


@dataclass(frozen=True, slots=True)
class _Key:
    """Where a number goes: a dotted path into the params, the unit it is given in, and its upper bound."""

    path: str
    unit: int = FLOAT
    most: Fraction | None = Fraction(1)


_POOL = {
    "DEPOSIT_FEE_IMPROVED": _Key("deposit_fee.improved"),
    "DEPOSIT_FEE_WORSENED": _Key("deposit_fee.worsened"),
    "SWAP_FEE_IMPROVED": _Key("swap_fee.improved"),
    "SWAP_FEE_WORSENED": _Key("swap_fee.worsened"),
    "WITHDRAWAL_FEE": _Key("withdrawal_fee"),
    "POSITION_FEE_IMPROVED": _Key("position_fee.improved"),
    "POSITION_FEE_WORSENED": _Key("position_fee.worsened"),
    "LIQUIDATION_FEE": _Key("liquidation_fee"),
    "FEE_RECEIVER_SHARE": _Key("receiver_share"),
    "SWAP_IMPACT_POSITIVE": _Key("swap_impact.positive"),
    "SWAP_IMPACT_NEGATIVE": _Key("swap_impact.negative"),
    "SWAP_IMPACT_EXPONENT": _Key("swap_impact.positive_exponent", 1, Fraction(8)),
    "POSITION_IMPACT_POSITIVE": _Key("position_impact.positive"),
    "POSITION_IMPACT_NEGATIVE": _Key("position_impact.negative"),
    "POSITION_IMPACT_EXPONENT": _Key("position_impact.positive_exponent", 1, Fraction(8)),
    "MAX_POSITIVE_POSITION_IMPACT": _Key("max_positive_impact"),
    "MAX_NEGATIVE_POSITION_IMPACT": _Key("max_negative_impact"),
    "MAX_PNL_FACTOR_DEPOSITS": _Key("max_pnl_deposits"),
    "MAX_PNL_FACTOR_WITHDRAWALS": _Key("max_pnl_withdrawals"),
    "MAX_PNL_FACTOR_TRADERS": _Key("max_pnl_traders"),
    "RESERVE_FACTOR": _Key("reserve"),
    "OPEN_INTEREST_RESERVE_FACTOR": _Key("open_interest_reserve"),
    "MIN_COLLATERAL_FACTOR": _Key("min_collateral_factor"),
    "MIN_COLLATERAL_USD": _Key("min_collateral_usd", FLOAT, None),
    "MIN_POSITION_SIZE_USD": _Key("min_position_usd", FLOAT, None),
    "BORROWING_FACTOR_PER_SECOND": _Key("borrowing_per_second"),
    "IMPACT_DISTRIBUTION_PER_SECOND": _Key("impact_distribution_per_second", FLOAT, None),
    "MIN_POSITION_IMPACT_POOL": _Key("min_impact_pool", 1, None),
    "MIN_MARKET_TOKENS_FOR_FIRST_DEPOSIT": _Key("min_first_deposit", SHARE, None),
    "MAX_POOL_AMOUNT": _Key("max_pool_amount", 1, None),
    "MAX_POOL_USD_FOR_DEPOSIT": _Key("max_pool_usd_for_deposit", FLOAT, None),
    "MAX_OPEN_INTEREST": _Key("max_open_interest", FLOAT, None),
}
_TWINS = {
    "swap_impact.positive_exponent": "swap_impact.negative_exponent",
    "position_impact.positive_exponent": "position_impact.negative_exponent",
}
_RULES = {
    "REQUEST_EXPIRATION_SECONDS": _Key("expiry_ms", 1_000, None),
    "MAX_SWAP_PATH_LENGTH": _Key("max_path", 1, None),
    "MAX_AUTO_CANCEL_ORDERS": _Key("max_auto_cancel", 1, None),
    "MAX_CALLBACK_UNITS": _Key("work.max_callback_units", 1, None),
    "UNIT_PRICE": _Key("work.unit_price", 1, None),
}
Params = TypeVar("Params", PoolParams, RequestRules)


def pool_params(config: Mapping[str, object], start: PoolParams | None = None) -> PoolParams:
    """`start` with what `config` changes. Raises ScenarioError for an unknown key or a bad value."""
    unknown = sorted(config.keys() - _POOL.keys() - _RULES.keys())
    if unknown:
        known = ", ".join((*_POOL, *_RULES))
        raise ScenarioError(UNKNOWN_CONFIG, f"config key {unknown[0]!r} is unknown; expected any of {known}")
    return _changed(start or PoolParams(), {key: config[key] for key in config if key in _POOL}, _POOL)


def request_rules(config: Mapping[str, object]) -> RequestRules:
    """The request layer's rules with what `config` changes of them. Raises ScenarioError."""
    return _changed(RequestRules(), {key: config[key] for key in config if key in _RULES}, _RULES)


def _changed(start: Params, config: Mapping[str, object], keys: Mapping[str, _Key]) -> Params:
    for name, value in config.items():
        key = keys[name]
        amount = _value(name, value, key)
        for path in filter(None, (key.path, _TWINS.get(key.path))):
            start = _with(start, path.split("."), amount)
    return start


def _with(holder: Any, path: list[str], amount: int) -> Any:  # noqa: ANN401 - walks any params
    inner = amount if len(path) == 1 else _with(getattr(holder, path[0]), path[1:], amount)
    return replace(holder, **{path[0]: inner})


def _value(name: str, value: object, key: _Key) -> int:
    try:
        exact = number(value)
    except ValueError as error:
        raise ScenarioError(BAD_REQUEST, f"config {name}: {value!r:.60}: {error}") from None
    if exact < 0 or (key.most is not None and exact > key.most):
        bound = "zero or more" if key.most is None else f"from 0 to {key.most}"
        raise ScenarioError(BAD_REQUEST, f"config {name}: {value!r:.60}: expected {bound}")
    if key.unit == 1 and exact.denominator != 1:
        raise ScenarioError(BAD_REQUEST, f"config {name}: {value!r:.60}: expected a whole number")
    return int(exact * key.unit)
