"""The app on a real pseudo terminal: what it sends, what it costs, and how it leaves."""

import os
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.patient import SLACK_S
from tests.scale import scaled
from tests.terminal.pty_app import ROOT, PtyApp

READY = "Desks "
STOP_S = 1.5
"""What a stop of one that is stuck may take."""
BUSY = 25
"""Percent of a core that a screen never takes, however slow the machine; `bench` measures what it takes."""
STYLE = re.compile(rb"\x1b\[([0-9;]*)m")
CONTROL = re.compile(rb"\x1b(?:\]22;default\x07|\[[?<>=]?[0-9;:]*[A-Za-z]|\[\?[0-9]+\$p)")


@contextmanager
def app(mode: str, *, columns: int = 160, rows: int = 45, **environ: str) -> Iterator[PtyApp]:
    child = PtyApp(mode, columns=columns, rows=rows, **environ)
    try:
        child.wait_for(READY)
        yield child
    finally:
        child.end()


def test_fifty_updates_a_second_fit_through_a_thin_line() -> None:
    with app("live") as child:
        time.sleep(1.5)
        bytes_per_second, cpu = child.measure(6)
        assert bytes_per_second > 1_000, "the screen is not drawn at all"
        assert bytes_per_second < 15_000
        assert cpu < BUSY


def test_a_frozen_feed_sends_the_clock_and_nothing_else() -> None:
    with app("idle") as child:
        time.sleep(1)
        before = len(child.sent)
        bytes_per_second, cpu = child.measure(4)
        assert bytes_per_second < 150
        assert cpu < BUSY
        assert set(re.findall(rb"[A-Za-z]{2,}", CONTROL.sub(b" ", bytes(child.sent[before:])))) == set()


def test_on_the_second_screen_only_what_waits_grows_older() -> None:
    with app("idle") as child:
        child.keys("5")
        child.wait_for("Requests 3 pending")
        time.sleep(1)
        bytes_per_second, cpu = child.measure(4)
        assert bytes_per_second < 400
        assert cpu < BUSY


def test_the_first_frame_comes() -> None:
    """How quickly is for `make bench`."""
    with app("idle") as child:
        assert child.wait_for(READY) < 10


def test_ssh_costs_even_less() -> None:
    with app("live", SSH_CONNECTION="1 2 3 4") as child:
        time.sleep(1.5)
        bytes_per_second, _ = child.measure(3)
        assert bytes_per_second < 6_000
        assert b"\x1b[?1003h" not in child.sent, "no mouse reports over a thin line"
        assert b"38;2;" not in child.sent


def test_no_color_means_not_one_colour_code() -> None:
    with app("live", NO_COLOR="1") as child:
        child.keys("j")
        child.keys("c")
        child.wait_for("Close BONK")
        child.keys("\x1b")
        child.measure(1)
        codes = {code for style in STYLE.findall(bytes(child.sent)) for code in style.split(b";")}
        assert codes <= {b"0", b"1", b"2", b"7"}, "reset, bold, dim and reverse are all that is left"
        assert b"\x1b[7m" in child.sent, "the cursor is still to be seen"


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24), (200, 60)][: scaled(1, 3, 3)])
def test_four_hundred_hostile_names_never_reach_the_wire(columns: int, rows: int) -> None:
    with app("hostile", columns=columns, rows=rows) as child:
        for key in "123456890":
            child.keys(key)
            child.keys("z")
            for _ in range(4):
                time.sleep(0.1)
                child.keys("\x1b[6~")
            child.keys("z")
        child.keys("1\r")
        child.measure(1)
        rest = CONTROL.sub(b"", bytes(child.sent)).decode()
        assert not any(ord(char) < 32 and char not in "\r\n" for char in rest)
        assert not any(127 <= ord(char) < 160 or char in "\u202e\u2066\u2069\u200b\u200d\ufeff" for char in rest)
        assert b"\x1b[31mRED" not in child.sent


def test_resizing_to_tiny_and_back() -> None:
    with app("live") as child:
        for columns, rows in ((20, 5), (1, 1), (60, 20)):
            child.resize(columns, rows)
            time.sleep(0.3)
        child.wait_for("perpdesk needs 80x24")
        child.resize(120, 40)
        child.until(lambda: "Desks 50" in child.text() and "perpdesk needs" not in child.text(), "whole screen")


def test_a_terminal_that_does_not_know_its_size_is_drawn_once_and_left() -> None:
    """Of a serial line, or of a script that gives none: no two guesses may be laid out in turns."""
    child = PtyApp("idle", columns=0, rows=0)
    try:
        child.wait_for(READY)
        time.sleep(1)
        bytes_per_second, cpu = child.measure(3)
        assert (bytes_per_second < 300, cpu < 20) == (True, True), (bytes_per_second, cpu)
        child.resize(120, 40)
        child.until(lambda: len(child.text().splitlines()[0].rstrip()) > 90, "wider screen")
        os.kill(child.child.pid, signal.SIGTERM)
        assert child.exit_code() == 143
    finally:
        child.end()


def test_quitting_restores_the_terminal() -> None:
    with app("idle") as child:
        child.keys("q")
        child.wait_for("q again to stop")
        child.keys("q")
        child.wait_for("left 0")
        assert child.exit_code() == 0
        for code in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[<u"):
            assert code in child.sent[-400:]


def test_a_second_word_to_end_does_not_wait_for_a_screen_that_is_stuck() -> None:
    child = PtyApp("stuck", STOP_S=str(STOP_S))
    try:
        before = termios.tcgetattr(child.child.fd)
        child.wait_for(READY)
        child.until(lambda: b"stuck" in child.sent, "stuck screen")
        assert termios.tcgetattr(child.child.fd) != before

        def asked_again() -> bool:
            """Two that come at once are one."""
            os.kill(child.child.pid, signal.SIGTERM)
            return not child.child.isalive()

        child.until(asked_again, "end")
        assert child.exit_code() == 143
        assert termios.tcgetattr(child.child.fd) == before
        for code in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[<u"):
            assert code in child.sent[-400:]
    finally:
        child.end()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_screen_that_is_stuck_ends_in_time(number: signal.Signals) -> None:
    child = PtyApp("stuck", STOP_S=str(STOP_S))
    try:
        before = termios.tcgetattr(child.child.fd)
        child.wait_for(READY)
        child.until(lambda: b"stuck" in child.sent, "stuck screen")
        began = time.monotonic()
        os.kill(child.child.pid, number)
        assert child.exit_code() == 74
        assert STOP_S <= time.monotonic() - began < STOP_S + SLACK_S
        assert termios.tcgetattr(child.child.fd) == before
        _, left, words = bytes(child.sent).rpartition(b"\x1b[?1049l")
        assert left
        assert b"perpdesk: not stopped within 2 s: the log says where it waits" in words
    finally:
        child.end()


def test_ctrl_z_suspends_nothing() -> None:
    with app("idle") as child:
        child.keys("\x1a")
        os.kill(child.child.pid, signal.SIGTSTP)
        time.sleep(0.3)
        assert child.process.status() != "stopped"
        child.keys("j")
        child.until(lambda: "> BONK" in child.text(), "moving cursor")


@pytest.mark.parametrize("mode", ["idle", "live"])
def test_a_hang_up_ends_the_process_in_order(mode: str) -> None:
    with app(mode) as child:
        child.hang_up()
        assert child.exit_code() == 129


def test_a_hang_up_after_a_stall_ends_the_process_too() -> None:
    with app("live") as child:
        child.stop_reading()
        time.sleep(4)
        child.hang_up()
        assert child.exit_code() == 129


def test_sighup_on_a_line_that_does_not_drain_ends_the_process() -> None:
    with app("live") as child:
        child.stop_reading()
        raw = termios.tcgetattr(child.child.fd)
        time.sleep(4)
        os.kill(child.child.pid, signal.SIGHUP)
        assert child.exit_code() == 129
        assert termios.tcgetattr(child.child.fd)[3] != raw[3], "its modes are those of before"


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 0), (signal.SIGHUP, 129)], ids=lambda of: str(int(of))
)
def test_a_line_that_is_just_full_holds_no_end_up(number: signal.Signals, status: int) -> None:
    """No write waits yet, so that it does not look like a slow one; the last words are what would wait."""
    with app("idle") as child:
        child.stop_reading()
        raw = termios.tcgetattr(child.child.fd)
        child.fill_the_line()
        os.kill(child.child.pid, number)
        assert child.exit_code() == status
        assert termios.tcgetattr(child.child.fd)[3] != raw[3], "its modes are those of before"


def test_sigterm_restores_the_terminal() -> None:
    with app("live") as child:
        os.kill(child.child.pid, signal.SIGTERM)
        child.wait_for("left 143")
        assert child.exit_code() == 143


def test_a_stalled_line_shows_the_present_when_it_drains() -> None:
    with app("live") as child:
        child.stop_reading()
        for _ in range(20):
            # Each repaints the whole screen: far more than the line takes.
            child.keys("z")
            time.sleep(0.1)
        child.keys("j")
        time.sleep(1)
        child.start_reading()
        child.until(lambda: "> BONK" in child.text() and "Markets 24" in child.text(), "present")
        time.sleep(1)
        bytes_per_second, _ = child.measure(2)
        assert bytes_per_second < 15_000, "old frames are not sent late"


def test_a_stop_from_outside_is_survived() -> None:
    with app("live") as child:
        os.kill(child.child.pid, signal.SIGSTOP)
        os.kill(child.child.pid, signal.SIGCONT)
        child.until(lambda: "Desks 50" in child.text(), "screen after a stop from outside")


def test_a_crash_shows_no_variables() -> None:
    child = PtyApp("crash")
    try:
        child.until(lambda: b"left 1" in child.sent, "end")
        assert child.exit_code() == 1
        assert b"ZeroDivisionError" in child.sent
        assert b"hunter2" not in child.sent
        assert b"\x1b[?1049l" in child.sent
    finally:
        child.end()


def test_a_dumb_terminal_is_refused_in_one_line() -> None:
    child = PtyApp("idle", TERM="dumb")
    try:
        child.until(lambda: not child.child.isalive(), "end")
        assert child.exit_code() == 64
        assert b"--headless" in child.sent
        assert b"\x1b[?1049h" not in child.sent
    finally:
        child.end()


def test_a_pipe_is_refused_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.terminal.scripted_app", "idle"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 64
    assert done.stderr.splitlines()[0].endswith(b"add --headless to run without a screen")
    assert done.stdout == b""
