"""Where enrolled tokens come from: a CSV file, or the ProtocolRegistry contract behind `RegistryReader`.

What a registry says beyond the address is for display: the agent chooses market, side and leverage when it opens.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from engine.text import clean_name

COLUMNS = ("address", "name", "underlying", "side", "leverage")
_NEEDED = frozenset(("address", "name"))
MOST_ROWS = 10_000
MOST_BYTES = 2 * 1024 * 1024
LONGEST_NAME = 200
_MOST_LEVERAGE = 255  # uint8 in the contract
_SIDES: Mapping[str, bool | None] = {"": None, "long": True, "short": False}
_SHOWN = 50


class RegistryCode(StrEnum):
    """Why tokens could not be read; stable."""

    UNREADABLE = "UNREADABLE"
    TOO_LARGE = "TOO_LARGE"
    NOT_TEXT = "NOT_TEXT"
    BAD_CSV = "BAD_CSV"
    BAD_HEADER = "BAD_HEADER"
    BAD_ROW = "BAD_ROW"
    BAD_ADDRESS = "BAD_ADDRESS"
    BAD_CHECKSUM = "BAD_CHECKSUM"
    BAD_NAME = "BAD_NAME"
    BAD_SIDE = "BAD_SIDE"
    BAD_LEVERAGE = "BAD_LEVERAGE"
    DUPLICATE = "DUPLICATE"


class RegistryError(Exception):
    """One line that may be shown: the source, the line, the field, its value and what was expected."""

    def __init__(self, code: RegistryCode, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One token as some registry has it. None and an empty `underlying` mean that it does not say."""

    address: str
    """Lower case, 0x and 40 hex digits."""
    name: str
    """Cleaned: it may be shown as literal text."""
    underlying: str = ""
    """What it was enrolled as: for display, never obeyed."""
    is_long: bool | None = None
    leverage: int | None = None
    """Whole times."""
    paused: bool = False


class RegistryReader(Protocol):
    """The reader of the ProtocolRegistry contract; on a chain it is implemented elsewhere."""

    async def enrolled(self) -> tuple[Enrolled, ...]:
        """Every token in the order of enrolment. Raises RegistryError."""
        ...


class _Bad(Exception):
    """A field that cannot be taken; the reader adds the file and the line."""

    def __init__(self, code: RegistryCode, field: str, value: str, expected: str) -> None:
        shown = value if len(value) <= _SHOWN else value[:_SHOWN] + "..."
        super().__init__(f"{field}: {shown!a}: {expected}")
        self.code = code


def from_csv(path: Path) -> tuple[Enrolled, ...]:
    """Tokens of a file with the header `address,name` and any of `underlying,side,leverage`, in its order.

    At most 10,000 rows and 2 MiB. Raises RegistryError for the first thing that is wrong.
    """
    rows = _rows(path, _read(path))
    number, header = next(rows, (1, []))
    names = [cell.strip().lower() for cell in header]
    if len(set(names)) != len(names) or not _NEEDED <= set(names) <= set(COLUMNS):
        expected = "expected address,name and then any of underlying,side,leverage"
        raise _located(path, number, _Bad(RegistryCode.BAD_HEADER, "header", ",".join(header), expected))
    found: dict[str, tuple[int, Enrolled]] = {}
    for number, cells in rows:
        try:
            token = _token(names, cells)
            if token.address in found:
                expected = f"expected each address once; it is on line {found[token.address][0]} too"
                raise _Bad(RegistryCode.DUPLICATE, "address", token.address, expected)
        except _Bad as bad:
            raise _located(path, number, bad) from None
        found[token.address] = number, token
        if len(found) > MOST_ROWS:
            raise RegistryError(RegistryCode.TOO_LARGE, f"{path}: line {number}: expected at most {MOST_ROWS:,} tokens")
    return tuple(token for _, token in found.values())


def _located(path: Path, number: int, bad: _Bad) -> RegistryError:
    return RegistryError(bad.code, f"{path}: line {number}: {bad}")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise RegistryError(RegistryCode.UNREADABLE, f"{path}: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise RegistryError(RegistryCode.TOO_LARGE, f"{path}: expected at most {MOST_BYTES:,} bytes")
    try:
        at = data.index(0) if 0 in data else -1
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = error.start
    if at >= 0:
        line = data.count(b"\n", 0, at) + 1
        raise RegistryError(RegistryCode.NOT_TEXT, f"{path}: line {line}: byte {data[at]:#04x}: expected UTF-8 text")
    return text


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold anything, each with the number of the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise RegistryError(RegistryCode.BAD_CSV, f"{path}: line {number}: not CSV: {error}") from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield number, cells


def _token(names: Sequence[str], cells: Sequence[str]) -> Enrolled:
    if len(cells) != len(names):
        raise _Bad(RegistryCode.BAD_ROW, "row", ",".join(cells), f"expected {len(names)} fields: {','.join(names)}")
    row = dict.fromkeys(COLUMNS, "") | dict(zip(names, (cell.strip() for cell in cells), strict=True))
    side = row["side"].lower()
    if side not in _SIDES:
        raise _Bad(RegistryCode.BAD_SIDE, "side", row["side"], "expected long, short or nothing")
    return Enrolled(
        address=_address(row["address"]),
        name=_name("name", row["name"]),
        underlying=_name("underlying", row["underlying"]) if row["underlying"] else "",
        is_long=_SIDES[side],
        leverage=_leverage(row["leverage"]) if row["leverage"] else None,
    )


def _address(text: str) -> str:
    """Upper and lower case together are a checksum (EIP-55), and a wrong one is a typing error."""
    digits = text[2:]
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text) or not int(digits, 16):
        expected = "expected 0x and 40 hex digits, not all zero"
        raise _Bad(RegistryCode.BAD_ADDRESS, "address", text, expected)
    if digits not in (digits.lower(), digits.upper()) and not _is_checksummed(text):
        expected = "expected a right EIP-55 checksum, or all letters in one case"
        raise _Bad(RegistryCode.BAD_CHECKSUM, "address", text, expected)
    return text.lower()


def _is_checksummed(address: str) -> bool:
    from eth_utils.address import is_checksum_address  # a quarter of a second, for those who have such addresses

    return is_checksum_address(address)


def _name(field: str, text: str) -> str:
    if not 1 <= len(text) <= LONGEST_NAME:
        raise _Bad(RegistryCode.BAD_NAME, field, text, f"expected 1 to {LONGEST_NAME} characters")
    return clean_name(text)


def _leverage(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= _MOST_LEVERAGE:
        expected = f"expected a whole number from 1 to {_MOST_LEVERAGE}, or nothing"
        raise _Bad(RegistryCode.BAD_LEVERAGE, "leverage", text, expected)
    return int(text)


def merged(*sources: tuple[str, Sequence[Enrolled]]) -> tuple[tuple[Enrolled, ...], tuple[str, ...]]:
    """Tokens of several named sources, each address once, as the first that has it says; and one line for each
    later source that says otherwise. What one of them does not say is no disagreement."""
    kept: dict[str, tuple[str, Enrolled]] = {}
    notes: list[str] = []
    for source, tokens in sources:
        for token in tokens:
            first, winner = kept.setdefault(token.address, (source, token))
            if differences := _differences(winner, token):
                notes.append(f"{token.address}: {source} says {differences}; {first} comes first and counts")
    return tuple(token for _, token in kept.values()), tuple(notes)


def _differences(winner: Enrolled, other: Enrolled) -> str:
    pairs = zip(_said(winner).items(), _said(other).values(), strict=True)
    return ", ".join(f"{field} {new} instead of {old}" for (field, old), new in pairs if old and new and old != new)


def _said(token: Enrolled) -> dict[str, str]:
    return {
        "name": repr(token.name),
        "underlying": repr(token.underlying) if token.underlying else "",
        "side": "" if token.is_long is None else "long" if token.is_long else "short",
        "leverage": "" if token.leverage is None else str(token.leverage),
        "state": "paused" if token.paused else "active",
    }
