"""Changes between lists of rows: rows are told apart by name, and numbers that moved are sent as steps, by column.

`order` says for every new row which old one it was, -1 for the next of `fresh`; null when all stand where they stood.
A column is a path of keys joined by dots, its steps are whole numbers times ten to their exponents (one exponent when
all have the same), on integers written as text or on floats of ten decimals, whose steps are in the tenth.
"""

from collections.abc import Iterator
from typing import Any

_NAMES = ("address", "position_id", "symbol", "key", "name")
_DECIMALS = 10
_MOST_FLOAT = 10**4
"""Up to here a float has so many decimals and its steps are exact."""
_MOST_DIGITS = 120
_DEPTH = 3
Row = dict[str, Any]


class Mismatch(ValueError):
    """A change that does not fit the value it is about; the whole has to be asked for again."""


def name_of(old: list[Any], new: list[Any]) -> str:
    """The key that tells the rows of both lists apart; empty when they are no such rows."""
    if not old or not new or not all(isinstance(row, dict) for row in (*old, *new)):
        return ""
    for name in _NAMES:
        if name in old[0]:
            return name if _tells_apart(old, name) and _tells_apart(new, name) else ""
    return ""


def _tells_apart(rows: list[Row], name: str) -> bool:
    names = [row.get(name) for row in rows]
    return all(isinstance(each, str) for each in names) and len(set(names)) == len(names)


def arrange(
    old: list[Row], new: list[Row], name: str
) -> tuple[list[int] | None, list[Row], list[tuple[int, Row, Row]]]:
    """The order and the fresh rows of a change, and those that were there before: new place, old row, new row."""
    places = {row[name]: at for at, row in enumerate(old)}
    order = [places.get(row[name], -1) for row in new]
    fresh = [row for row, was in zip(new, order, strict=True) if was < 0]
    pairs = [(at, old[was], new[at]) for at, was in enumerate(order) if was >= 0]
    return None if order == list(range(len(old))) else order, fresh, pairs


def arranged(old: list[Any], order: list[Any] | None, fresh: list[Any]) -> list[Any]:
    """The rows in their new order, before anything in them has changed. Raises Mismatch."""
    if order is None and not fresh:
        return list(old)
    coming = iter(fresh)
    try:
        new = [next(coming) if was == -1 else old[_place(was, old)] for was in order or ()]
    except StopIteration:
        raise Mismatch("the change does not fit") from None
    if len(order or ()) - (order or []).count(-1) + len(fresh) != len(new):
        raise Mismatch("the change does not fit")
    return new


class Columns:
    """Gathers the numbers that moved."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[list[int], list[int], list[int]]] = {}

    def take(self, at: int, old: Row, new: Row) -> Row:
        """Takes what moved in one row; returns the old row as it is after those steps, itself when there are none."""
        left = old
        for path, was, now in _moved(old, new):
            places, steps, exponents = self.found.setdefault(path, ([], [], []))
            step, exponent = _step(was, now)
            places.append(at)
            steps.append(step)
            exponents.append(exponent)
            left = _with(left, path.split("."), now)
        return left if left is not old else _same_or_changed(old, new)

    def packed(self) -> dict[str, list[Any]]:
        """As they are sent."""
        return {
            path: [places, steps, exponents[0] if len(set(exponents)) == 1 else exponents]
            for path, (places, steps, exponents) in self.found.items()
        }


def _same_or_changed(old: Row, new: Row) -> Row:
    """The old row itself where nothing else can differ either, else a copy to be compared."""
    return old if old is new or old == new else dict(old)


def _moved(old: Row, new: Row, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any, Any]]:
    for key, was in old.items():
        now = new.get(key)
        if now is was or not key.isidentifier():
            continue
        if isinstance(was, dict) and isinstance(now, dict) and depth < _DEPTH:
            yield from _moved(was, now, f"{path}{key}.", depth + 1)
        elif was != now and _number(was) and _number(now) and type(was) is type(now):
            yield f"{path}{key}", was, now


def _number(value: object) -> bool:
    """Text that is an integer as Python writes it, or a float of ten decimals."""
    if isinstance(value, str):
        digits = value.removeprefix("-")
        plain = digits.isascii() and digits.isdecimal() and len(digits) < _MOST_DIGITS
        return plain and (digits == "0" or digits[0] != "0") and value != "-0"
    return isinstance(value, float) and abs(value) < _MOST_FLOAT and float(f"{value:.{_DECIMALS}f}") == value


def _step(old: Any, new: Any) -> tuple[int, int]:  # noqa: ANN401 - text or float
    step, exponent = _units(new) - _units(old), 0
    while step % 1000 == 0:
        step, exponent = step // 1000, exponent + 3
    while step % 10 == 0:
        step, exponent = step // 10, exponent + 1
    return step, exponent


def _units(number: Any) -> int:  # noqa: ANN401 - text or float
    return round(number * 10**_DECIMALS) if isinstance(number, float) else int(number)


def _with(row: Row, path: list[str], value: object) -> Row:
    """A copy of the row with another value at the path."""
    return {**row, path[0]: value if len(path) == 1 else _with(row[path[0]], path[1:], value)}


def step(rows: list[Any], columns: dict[str, Any]) -> None:
    """Puts steps on rows, in place of the rows in the list; the rows themselves are left alone. Raises Mismatch."""
    for path, column in columns.items():
        match column:
            case [list() as places, list() as steps, int() | list() as exponents] if len(places) == len(steps):
                each = exponents if isinstance(exponents, list) else [exponents] * len(places)
            case _:
                raise Mismatch("the change does not fit")
        if len(each) != len(places):
            raise Mismatch("the change does not fit")
        for at, by, exponent in zip(places, steps, each, strict=True):
            place = _place(at, rows)
            rows[place] = _stepped(rows[place], path.split("."), by, exponent)


def _place(at: object, rows: list[Any]) -> int:
    if not isinstance(at, int) or not 0 <= at < len(rows):
        raise Mismatch("the change does not fit")
    return at


def _stepped(row: object, path: list[str], by: object, exponent: object) -> Row:
    if not isinstance(row, dict) or path[0] not in row:
        raise Mismatch("the change does not fit")
    was = row[path[0]]
    if len(path) > 1:
        return {**row, path[0]: _stepped(was, path[1:], by, exponent)}
    if not (isinstance(by, int) and isinstance(exponent, int) and 0 <= exponent < _MOST_DIGITS and _number(was)):
        raise Mismatch("the change does not fit")
    units = _units(was) + by * 10**exponent
    if isinstance(was, str):
        return {**row, path[0]: str(units)}
    if abs(units) >= _MOST_FLOAT * 10**_DECIMALS:
        raise Mismatch("the change does not fit")
    return {**row, path[0]: units / 10**_DECIMALS}
