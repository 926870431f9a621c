"""JSON read so strictly that nothing is guessed: no key twice, no NaN, no number without bound, nothing around it."""

import json
import math
import re
from decimal import Decimal, InvalidOperation
from typing import Final, Never

MAX_DEPTH: Final = 32
# An unended string runs to the end, and nothing is tried twice: else the time would grow with the square of the text.
_STRING: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKETS: Final = re.compile(r"[\[\]{}]")


class NotStrict(Exception):
    """Why a text is not one strict JSON value; one line that repeats nothing of the text."""


def parse(text: str | bytes, max_depth: int = MAX_DEPTH) -> object:
    """The one JSON value that `text` is, with nothing around it but JSON whitespace. Raises NotStrict otherwise.

    Numbers with a point or an exponent become Decimal, so that 20.00000000000000001 is not taken for 20. How long a
    text may be is its reader's business.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError:
            raise NotStrict("not UTF-8") from None
    _bound_depth(text, max_depth)
    try:
        value: object = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_number)
    except json.JSONDecodeError as error:
        raise NotStrict(f"not JSON at character {error.pos + 1}") from None
    except (ValueError, RecursionError):  # an integer of thousands of digits
        raise NotStrict("a number or a nesting without bound") from None
    return value


def _bound_depth(text: str, most: int) -> None:
    if text.count("[") + text.count("{") <= most:
        return  # as most are: to look closer would take longer than to read it
    depth = 0
    for bracket in _BRACKETS.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > most:
            raise NotStrict(f"nested deeper than {most}")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise NotStrict("a key is given twice")
    return made


def _constant(_: str) -> Never:
    raise NotStrict("NaN and Infinity are not JSON")


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise NotStrict("a number without bound") from None
    if not math.isfinite(float(text)):
        raise NotStrict("a number without bound")
    return value
