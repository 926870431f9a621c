"""Numbers in scenarios: exact, as decimal or fraction strings."""

import re
from fractions import Fraction
from typing import Annotated

from pydantic import BeforeValidator

from venue.exchange.fixed import WAD

_NUMBER = re.compile(r"[+-]?(?:\d{1,80}(?:\.\d{1,80})?|\.\d{1,80}|\d{1,80}/\d{1,80})", re.ASCII)


def number(value: object) -> Fraction:
    """An exact number from a decimal or fraction string, or from an integer. Raises ValueError for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _NUMBER.fullmatch(value.strip()):
        raise ValueError("expected a decimal or p/q as a string")
    try:
        return Fraction(value.strip())
    except ZeroDivisionError:
        raise ValueError("expected a denominator above zero") from None


def on_grid(exact: Fraction) -> int:
    """An amount in 1e-18, what is finer cut off toward zero."""
    return int(exact * WAD)


Number = Annotated[Fraction, BeforeValidator(number)]
