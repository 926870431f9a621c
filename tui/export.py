"""The rows of a pane as a file: the very rows that are shown, with everything a filter can ask about them."""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from tui.format import clean
from tui.table import Row, Table

_FORMULA = ("=", "+", "-", "@")


def export(folder: Path, name: str, table: Table[Row], rows: Sequence[Row], now_ms: int) -> Path:
    """Writes `<name>-<time>.csv`, for its owner only; numbers in the units of the screen, empty where unknown.

    A file that is there already is not written over: its name gets a number. Raises OSError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    moment = datetime.fromtimestamp(now_ms / 1000, UTC)
    stem = f"{name}-{moment:%Y%m%dT%H%M%SZ}"
    for number in range(1, 1000):
        path = folder / f"{stem}{'' if number == 1 else f'-{number}'}.csv"
        try:
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(opened, "w", encoding="utf-8", newline="") as file:
            _write(file, table, rows)
        return path
    raise FileExistsError(f"{folder} holds a thousand exports of this second")


def _write(file: TextIO, table: Table[Row], rows: Sequence[Row]) -> None:
    columns = dict(_columns(table))
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(columns)
    for row in rows:
        lines.writerow([cell(row) for cell in columns.values()])


def _columns(table: Table[Row]) -> Iterator[tuple[str, Callable[[Row], str]]]:
    """Name and text of every column; a name that is both a text and a number is the number."""
    yield "id", lambda row: text(table.key(row))
    for name, find in table.fields.items():
        if name not in table.numbers:
            yield name, lambda row, find=find: text(find(row))  # type: ignore[misc]
    for name, number in table.numbers.items():
        title = f"{name} {number.unit}".rstrip()
        yield title, lambda row, number=number: _figure(number.of(row))  # type: ignore[misc]


def text(words: str) -> str:
    """Cleaned, and no formula for whoever opens the file in a spreadsheet."""
    shown = clean(words)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def _figure(value: float | None) -> str:
    return "" if value is None else repr(value)
