"""Numbers in scenarios: exact, as decimal or fraction strings."""

import re
from fractions import Fraction
from typing import Annotated

from pydantic import BeforeValidator

from venue.exchange.fixed import WAD

_NUMBER = re.compile(r"-?[0-9]{1,80}(?:\.[0-9]{1,80}|/[0-9]{1,80})?")


def number(value: object) -> Fraction:
    """An exact number from a decimal or fraction string. Raises ValueError for anything else."""
    if isinstance(value, Fraction):
        return value
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise ValueError("expected a decimal or p/q as a string")
    try:
        return Fraction(value)
    except ZeroDivisionError:
        raise ValueError("expected a denominator above zero") from None


def on_grid(exact: Fraction) -> int:
    """An amount in 1e-18, what is finer cut off toward zero."""
    return int(exact * WAD)


Number = Annotated[Fraction, BeforeValidator(number)]
