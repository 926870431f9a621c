"""A copy of a world that shares with it whatever never changes again, so that many can be kept.

Frozen values, texts, numbers and tuples are shared, and so are positions that have ended: no fact touches those. What
is folded in place is copied, and what is one thing in the world is one thing in its copy.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache
from types import NoneType
from typing import cast

from engine.world import World
from venue.exchange.state import Position, PositionStatus

_SCALARS = (int, float, str, bytes, bool, NoneType, Enum, Fraction, Decimal, tuple, frozenset)


def replica(world: World) -> World:
    """A world of its own, equal to this one."""
    return cast(World, _Copier().copy(world))


@cache
def _is_shared(kind: type) -> bool:
    """Whether values of a type never change in place."""
    frozen = getattr(kind, "__dataclass_params__", None)
    return issubclass(kind, _SCALARS) or bool(frozen and frozen.frozen)


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


class _Copier:
    def __init__(self) -> None:
        self._made: dict[int, object] = {}

    def copy(self, value: object) -> object:
        """Raises TypeError for a kind of state that nobody has thought of here."""
        kind: type = type(value)
        if _is_shared(kind) or (isinstance(value, Position) and value.status is not PositionStatus.OPEN):
            return value
        made = self._made.get(id(value))
        if made is None:
            made = self._made[id(value)] = self._how(value)(value)
        return made

    def _how(self, value: object) -> Callable[..., object]:
        if isinstance(value, dict):
            return self._dict
        if isinstance(value, set):
            return set
        if is_dataclass(value):
            return self._fields
        raise TypeError(f"a world holds a {type(value).__name__}, and nobody has said how to copy it")

    def _dict(self, value: dict[object, object]) -> dict[object, object]:
        copied = value.copy()
        kinds: set[type] = set(map(type, value.values()))
        if not all(_is_shared(kind) for kind in kinds):
            copied.update((key, self.copy(each)) for key, each in value.items())
        return copied

    def _fields(self, value: object) -> object:
        kind: type = type(value)
        copied: object = object.__new__(kind)
        for name in _names(kind):
            setattr(copied, name, self.copy(getattr(value, name)))
        return copied
