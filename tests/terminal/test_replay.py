"""Looking back on a real terminal."""

import asyncio
from pathlib import Path

from tests.engine.journals import write
from tests.terminal.pty_app import PtyApp


def app(tmp_path: Path, *arguments: str) -> PtyApp:
    return PtyApp(
        "replay", str(tmp_path), *arguments, module="tui.cli", columns=120, rows=40, XDG_CONFIG_HOME=str(tmp_path)
    )


def test_a_replay_is_walked_played_and_left(tmp_path: Path) -> None:
    asyncio.run(write(tmp_path, 300))
    before = sorted((path.name, path.stat().st_size) for path in tmp_path.glob("perpdesk.db"))
    replay = app(tmp_path, "--seq", "150")
    try:
        replay.wait_for("REPLAY")
        replay.wait_for("entry 150 of ")
        replay.keys("\x1b[D")
        replay.wait_for("entry 149 of ")
        replay.keys("\x1b[C\x1b[C")
        replay.wait_for("entry 151 of ")
        replay.keys(".......")
        replay.wait_for("x900")
        replay.keys(" ")
        replay.wait_for("100%")
        replay.wait_for("paused")
        replay.keys("q")
        assert replay.exit_code() == 0
    finally:
        replay.end()
    assert sorted((path.name, path.stat().st_size) for path in tmp_path.glob("perpdesk.db")) == before


def test_a_replay_that_stands_still_sends_nothing(tmp_path: Path) -> None:
    asyncio.run(write(tmp_path, 100))
    replay = app(tmp_path)
    try:
        replay.wait_for("paused")
        replay.until(lambda: replay.measure(0.5)[0] == 0.0, "silence")
        assert replay.measure(1.5)[0] == 0.0
        replay.keys("q")
        assert replay.exit_code() == 0
    finally:
        replay.end()


def test_reading_a_long_journal_can_be_given_up(tmp_path: Path) -> None:
    asyncio.run(write(tmp_path, 25_000))
    replay = app(tmp_path)
    try:
        replay.wait_for("reading the journal,")
        replay.keys("\x03")
        assert replay.exit_code() == 130
        assert b"\x1b[?1049h" not in replay.sent, "no screen was ever opened"
        assert b"Traceback" not in replay.sent
    finally:
        replay.end()
