"""The real demo on a real terminal, as a newcomer meets it: engine, simulator, journal and screen together."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.demo.tokens import HOSTILE_NAME
from tests.terminal.pty_app import PtyApp
from tests.terminal.test_wire import CONTROL

POSITION = re.compile(r"·[0-9a-f]{4}\s+(LONG|SHORT)")
"""The side of a desk in the desks pane."""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[PtyApp]:
    child = PtyApp(
        "demo",
        "--seed",
        "11",
        "--state",
        str(tmp_path / "state"),
        module="tui.cli",
        XDG_CONFIG_HOME=str(tmp_path),
    )
    try:
        child.wait_for("Desks 12")
        yield child
    finally:
        child.end()


def positions(child: PtyApp) -> int:
    """Desks with a position, by the side column of the desks pane."""
    return len(POSITION.findall(child.text()))


def test_ten_seconds_after_start_the_panes_are_alive(demo: PtyApp) -> None:
    demo.until(lambda: positions(demo) >= 3, "three open desks")
    demo.until(lambda: len(re.findall(r"signal\s+(?:OPEN|NONE)", demo.text())) >= 3, "decisions with reasons")
    demo.until(lambda: len(re.findall(r"#\d+\s+(?:ETH|BTC)", demo.text())) >= 3, "a liquidation queue")
    for words in ("PAPER", "block", "pyth", "keepers ok", "time x60", "simulated: prices, fees, 48 traders"):
        assert words in demo.text()
    assert "momentum" in demo.text()


def test_the_hostile_token_reaches_the_screen_without_its_teeth(demo: PtyApp) -> None:
    demo.until(lambda: "owned" in demo.text(), "the hostile name")
    text = CONTROL.sub(b"", bytes(demo.sent)).decode()
    assert "owned" in text
    attack = set(HOSTILE_NAME) & set("\x07\x9b\u202e\x9d")
    assert attack
    assert not attack & set(text)
    assert "\x1b]0;" not in bytes(demo.sent).decode()


def test_halting_closing_and_quitting(demo: PtyApp) -> None:
    demo.until(lambda: positions(demo) >= 3, "three open desks")
    demo.keys("h")
    demo.wait_for("HALTED by ")
    demo.wait_for("halted 1 desk")
    demo.keys("h")
    demo.wait_for(": resumed")
    side = POSITION.findall(demo.text())[0]
    demo.keys(f"/{side.lower()}\r")
    demo.wait_for("filter: ")
    demo.keys("H")
    demo.wait_for("H again within 5 s halts")
    demo.keys("H")
    demo.wait_for("halted 12 desks")
    demo.wait_for("12 halted")
    demo.keys("c")
    demo.wait_for("Close position")
    demo.keys("\t\r")
    demo.wait_for("esc cancels")
    demo.wait_for("USDC back")
    demo.keys("qq")
    assert demo.exit_code() == 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_losing_the_terminal_stops_the_engine_in_order_and_the_state_goes_on(
    demo: PtyApp, tmp_path: Path, number: signal.Signals
) -> None:
    demo.until(lambda: positions(demo) >= 3, "three open desks")
    os.kill(demo.child.pid, number)
    assert demo.exit_code() == 128 + number
    log = (tmp_path / "state" / "perpdesk.log").read_text()
    assert "event=stopped" in log
    again = PtyApp("demo", "--state", str(tmp_path / "state"), module="tui.cli", XDG_CONFIG_HOME=str(tmp_path))
    try:
        again.wait_for("Desks 12")
        again.until(lambda: positions(again) >= 3, "the desks of before")
    finally:
        again.end()
