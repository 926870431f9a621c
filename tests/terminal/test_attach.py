"""A line that is lost leaves the engine running, and whoever comes back finds it on another terminal."""

import json
import os
import signal
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.perpdesk import perpdesk
from tests.terminal.pty_app import PtyApp


def app(tmp_path: Path, *arguments: str) -> PtyApp:
    return PtyApp(*arguments, "--state", str(tmp_path / "state"), module="tui.cli", XDG_CONFIG_HOME=str(tmp_path))


def desks(tmp_path: Path) -> list[dict[str, Any]]:
    """As the engine says it; none while it does not answer."""
    run = perpdesk(tmp_path, "desks", "--json", "--state", str(tmp_path / "state"))
    found: list[dict[str, Any]] = json.loads(run.stdout) if run.returncode == 0 else []
    return found


@pytest.fixture(params=["detach", "halt"])
def lost(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, PtyApp]]:
    """A demo whose terminal is gone."""
    demo = app(tmp_path, "demo", "--on-hangup", request.param)
    try:
        demo.wait_for("Desks 12")
        demo.hang_up()
        yield request.param, demo
    finally:
        demo.end()


def test_the_engine_outlives_its_terminal_and_is_found_again(lost: tuple[str, PtyApp], tmp_path: Path) -> None:
    what, demo = lost
    again = app(tmp_path, "attach")
    try:
        again.wait_for("Desks 12")
        again.wait_for("link ")
        if what == "halt":
            again.wait_for("12 halted")
            assert {str(row["halted_by"]).endswith("hung up") for row in desks(tmp_path)} == {True}
        else:
            assert not any(row["halted_by"] for row in desks(tmp_path))
        again.keys("h")
        again.wait_for("1 desk" if what == "detach" else "resumed")
        again.keys("q")
        assert again.exit_code() == 0
    finally:
        again.end()
    assert len(desks(tmp_path)) == 12, "who lets go stops nothing"
    os.kill(demo.child.pid, signal.SIGTERM)
    assert demo.exit_code() == 143
    assert "event=stopped" in (tmp_path / "state" / "perpdesk.log").read_text()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_a_terminal_that_is_still_there_when_it_is_said_to_be_gone_is_given_back(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    demo = app(tmp_path, "demo", "--on-hangup", "detach")
    try:
        before = termios.tcgetattr(demo.child.fd)
        demo.wait_for("Desks 12")
        assert termios.tcgetattr(demo.child.fd) != before
        os.kill(demo.child.pid, signal.SIGHUP)
        log = tmp_path / "state" / "perpdesk.log"
        demo.until(lambda: "the engine goes on" in log.read_text(), "engine without a screen")
        assert termios.tcgetattr(demo.child.fd) == before
        codes = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[<u")
        demo.until(lambda: all(code in demo.sent[-400:] for code in codes), "terminal as it was")
        os.kill(demo.child.pid, number)
        assert demo.exit_code() == status
        assert "event=stopped" in log.read_text()
    finally:
        demo.end()


def test_two_at_once_and_an_observer_commands_nothing(tmp_path: Path) -> None:
    demo = app(tmp_path, "demo")
    others = [demo]
    try:
        demo.wait_for("Desks 12")
        observer = app(tmp_path, "attach", "--observe")
        others.append(observer)
        observer.wait_for("Desks 12")
        observer.keys("HH")
        observer.wait_for("observer: may only look")
        operator = app(tmp_path, "attach")
        others.append(operator)
        operator.wait_for("Desks 12")
        operator.keys("HH")
        operator.wait_for("halted 12 desks")
        for each in (demo, observer):
            each.wait_for("12 halted")
        demo.keys("qq")
        assert demo.exit_code() == 0
        observer.wait_for("no link to the engine")  # after what was said last
    finally:
        for each in others:
            each.end()
