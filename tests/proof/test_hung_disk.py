"""A disk that does not answer: it is seen and said, a stop ends in time all the same, and nothing is lost."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from engine.audit import audit
from engine.keeper_rows import KeeperHealth, KeeperRow
from engine.remote import RemotePort
from engine.snapshot import Snapshot
from engine.stopping import LAST_WORDS_S
from tests.cli.perpdesk import environment
from tests.patient import PATIENCE_S, SLACK_S
from tests.proof.control import ready
from tests.proof.hung import SILENT, STOPS, demo, goes_on, hung
from tests.proof.plants import STOP_S, WAITS
from tests.proof.zygote import Life


async def said(life: Life, words: str) -> None:
    """Until its log has it."""
    end = time.monotonic() + PATIENCE_S
    while words not in life.words():
        assert time.monotonic() < end, life.words()[-2_000:]
        assert not life.ended(0.02), life.words()[-2_000:]
        await asyncio.sleep(0)


async def pictured(state: Path, true: Callable[[Snapshot], bool]) -> Snapshot:
    """The first picture of which it is true."""
    end = time.monotonic() + PATIENCE_S
    async with await RemotePort.connect(state, 5.0) as port:
        while not true(picture := await port.latest()):
            assert time.monotonic() < end, picture.status.alarms
            await asyncio.sleep(0.02)
    return picture


def silent(picture: Snapshot) -> bool:
    return any(alarm.startswith(SILENT) for alarm in picture.status.alarms)


def last_words(life: Life) -> str:
    """The one line that is no log line."""
    (line,) = (line for line in life.words().splitlines() if not line.startswith("timestamp="))
    return line


async def test_it_is_seen_and_said_and_forgotten_when_it_is_over(tmp_path: Path) -> None:
    state, life = tmp_path / "state", demo(tmp_path)
    await ready(state, life)
    with hung(state):
        picture = await pictured(state, silent)
        assert picture.status.alarms[0].endswith(" s: nothing is written, nothing new is begun")
        seq = picture.seq
        await said(life, 'event="the disk does not answer"')
    after = await pictured(state, lambda picture: picture.seq > seq + 20 and not silent(picture))
    assert not any(SILENT in alarm for alarm in (*after.status.alarms, *after.status.acknowledged))
    await said(life, 'event="the disk answers again"')
    assert life.words().count("the disk does not answer") == 1
    life.send(signal.SIGTERM)
    assert life.status() == 0
    goes_on(tmp_path)


@pytest.mark.parametrize("number", STOPS)
async def test_a_stop_ends_in_time(tmp_path: Path, number: signal.Signals) -> None:
    state, life = tmp_path / "state", demo(tmp_path)
    await ready(state, life)
    with hung(state):
        await said(life, "the disk does not answer")
        began = time.monotonic()
        life.send(number)
        assert life.status() == 74
        assert STOP_S <= time.monotonic() - began < STOP_S + SLACK_S
        assert last_words(life).startswith(f"perpdesk: not stopped within 2 s: {SILENT} ")
        assert life.words().count('event="not stopped"') == 1
        goes_on(tmp_path)


async def test_a_run_whose_time_is_over_ends_in_time(tmp_path: Path) -> None:
    life = demo(tmp_path, "hangs_at_the_end", "--for", "0s")
    assert life.status(20) == 74
    assert last_words(life).startswith(f"perpdesk: not stopped within 2 s: {SILENT} ")
    goes_on(tmp_path)


async def test_a_run_that_fails_ends_in_time(tmp_path: Path) -> None:
    """Whatever it meets on its way out."""
    state = tmp_path / "state"
    assert demo(tmp_path, "", "--for", "0s").status() == 0
    with hung(state):
        life = demo(tmp_path, "fails_and_hangs")
        assert life.status(20) == 74
        assert last_words(life).startswith("perpdesk: not stopped within 2 s: ")
    goes_on(tmp_path)


async def test_a_run_that_cannot_begin_ends_in_time(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "perpdesk.db").write_bytes(b"hello" * 1_000)
    with hung(state):
        life = demo(tmp_path, "hangs_beside_the_start")
        assert life.status(20) == 74
        assert last_words(life).startswith("perpdesk: not stopped within 2 s: ")


def test_nobody_needs_to_read_what_is_said(tmp_path: Path) -> None:
    """Not a line of it: the pipe is full from the beginning."""
    state = tmp_path / "state"
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writes, bytes(4096))
    os.set_blocking(writes, True)
    command = [sys.executable, "-m", "tests.proof.faulty", "disk", "--", "demo", "--headless", "--state", str(state)]
    with subprocess.Popen(command, env=environment(tmp_path), stdout=subprocess.DEVNULL, stderr=writes) as process:
        try:
            until_bound(state, process)
            with hung(state):
                asyncio.run(pictured(state, silent))
                began = time.monotonic()
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE_S) == 74
                assert STOP_S <= time.monotonic() - began < STOP_S + 2 * LAST_WORDS_S + SLACK_S
        finally:
            process.kill()
            os.close(reads)
            os.close(writes)
    goes_on(tmp_path)


def until_bound(state: Path, process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    """Until it can be reached."""
    while not (state / "control.sock").exists():
        assert process.poll() is None


async def test_a_disk_that_answers_in_time_is_no_reason(tmp_path: Path) -> None:
    state, life = tmp_path / "state", demo(tmp_path)
    await ready(state, life)
    with hung(state):
        await said(life, "the disk does not answer")
        life.send(signal.SIGTERM)
    assert life.status() == 0, life.words()
    assert json.loads(life.out.read_text())["facts"] == audit(state).mark.seq


@pytest.mark.parametrize("again", STOPS)
async def test_a_second_signal_ends_at_once(tmp_path: Path, again: signal.Signals) -> None:
    state, life = tmp_path / "state", demo(tmp_path)
    await ready(state, life)
    with hung(state):
        await said(life, "the disk does not answer")
        life.send(signal.SIGTERM)
        await said(life, "event=stopping")
        life.send(again)
        assert life.status() == 128 + again
        goes_on(tmp_path)


async def test_a_loop_that_is_stuck_is_stopped_in_time_and_told_with_its_place(tmp_path: Path) -> None:
    state, life = tmp_path / "state", demo(tmp_path, "spins")
    await ready(state, life)
    with hung(state):
        await said(life, "the loop is stuck")
        life.send(signal.SIGTERM)
        assert life.status() == 74
        assert "_spun" in next(line for line in life.words().splitlines() if 'event="not stopped"' in line)
        assert last_words(life) == "perpdesk: not stopped within 2 s: the log says where it waits"
    goes_on(tmp_path)


@pytest.mark.parametrize("number", STOPS)
async def test_before_it_is_ready_it_is_broken_off(tmp_path: Path, number: signal.Signals) -> None:
    """At once where it can be; where the disk does not answer then either, in time."""
    state = tmp_path / "state"
    assert demo(tmp_path, "", "--for", "1s").status() == 0
    with hung(state):
        life = demo(tmp_path, "hangs_at_the_start")
        await held(state, life)
        life.send(number)
        assert life.status() == 74
        assert last_words(life).startswith("perpdesk: not stopped within 2 s: ")
        life = demo(tmp_path, "hangs_at_the_start")
        await held(state, life)
        life.send(number)
        await said(life, "event=stopping")
    assert life.status() == 128 + number
    assert life.out.read_text() == ""
    goes_on(tmp_path)


async def held(state: Path, life: Life) -> None:
    """Until it waits for the disk."""
    end = time.monotonic() + 20
    while not (state / WAITS).exists():
        assert time.monotonic() < end
        assert not life.ended(0.02), life.words()
    (state / WAITS).unlink()


def index_row(picture: Snapshot) -> KeeperRow:
    (row,) = (each for each in picture.keepers if each.name == "index")
    return row


def test_an_index_that_hangs_holds_up_neither_the_picture_nor_the_journal(tmp_path: Path) -> None:
    """In an interpreter of its own: its end waits for the thread that hangs."""
    state = tmp_path / "state"
    arguments = ("index-disk", "--", "demo", "--headless", "--seed", "3", "--state", str(state))
    command = [sys.executable, "-m", "tests.proof.faulty", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment(tmp_path), **pipes) as process:  # type: ignore[call-overload]
        until_bound(state, process)
        asyncio.run(pictured(state, lambda picture: index_row(picture).passes > 0))
        with hung(state):
            late = asyncio.run(pictured(state, lambda picture: index_row(picture).health is KeeperHealth.LATE))
            asyncio.run(pictured(state, lambda picture: picture.seq > late.seq + 50))
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 74
    assert "event=stopped" in err
    assert 'event="the index is not closed"' in err
    assert json.loads(out)["facts"] == audit(state).mark.seq
    goes_on(tmp_path)


async def test_the_service_manager_hears_no_sign_of_life(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        manager.settimeout(20)
        heard = list[str]()

        async def hears(words: str) -> None:
            while not heard or not heard[-1].startswith(words):
                heard.append((await asyncio.to_thread(manager.recv, 300)).decode())

        life = demo(tmp_path, NOTIFY_SOCKET=str(tmp_path / "n"), WATCHDOG_USEC="400000")
        await hears("READY=1")
        await hears("WATCHDOG=1")
        with hung(state):
            await hears(f"STATUS={SILENT}")
            heard.clear()
            for _ in range(5):
                heard.append((await asyncio.to_thread(manager.recv, 300)).decode())
            assert "WATCHDOG=1" not in heard
        await hears("STATUS=")
        await hears("WATCHDOG=1")
        life.send(signal.SIGTERM)
        await hears("STOPPING=1")
        assert life.status() == 0
