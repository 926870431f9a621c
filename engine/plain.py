"""Dataclasses as plain JSON values. Integers cross as strings: they are larger than what JSON readers keep exactly."""

from collections.abc import Callable
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter
from types import NoneType
from typing import Any

How = Callable[[Any], Any]


def plain(value: Any) -> Any:  # noqa: ANN401 - walks anything
    """Exact: rationals as `n/d`, decimals without exponent, enums by value, tuples as lists; floats as they are."""
    kind = type(value)
    return (_KNOWN.get(kind) or _learn(kind))(value)


def _same(value: Any) -> Any:  # noqa: ANN401
    return value


def _list(value: tuple[Any, ...]) -> list[Any]:
    return [plain(item) for item in value]


def _digits(value: Decimal) -> str:
    return format(value, "f")


_KNOWN: dict[type, How] = {bool: _same, NoneType: _same, float: _same, int: str, Fraction: str, Decimal: _digits}
_BASES: tuple[tuple[type, How], ...] = ((str, _same), (int, str), (float, _same), (tuple, _list), (Decimal, _digits))


def _learn(kind: type) -> How:
    """How values of a type are told; looked up once, because a journal writes the same few all the time."""
    how = next((how for base, how in _BASES if issubclass(kind, base)), None) or _of_fields(kind)
    _KNOWN[kind] = how
    return how


def _of_fields(kind: type) -> How:
    names = tuple(field.name for field in fields(kind))
    if len(names) < 2:  # an attrgetter of one name gives no tuple
        return lambda value: {name: plain(getattr(value, name)) for name in names}
    values = attrgetter(*names)
    return lambda value: dict(zip(names, map(plain, values(value)), strict=True))
