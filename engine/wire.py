"""What crosses the control socket: commands, receipts, snapshots and events as JSON, exact and strict.

Written by `plain`; a command or an answer, which are one of several kinds, is `{"<Kind>": {fields}}`. Read by the types
the dataclasses declare: a kind or field that is not known, one that is missing, and a value of another shape are
refused with one line. Texts and numbers of a command are bounded, so that none of them can cost the engine anything.
"""

import json
import re
import types
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from engine.clearing.answers import Answer
from engine.commands import MOST_LEAVES, Command, Receipt
from engine.plain import plain

T = TypeVar("T")
_NUMBERS: dict[type, re.Pattern[str]] = {
    int: re.compile(r"-?[0-9]+", re.ASCII),
    Decimal: re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII),
    Fraction: re.compile(r"-?[0-9]+(/[0-9]*[1-9][0-9]*)?", re.ASCII),
}
_WORDS = {int: "an integer as text", Decimal: "a decimal as text", Fraction: "n/d as text"}


class Unreadable(ValueError):
    """One line: where, and what was expected. Values are not repeated, they may be enormous or hostile."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Most characters of one number and of one text, most items of one list."""

    number: int
    text: int
    items: int


OF_COMMANDS = Limits(number=128, text=200, items=MOST_LEAVES)
OF_ANSWERS = Limits(number=4_000, text=10_000, items=100_000)


def tagged(value: Command | Answer) -> dict[str, Any]:
    """A command or an answer with its kind."""
    return {type(value).__name__: plain(value)}


def read_command(value: object) -> Command:
    """A command from outside. Raises Unreadable."""
    command: Command = _one_of(get_args(Command), value, "command", OF_COMMANDS)
    return command


def read_text(value: object, where: str) -> str:
    """A text from outside. Raises Unreadable."""
    text: str = _read(str, value, where, OF_COMMANDS)
    return text


def read_number(value: object, where: str) -> int:
    """An integer from outside. Raises Unreadable."""
    number: int = _read(int, value, where, OF_COMMANDS)
    return number


def receipt_out(receipt: Receipt) -> dict[str, Any]:
    """A receipt, its answer with its kind."""
    answer = None if receipt.answer is None else tagged(receipt.answer)
    return {**plain(replace(receipt, answer=None)), "answer": answer}


def read(kind: type[T], value: object) -> T:
    """What the engine has sent: an Info, Snapshot, EventPage, Receipt or the points of a market. Raises Unreadable."""
    found: T = _read(kind, value, kind.__name__, OF_ANSWERS)
    return found


def read_field(kind: Any, value: object, where: str) -> Any:  # noqa: ANN401 - any declared type
    """One field of what the engine has sent. Raises Unreadable."""
    return _read(kind, value, where, OF_ANSWERS)


def dumps(message: object) -> str:
    """One line of ASCII."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=True)


def loads(text: str) -> object:
    """Raises Unreadable for what is no JSON, is nested beyond reason, or says one thing twice."""
    try:
        message: object = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not a JSON message: {type(error).__name__}") from None
    return message


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice")
    return found


def _read(kind: Any, value: object, where: str, limits: Limits) -> Any:  # noqa: ANN401 - any declared type
    if get_origin(kind) in (Union, types.UnionType):
        return _union(kind, value, where, limits)
    if get_origin(kind) is tuple:
        return _items(get_args(kind), value, where, limits)
    if kind in _NUMBERS:
        return _number(kind, value, where, limits)
    if is_dataclass(kind):
        return _record(kind, value, where, limits)
    if issubclass(kind, Enum):
        return _member(kind, value, where)
    return _scalar(kind, value, where, limits)


def _scalar(kind: type, value: object, where: str, limits: Limits) -> object:
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise Unreadable(f"{where}: expected {kind.__name__}")
    if isinstance(value, str):
        if len(value) > limits.text:
            raise Unreadable(f"{where}: expected at most {limits.text} characters")
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise Unreadable(f"{where}: expected text, found half a character")
    return value


def _number(kind: type, value: object, where: str, limits: Limits) -> object:
    if not isinstance(value, str) or len(value) > limits.number or not _NUMBERS[kind].fullmatch(value):
        raise Unreadable(f"{where}: expected {_WORDS[kind]}, at most {limits.number} characters")
    return kind(value)


def _member(kind: type[Enum], value: object, where: str) -> Enum:
    for member in kind:
        if type(value) is str and member.value == value:
            return member
    raise Unreadable(f"{where}: expected one of {', '.join(str(member.value) for member in kind)}")


def _items(kinds: tuple[Any, ...], value: object, where: str, limits: Limits) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) > limits.items:
        raise Unreadable(f"{where}: expected a list of at most {limits.items}")
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise Unreadable(f"{where}: expected {len(kinds)} items")
    return tuple(_read(kind, item, f"{where}[{at}]", limits) for at, (kind, item) in enumerate(zip(kinds, value)))  # noqa: B905 - lengths were compared


def _union(kind: Any, value: object, where: str, limits: Limits) -> Any:  # noqa: ANN401
    kinds = tuple(each for each in get_args(kind) if each is not type(None))
    if value is None and len(kinds) < len(get_args(kind)):
        return None
    return _read(kinds[0], value, where, limits) if len(kinds) == 1 else _one_of(kinds, value, where, limits)


def _one_of(kinds: tuple[type, ...], value: object, where: str, limits: Limits) -> Any:  # noqa: ANN401
    if not isinstance(value, dict) or len(value) != 1:
        raise Unreadable(f"{where}: expected an object with one key, its kind")
    ((name, inner),) = value.items()
    for kind in kinds:
        if kind.__name__ == name:
            return _record(kind, inner, name, limits)
    raise Unreadable(f"{where}: unknown kind {name[:40]!a}")


def _record(kind: Any, value: object, where: str, limits: Limits) -> Any:  # noqa: ANN401
    if not isinstance(value, dict):
        raise Unreadable(f"{where}: expected an object")
    known = _types(kind)
    if unknown := value.keys() - known.keys():
        raise Unreadable(f"{where}: unknown field {min(unknown)[:40]!a}")
    if missing := [name for name in _required(kind) if name not in value]:
        raise Unreadable(f"{where}: {missing[0]} is missing")
    return kind(**{name: _read(known[name], item, f"{where}.{name}", limits) for name, item in value.items()})


@cache
def _types(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _required(kind: Any) -> tuple[str, ...]:  # noqa: ANN401
    return tuple(field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING)
