"""How many colours a terminal is sent: as many as it has said it knows, and no others."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.perpdesk import perpdesk
from tests.terminal.pty_app import PtyApp
from tests.terminal.test_wire import READY, STYLE

TRUE = re.compile(rb"[34]8;2;\d+;\d+;\d+")
INDEXED = re.compile(rb"[34]8;5;\d+")


@contextmanager
def painted(**environ: str) -> Iterator[PtyApp]:
    """The app with its first page, a question and the help painted."""
    child = PtyApp("live", columns=160, rows=45, **environ)
    try:
        child.wait_for(READY)
        child.keys("j")
        child.keys("c")
        child.wait_for("Close BONK")
        child.keys("\x1b")
        child.until(lambda: "Close BONK" not in child.text(), "end of the question")
        child.keys("5")
        child.wait_for("Requests")
        yield child
    finally:
        child.end()


def colours(child: PtyApp) -> tuple[set[str], set[bytes]]:
    """Which tiers were sent (`true`, `256`, `16`), and every code that is no colour."""
    tiers: set[str] = set()
    others: set[bytes] = set()
    for style in STYLE.findall(bytes(child.sent)):
        if TRUE.search(style):
            tiers.add("true")
        if INDEXED.search(style):
            tiers.add("256")
        for code in INDEXED.sub(b"", TRUE.sub(b"", style)).split(b";"):
            number = int(code or b"0")
            if 30 <= number <= 49 or 90 <= number <= 107:
                tiers.add("16")
            else:
                others.add(code)
    return tiers, others


@pytest.mark.parametrize(
    ("environ", "tiers"),
    [
        ({"COLORTERM": "truecolor"}, {"true"}),
        ({"TEXTUAL_COLOR_SYSTEM": "256"}, {"256"}),
        ({"SSH_CONNECTION": "1 2 3 4"}, {"256"}),
        ({"TEXTUAL_COLOR_SYSTEM": "standard"}, {"16"}),
        ({"SCRIPTED_THEME": "ansi"}, {"16"}),
        ({"NO_COLOR": "1"}, set()),
        ({"NO_COLOR": "1", "COLORTERM": "truecolor", "SSH_CONNECTION": "1 2 3 4"}, set()),
        ({"SCRIPTED_THEME": "mono"}, set()),
    ],
)
def test_only_colours_the_terminal_knows(environ: dict[str, str], tiers: set[str]) -> None:
    with painted(**environ) as child:
        found, others = colours(child)
        # With 256 colours, the first sixteen have codes of their own.
        assert found - ({"16"} if tiers == {"256"} else set()) == tiers
        assert others <= {b"", b"0", b"1", b"2", b"7"}, "reset, bold, dim and reverse besides"


def test_a_theme_is_changed_while_the_screen_runs(tmp_path: Path) -> None:
    themes = tmp_path / "perpdesk" / "themes"
    themes.mkdir(parents=True)
    mine = themes / "mine.toml"
    night = (Path(__file__).parents[2] / "themes" / "night.toml").read_text()
    mine.write_text(night.replace("#56b6e9", "#010203"))
    os.utime(mine, ns=(10**18, 10**18))
    state = str(tmp_path / "state")
    child = PtyApp("demo", "--state", state, "--theme", "mine", module="tui.cli", XDG_CONFIG_HOME=str(tmp_path))
    try:
        child.wait_for("Desks 12")
        child.until(lambda: b"38;2;1;2;3" in child.sent, "the operator's own colour")
        mine.write_text(night.replace("#56b6e9", "#040506"))
        child.wait_for("theme mine: changed")
        child.until(lambda: b"38;2;4;5;6" in child.sent, "the new colour")
        mine.write_text("dark = ")
        child.wait_for("theme mine: ")
        child.keys("qq")
        assert child.exit_code() == 0
    finally:
        child.end()


def test_a_broken_theme_is_refused_in_one_line(tmp_path: Path) -> None:
    config = tmp_path / "else"
    (config / "themes").mkdir(parents=True)
    (config / "themes" / "mine.toml").write_text("dark = 1\n")
    (config / "c.toml").write_text("[ui]\ntheme = 'mine'\n")
    done = perpdesk(tmp_path, "demo", "--headless", "--for", "1s", "--config", str(config / "c.toml"))
    assert done.returncode == 78
    assert done.stderr.startswith("perpdesk: theme mine: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_the_bell_rings_when_the_link_is_lost(tmp_path: Path) -> None:
    (tmp_path / "perpdesk").mkdir()
    (tmp_path / "perpdesk" / "config.toml").write_text("[ui]\ndesktop = true\n")
    state = str(tmp_path / "state")
    demo = PtyApp("demo", "--state", state, module="tui.cli", XDG_CONFIG_HOME=str(tmp_path))
    others = [demo]
    try:
        demo.wait_for("Desks 12")
        looking = PtyApp("attach", "--state", state, module="tui.cli", XDG_CONFIG_HOME=str(tmp_path))
        others.append(looking)
        looking.wait_for("Desks 12")
        before = len(looking.sent)
        demo.keys("qq")
        assert demo.exit_code() == 0
        looking.until(lambda: b"\x07\x1b]9;perpdesk" in looking.sent[before:], "bell")
        told = re.findall(rb"\x07\x1b\]9;perpdesk[^\x07\x1b]*: no link to the engine[^\x07\x1b]*\x07", looking.sent)
        assert len(told) == 1
    finally:
        for each in others:
            each.end()
