"""Dataclasses as plain JSON values. Integers cross as strings: they are larger than what JSON readers keep exactly."""

from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from typing import Any


def plain(value: Any) -> Any:  # noqa: ANN401 - walks anything
    """Exact: rationals as `n/d`, decimals without exponent, enums by value, tuples as lists; floats as they are."""
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int | Fraction):
        return str(value)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return value
    return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
