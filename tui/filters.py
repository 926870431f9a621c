"""What an operator types to find rows: words that must all occur, `field:word`, figures as in `lev>20`; `-` is not.

A figure is written as its column shows it: USD, times, percent or basis points, with `k`, `m` and `b` for thousands.
A condition that is not typed to its end (`lev>`, `side:`, `-`) rules nothing out yet.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Generic, TypeVar

from tui.format import WAD, clean

Row = TypeVar("Row")
Text = Callable[[Row], str]
Fields = Mapping[str, Text[Row]]
Test = Callable[[Row], bool]

_WORD = re.compile(r"(?P<minus>-?)(?:(?P<field>[a-z]+)(?P<sign><=|>=|[:<>=]))?(?P<value>.*)", re.DOTALL)
_FIGURE = re.compile(r"(?P<digits>[+-]?(?:\d[\d,]*\.?(?P<places>\d*)|\.(?P<bare>\d+)))(?P<unit>k|m|b|%|x|bp)?")
_BEGUN = ("", "+", "-", ".", "+.", "-.")
_THOUSANDS = {"k": 1e3, "m": 1e6, "b": 1e9}
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_UNITS = {"": "an amount", "%": "in percent", "x": "times", "bp": "in basis points"}


@dataclass(frozen=True)
class Number(Generic[Row]):
    """A figure of a row, in the unit in which its column shows it; None where it is unknown or there is none."""

    of: Callable[[Row], float | None]
    unit: str = ""
    """`%`, `x`, `bp`, or nothing: may be typed after the figure, and no other may."""


Numbers = Mapping[str, Number[Row]]


def wads(of: Callable[[Row], int | None]) -> Number[Row]:
    """An amount kept in 1e-18 units: USD, or whole tokens."""
    return Number(lambda row: None if (amount := of(row)) is None else amount / WAD)


def share(of: Callable[[Row], float | None]) -> Number[Row]:
    """A fraction that is shown in percent."""
    return Number(lambda row: None if (part := of(row)) is None else part * 100, "%")


class BadQuery(ValueError):
    """Something nothing can be found by; says why, for the operator."""


@dataclass(frozen=True)
class Query(Generic[Row]):
    """A filter that is understood."""

    words: tuple[tuple[str, bool], ...] = ()
    """What must be somewhere in a row, or must not."""
    tests: tuple[Test[Row], ...] = ()
    """What must be true of single fields."""

    def select(self, rows: Sequence[Row], texts: Callable[[Sequence[Row]], Sequence[str]]) -> Sequence[Row]:
        """The rows it finds, in their order; `texts` gives what words are looked for in, one text per row."""
        if self.words:
            # No tuple per row: ten thousand of them wake the garbage collector, and that is felt at the keys.
            left = texts(rows)
            for word, wanted in self.words:
                kept = [(word in text) is wanted for text in left]
                rows, left = list(compress(rows, kept)), list(compress(left, kept))
        for test in self.tests:
            rows = list(filter(test, rows))
        return rows


class Texts(Generic[Row]):
    """What words are looked for in, worked out once per row object: typing the next letter, or a snapshot in which a
    few rows are new ones, costs those only.
    """

    def __init__(self, of: Text[Row]) -> None:
        self._of = of
        self._rows: Sequence[Row] = ()
        self._texts: Sequence[str] = ()

    def __call__(self, rows: Sequence[Row]) -> Sequence[str]:
        """One text per row."""
        if rows is not self._rows:
            # The old rows are still held here, so none of the new ones can have the address of one that is gone.
            known = dict(zip(map(id, self._rows), self._texts, strict=True))
            of = self._of
            self._texts = [known.get(id(row)) or plain(of(row)) for row in rows]
            self._rows = rows
        return self._texts


def plain(text: str) -> str:
    """As it is compared: without what is not shown, and without case."""
    return clean(text).casefold()


def parse(text: str, fields: Fields[Row], numbers: Mapping[str, Number[Row]]) -> Query[Row]:
    """Understands what was typed. Raises BadQuery."""
    words: list[tuple[str, bool]] = []
    tests: list[Test[Row]] = []
    for word in text.casefold().split():
        match = _WORD.fullmatch(word)
        assert match is not None  # noqa: S101 - the last group takes anything
        minus, name, sign, value = match.group("minus", "field", "sign", "value")
        if not name:
            words += [(value, not minus)] if value else []
            continue
        if test := _test(name, sign, value, fields, numbers):
            tests.append(_opposite(test) if minus else test)
    return Query(tuple(words), tuple(tests))


def why_bad(text: str, fields: Fields[Row], numbers: Mapping[str, Number[Row]]) -> str:
    """What to tell whoever typed it; empty where it is understood."""
    try:
        parse(text, fields, numbers)
    except BadQuery as error:
        return str(error)
    return ""


def _opposite(test: Test[Row]) -> Test[Row]:
    return lambda row: not test(row)


def _test(
    name: str, sign: str, value: str, fields: Fields[Row], numbers: Mapping[str, Number[Row]]
) -> Test[Row] | None:
    """One condition on one field; None while it is not typed to its end. Raises BadQuery."""
    if name not in fields and name not in numbers:
        raise BadQuery(f"no field {name} here; fields: {', '.join(dict.fromkeys((*fields, *numbers)))}")
    if sign == ":":
        if name not in fields:
            raise BadQuery(f"{name} is a figure: {name}>20, {name}<=20 or {name}=20")
        find = fields[name]
        return (lambda row: value in plain(find(row))) if value else None
    if name not in numbers:
        raise BadQuery(f"{name} is text: {name}:word")
    return None if value in _BEGUN else _comparison(name, sign, value, numbers[name])


def _comparison(name: str, sign: str, value: str, number: Number[Row]) -> Test[Row]:
    """Raises BadQuery."""
    match = _FIGURE.fullmatch(value)
    if match is None:
        raise BadQuery(f"{name}{sign}{value}: {value} is not a number")
    unit = match["unit"] or ""
    if unit and unit not in _THOUSANDS and unit != number.unit:
        raise BadQuery(f"{name}{sign}{value}: {name} is {_UNITS[number.unit]}")
    scale = _THOUSANDS.get(unit, 1.0)
    asked, of = float(match["digits"].replace(",", "")) * scale, number.of
    if sign == "=":
        # Equal as far as it was typed: 20 finds what a column rounds to 20.
        half = scale / 2 / 10 ** len(match["places"] or match["bare"] or "")
        return lambda row: (has := of(row)) is not None and asked - half <= has < asked + half
    compare = _COMPARE[sign]
    return lambda row: (has := of(row)) is not None and compare(has, asked)
