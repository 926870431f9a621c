"""A screen above a disk that does not answer, or that is stuck itself: it says so, and the terminal is given back."""

import os
import signal
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.patient import SLACK_S
from tests.proof.hung import SILENT, STOPS, demo, goes_on, hung
from tests.proof.plants import STOP_S, WAITS
from tests.scale import scaled
from tests.terminal.pty_app import PtyApp


def test_below_a_screen(tmp_path: Path) -> None:
    """The operator sees it, quits, has the terminal back, and is told why it took so long."""
    state = tmp_path / "state"
    arguments = ("disk", "--", "demo", "--seed", "11", "--state", str(state))
    child = PtyApp(*arguments, module="tests.proof.faulty", XDG_CONFIG_HOME=str(tmp_path))
    try:
        child.wait_for("Desks 12")
        with hung(state):
            child.wait_for(SILENT)
            child.keys("a")
            child.wait_for("esc closes this page")
            child.keys("\x1b")
            child.until(lambda: "esc closes this page" not in child.text(), "closed page")
            child.keys("qq")
            began = time.monotonic()
            assert child.exit_code() == 74
            assert time.monotonic() - began < STOP_S + SLACK_S + 1
            after = bytes(child.sent).rpartition(b"\x1b[?1049l")[2].decode()
            assert f"perpdesk: not stopped within 2 s: {SILENT} " in after
        assert "the disk does not answer" in (state / "perpdesk.log").read_text()
        goes_on(tmp_path)
    finally:
        child.end()


@contextmanager
def screen(folder: Path, *faults: str, more: tuple[str, ...] = ()) -> Iterator[PtyApp]:
    """A painted demo with faults, and its terminal as it was in the end."""
    arguments = (*faults, "--", "demo", "--seed", "11", "--state", str(folder / "state"), *more)
    child = PtyApp(*arguments, module="tests.proof.faulty", XDG_CONFIG_HOME=str(folder))
    try:
        before = termios.tcgetattr(child.child.fd)
        child.wait_for("Desks 12")
        assert termios.tcgetattr(child.child.fd) != before
        yield child
        assert termios.tcgetattr(child.child.fd) == before
        assert b"\x1b[?1049l" in child.sent
    finally:
        child.end()


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGHUP)[: scaled(1, 2, 2)])
def test_a_screen_that_is_stuck_is_stopped_in_time(tmp_path: Path, number: signal.Signals) -> None:
    with screen(tmp_path, "stuck-frames") as child, hung(tmp_path):
        child.until((tmp_path / WAITS).exists, "wait")
        began = time.monotonic()
        os.kill(child.child.pid, number)
        assert child.exit_code() == 74
        assert STOP_S <= time.monotonic() - began < STOP_S + SLACK_S
        after = bytes(child.sent).rpartition(b"\x1b[?1049l")[2].decode()
        assert "perpdesk: not stopped within 2 s: the log says where it waits" in after
    assert "_waits" in (tmp_path / "state" / "perpdesk.log").read_text()
    goes_on(tmp_path)


def test_a_screen_that_cannot_be_left_is_left_in_time(tmp_path: Path) -> None:
    with screen(tmp_path, "stuck-leaving") as child, hung(tmp_path):
        child.keys("qq")
        assert child.exit_code() == 74
    goes_on(tmp_path)


@pytest.mark.parametrize("comes", [True, False])
def test_a_screen_that_is_still_to_come_gives_the_terminal_back(tmp_path: Path, comes: bool) -> None:
    """The terminal is taken some time before anything is painted."""
    child = PtyApp("stuck-beginning", "--", "demo", module="tests.proof.faulty", XDG_CONFIG_HOME=str(tmp_path))
    try:
        before = termios.tcgetattr(child.child.fd)
        with hung(tmp_path):
            child.until((tmp_path / WAITS).exists, "wait")
            assert termios.tcgetattr(child.child.fd) != before
            os.kill(child.child.pid, signal.SIGTERM)
            if not comes:
                assert child.exit_code() == 74
        if comes:
            assert child.exit_code() == 143, bytes(child.sent).decode()
        assert termios.tcgetattr(child.child.fd) == before
        assert b"\x1b[?1049l" in child.sent
    finally:
        child.end()


@pytest.mark.parametrize("again", STOPS)
def test_the_second_signal_of_a_screen_ends_at_once(tmp_path: Path, again: signal.Signals) -> None:
    """The one that has closed it was the first."""
    state = tmp_path / "state"
    with screen(tmp_path, "disk", "patient") as child, hung(state):
        child.wait_for(SILENT)
        os.kill(child.child.pid, signal.SIGTERM)
        log = state / "perpdesk.log"
        child.until(lambda: "no screen any more" in log.read_text(), "terminal as it was")
        os.kill(child.child.pid, again)
        assert child.exit_code() == 128 + again, "before its own end, which comes after 10 s"
    goes_on(tmp_path)


def test_a_stop_does_not_wait_for_the_halt_of_a_hang_up(tmp_path: Path) -> None:
    state = tmp_path / "state"
    log = state / "perpdesk.log"
    with screen(tmp_path, "disk", more=("--on-hangup", "halt")) as child, hung(state):
        child.wait_for(SILENT)
        os.kill(child.child.pid, signal.SIGHUP)
        child.until(lambda: "the engine goes on" in log.read_text(), "engine without a screen")
        assert "halted=" not in log.read_text(), "the halt waits for the disk"
        began = time.monotonic()
        os.kill(child.child.pid, signal.SIGTERM)
        assert child.exit_code() == 74
        assert STOP_S <= time.monotonic() - began < STOP_S + SLACK_S
    goes_on(tmp_path)


def test_below_a_screen_that_is_not_there_yet(tmp_path: Path) -> None:
    """Who waits for a disk at the start may give up."""
    state = tmp_path / "state"
    assert demo(tmp_path, "", "--for", "0s").status() == 0
    arguments = ("start-disk", "--", "demo", "--state", str(state))
    with hung(state):
        child = PtyApp(*arguments, module="tests.proof.faulty", XDG_CONFIG_HOME=str(tmp_path))
        try:
            child.until((state / WAITS).exists, "wait")
            os.kill(child.child.pid, signal.SIGINT)
            assert child.exit_code() is None
            assert child.child.signalstatus == signal.SIGINT
        finally:
            child.end()
    goes_on(tmp_path)
