"""Whoever waits in front of a terminal sees how far it is, and is left with a clean line."""

from io import StringIO

import pytest

from tui import counter
from tui.counter import Counter


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counter, "EVERY_S", 0.0)
    monkeypatch.setattr(counter, "SOON_S", 0.0)
    stream = Terminal()
    told = Counter(stream, "reading the journal")
    told.progress(1_000, 2_500)
    told.progress(2_500, 2_500)
    told.done("the journal has 2,500 entries")
    told.end()
    first, second, blank, rest = stream.getvalue().split("\r")[1:]
    assert first == second.replace("2,500 of", "1,000 of") == "perpdesk: reading the journal, 1,000 of 2,500 entries"
    assert (set(blank), len(blank), rest) == ({" "}, len(first), "")


def test_what_is_done_soon_is_not_worth_a_word() -> None:
    stream = Terminal()
    told = Counter(stream, "recovering")
    for read in range(1_000):
        told.progress(read, 1_000)
    told.end()
    assert stream.getvalue() == ""


def test_a_file_gets_one_plain_line_at_the_end() -> None:
    stream = StringIO()
    told = Counter(stream, "reading the journal")
    told.progress(1_000, 2_500)
    told.done("the journal has 2,500 entries")
    told.end()
    assert stream.getvalue() == "perpdesk: the journal has 2,500 entries\n"
