"""What changed between two JSON values, and how to put it back: a stream of pictures costs what moves in them.

A change is one of
- `[0, value]`: the new value, whole;
- `[1, {key: change}]`: an object whose other keys stay, `null` taking a key away;
- `[2, length, {index: change}]`: a list whose other items stay;
- `[3, order, fresh, {index: change}, {column: [indices, steps, exponents]}]`: a list of rows, see `engine.delta_rows`.
"""

from typing import Any

from engine import delta_rows
from engine.delta_rows import Mismatch

__all__ = ["Mismatch", "diff", "patch"]
WHOLE, FIELDS, ITEMS, ROWS = 0, 1, 2, 3


def diff(old: Any, new: Any) -> Any:  # noqa: ANN401 - walks any JSON
    """The change that makes `new` of `old`; None when there is none."""
    if isinstance(old, dict) and isinstance(new, dict):
        return _fields(old, new)
    if isinstance(old, list) and isinstance(new, list):
        name = delta_rows.name_of(old, new)
        return _rows(old, new, name) if name else _items(old, new)
    return None if type(old) is type(new) and old == new else [WHOLE, new]


def _fields(old: dict[str, Any], new: dict[str, Any]) -> Any:  # noqa: ANN401
    changes: dict[str, Any] = {key: [WHOLE, value] for key, value in new.items() if key not in old}
    for key, value in old.items():
        if key not in new:
            changes[key] = None
        elif value is not new[key] and (change := diff(value, new[key])):
            changes[key] = change
    return [FIELDS, changes] if changes else None


def _items(old: list[Any], new: list[Any]) -> Any:  # noqa: ANN401
    changes = {
        str(at): change for at, (was, now) in enumerate(zip(old, new, strict=False)) if (change := diff(was, now))
    }
    changes |= {str(at): [WHOLE, new[at]] for at in range(len(old), len(new))}
    return [ITEMS, len(new), changes] if changes or len(old) != len(new) else None


def _rows(old: list[dict[str, Any]], new: list[dict[str, Any]], name: str) -> Any:  # noqa: ANN401
    order, fresh, pairs = delta_rows.arrange(old, new, name)
    columns = delta_rows.Columns()
    others: dict[str, Any] = {}
    for at, was, now in pairs:
        left = columns.take(at, was, now)
        if left is not was and (change := diff(left, now)):
            others[str(at)] = change
    if order is None and not others and not columns.found:
        return None
    return [ROWS, order, fresh, others, columns.packed()]


def patch(old: Any, change: Any) -> Any:  # noqa: ANN401
    """What `change` makes of `old`, which is left as it is. Raises Mismatch."""
    match change:
        case None:
            return old
        case [0, value]:
            return value
        case [1, dict() as changes] if isinstance(old, dict):
            return _patched_fields(old, changes)
        case [2, int() as length, dict() as changes] if isinstance(old, list) and 0 <= length <= len(old) + len(
            changes
        ):
            return _patched_items(old, length, changes)
        case [3, list() | None as order, list() as fresh, dict() as others, dict() as columns] if isinstance(old, list):
            new = delta_rows.arranged(old, order, fresh)
            delta_rows.step(new, columns)
            return _patched_items(new, len(new), others)
    raise Mismatch("the change does not fit")


def _patched_fields(old: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    new = dict(old)
    for key, change in changes.items():
        if change is None:
            new.pop(key, None)
        else:
            new[key] = patch(old.get(key), change)
    return new


def _patched_items(old: list[Any], length: int, changes: dict[str, Any]) -> list[Any]:
    new = old[:length] + [None] * (length - len(old))
    for at, change in changes.items():
        if not (at.isdecimal() and at.isascii() and int(at) < length):
            raise Mismatch("the change does not fit")
        new[int(at)] = patch(new[int(at)], change)
    return new
