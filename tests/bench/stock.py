"""The baseline screen: the same four panes as stock DataTables, updated cell by cell on every tick; and hello world."""

import random
import sys

from rich.text import Text
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.widgets import DataTable, Header, Static

ROWS = (("desks", 50), ("markets", 24), ("agent", 12), ("liquidations", 60))


class Stock(App[None]):
    """What one gets by following the tutorial."""

    CSS = "Horizontal { height: 1fr; } DataTable { width: 1fr; }"

    def compose(self) -> ComposeResult:
        yield Static("watched")
        for pair in (ROWS[:2], ROWS[2:]):
            yield Horizontal(*(DataTable[Text](id=name, cursor_type="row") for name, _ in pair))

    def on_mount(self) -> None:
        self._random = random.Random(7)
        for name, rows in ROWS:
            table = self.query_one(f"#{name}", DataTable)
            table.add_columns(*(f"column {number}" for number in range(8)))
            for row in range(rows):
                table.add_row(*(Text(f"{row * 8 + number:9.2f}") for number in range(8)), key=str(row))
        self.set_interval(1 / 50, self._tick)

    def _tick(self) -> None:
        for name, rows in ROWS:
            if name == "agent":
                continue
            table = self.query_one(f"#{name}", DataTable)
            keys = list(table.columns)
            row = str(self._random.randrange(rows))
            for column in keys[3:6]:
                table.update_cell(row, column, Text(f"{self._random.uniform(0, 9999):9.2f}"))


class Clock(App[None]):
    """Nothing but the clock of Textual's own header."""

    def compose(self) -> ComposeResult:
        yield Header(show_clock=True)
        yield Static("watched")


class Hello(App[None]):
    """The least a Textual program can be."""

    def compose(self) -> ComposeResult:
        yield Static("watched")


if __name__ == "__main__":
    {"stock": Stock, "clock": Clock, "hello": Hello}[sys.argv[1]]().run()
