"""Command line options of a command, one for each of its fields, so that neither can have what the other lacks."""

import re
from dataclasses import MISSING, fields
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import click

from engine.envelope import Envelope

_HELP = {
    "account": "Whose; your own name by default.",
    "type": "MarketSwap, LimitSwap, MarketIncrease, LimitIncrease, StopIncrease, MarketDecrease, LimitDecrease or "
    "StopLossDecrease.",
    "market": "Pool or market, as `perpdesk pools` lists it.",
    "long_token": "Token sent for the long side; the pool's own by default.",
    "short_token": "Token sent for the short side; the pool's own by default.",
    "long_path": "Pool to swap the long token through; may be repeated.",
    "short_path": "Pool to swap the short token through; may be repeated.",
    "path": "Pool to swap through; may be repeated.",
    "min_market_tokens": "Least market tokens to accept.",
    "receiver": "Who gets what comes out; the account by default.",
    "execution_fee": "In WETH; half as much again as the least one by default.",
    "collateral": "Tokens put in, or taken out by a decrease.",
    "size": "USD.",
    "trigger_price": "USD per whole token.",
    "acceptable_price": "Worst price, in USD per whole token.",
    "position_id": "Position to grow or reduce; 0 opens a new one.",
    "valid_from_ms": "Not before this unix time in ms.",
    "auto_cancel": "Cancel it when its position is gone.",
    "fee_top_up": "More execution fee, in WETH.",
}
_SWITCHES = {"is_long": "--long/--short"}


class Amount(click.ParamType[Decimal]):
    """A plain decimal of zero or more."""

    name = "decimal"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:  # noqa: ANN401
        if isinstance(value, Decimal):
            return value
        if not re.fullmatch(r"[0-9]{1,30}(\.[0-9]{1,30})?", str(value), re.ASCII):
            self.fail(f"{str(value)[:80]!a} is not an amount; expected a plain decimal like 1.5", param, ctx)
        return Decimal(value)


class Text(click.ParamType[str]):
    """A name of reasonable length."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        text = str(value)
        if len(text) > 100 or not text.isprintable():
            self.fail(f"{text[:40]!a} is not a name; expected at most 100 printable characters", param, ctx)
        return text


class OneOf(click.ParamType[Enum]):
    """A member of an enumeration, by its value."""

    name = "name"

    def __init__(self, kind: type[Enum]) -> None:
        self._known = {str(member.value): member for member in kind}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Enum:  # noqa: ANN401
        if isinstance(value, Enum):
            return value
        found = [member for name, member in self._known.items() if name.lower() == str(value).lower()]
        if not found:
            self.fail(f"{str(value)[:80]!a} is unknown; expected one of {', '.join(self._known)}", param, ctx)
        return found[0]


def options_of(kind: type[Envelope], arguments: tuple[str, ...] = ()) -> list[click.Parameter]:
    """Parameters for the fields of a command beyond its envelope; those in `arguments` are positional."""
    common = {field.name for field in fields(Envelope)}
    hints = get_type_hints(kind)
    found: list[click.Parameter] = []
    for field in fields(kind):
        if field.name in common:
            continue
        needed = field.default is MISSING and field.name != "account"
        default = None if field.default is MISSING else field.default
        if field.name in arguments:
            found.append(click.Argument([field.name], type=_type(hints[field.name])))
        else:
            found.append(_option(field.name, hints[field.name], needed, default))
    return found


def _option(name: str, hint: Any, needed: bool, default: Any) -> click.Option:  # noqa: ANN401
    flag = _SWITCHES.get(name, "--" + name.replace("_", "-"))
    if bool in (hint, *get_args(hint)):
        if name not in _SWITCHES and default is None:
            flag = f"{flag}/--no-{flag[2:]}"
        return click.Option([name, flag], default=default, is_flag=True, help=_HELP.get(name))
    many = get_origin(hint) is tuple
    return click.Option(
        [name, flag],
        type=_type(get_args(hint)[0] if many else hint),
        multiple=many,
        required=needed,
        help=_HELP.get(name),
        **({} if needed else {"default": default}),  # click takes a default of None for a value that was given
    )


def _type(hint: Any) -> click.ParamType[Any]:  # noqa: ANN401
    kind = next((each for each in get_args(hint) if each is not NoneType), hint)
    if kind is Decimal:
        return Amount()
    if kind is int:
        return click.IntRange(0, 2**63 - 1)
    if issubclass(kind, Enum):
        return OneOf(kind)
    return Text()
