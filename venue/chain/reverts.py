"""Why a call reverted, in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from venue.chain.abi import SELECTOR, AbiError, Function

MAX_REASON: Final = 200
_ERROR: Final = Function("Error(string)")
_PANIC: Final = Function("Panic(uint256)")
_PANICS: Final[Mapping[int, str]] = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow",
    0x12: "division by zero",
    0x21: "no such enum value",
    0x22: "broken storage encoding",
    0x31: "pop of an empty array",
    0x32: "index out of bounds",
    0x41: "out of memory",
    0x51: "call of an empty function pointer",
}

Errors = Mapping[bytes, Function]
"""Custom errors by their first four bytes."""


@dataclass(frozen=True, slots=True)
class Revert:
    """What a contract gave as it reverted."""

    data: bytes = field(repr=False)
    reason: str
    """One line, for people."""


def revert_of(data: bytes, errors: Errors, message: str = "") -> Revert:
    """The revert that `data` says; `message` is the server's word, for want of data."""
    return Revert(data, one_line(_reason(data, errors, message)))


def one_line(text: str) -> str:
    """Text from outside, fit for one line of ours."""
    shown = "".join(char if char.isprintable() else " " for char in text[: 2 * MAX_REASON])
    return " ".join(shown.split())[:MAX_REASON]


def _reason(data: bytes, errors: Errors, message: str) -> str:
    if not data:
        return message or "no reason given"
    selector = data[:SELECTOR]
    try:
        if selector == _ERROR.selector:
            return str(_ERROR.decode(data)[0]) or "no reason given"
        if selector == _PANIC.selector:
            code = int(_PANIC.decode(data)[0])
            return f"panic 0x{code:02x}: {_PANICS.get(code, 'unknown')}"
    except AbiError:
        return f"a reason that cannot be decoded: 0x{data[:36].hex()}"
    if known := errors.get(selector):
        return _custom(known, data)
    return f"unknown error 0x{selector.hex()}"


def _custom(error: Function, data: bytes) -> str:
    try:
        arguments = error.decode(data)
    except AbiError:
        return error.name
    shown = ", ".join(f"0x{each.hex()}" if isinstance(each, bytes) else str(each) for each in arguments)
    return f"{error.name}({shown})"
