"""`perpdesk index`, and the index of a real process that is killed."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from store.reader import Reader
from tests.cli.perpdesk import perpdesk, running, summary
from tests.cli.test_refusals import refused
from tests.engine.indexed import agree, tables
from tests.engine.journals import write


@pytest.fixture
def state(tmp_path: Path) -> Path:
    directory = tmp_path / "state"
    directory.mkdir()
    asyncio.run(write(directory, 200))
    return directory


def told(tmp_path: Path, state: Path, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = summary(perpdesk(tmp_path, "index", *arguments, "--state", str(state), "--json"))
    return found


def test_an_index_is_made_of_a_journal_and_says_how_far_it_is(tmp_path: Path, state: Path) -> None:
    refused(perpdesk(tmp_path, "index", "status", "--state", str(state)), 74, "index.db: no such file")
    (tmp_path / "config.toml").write_text("[index]\nblock_days = 0\n")
    found = told(tmp_path, state, "rebuild", "--config", str(tmp_path / "config.toml"))
    agree(state)
    with Reader(state) as reader:
        assert (found["seq"], found["behind"], found["gap"]) == (str(reader.newest()), "0", False)
    assert int(found["rows"]["positions"]) == len(tables(state)["positions"]) > 10
    assert told(tmp_path, state, "status")["rows"] == found["rows"]
    words = perpdesk(tmp_path, "index", "status", "--state", str(state))
    assert "behind the journal  0 facts" in words.stdout
    assert (words.returncode, words.stderr) == (0, "")
    assert not list(state.glob("index.db.*"))


def test_blocks_are_kept_as_long_as_the_configuration_says(tmp_path: Path, state: Path) -> None:
    assert told(tmp_path, state, "rebuild")["rows"]["market_snapshots"] == "0", "they are of long ago"


def test_where_there_is_no_journal_nothing_is_made(tmp_path: Path) -> None:
    for verb in ("status", "rebuild"):
        refused(perpdesk(tmp_path, "index", verb, "--state", str(tmp_path / "no")), 74, "no perpdesk.db")
    assert not (tmp_path / "no").exists()


def test_a_damaged_journal_leaves_the_old_index_alone(tmp_path: Path, state: Path) -> None:
    told(tmp_path, state, "rebuild")
    before = (state / "index.db").read_bytes()
    with closing(sqlite3.connect(state / "perpdesk.db")) as connection:
        connection.execute("DROP TRIGGER journal_is_never_edited")
        connection.execute("UPDATE journal SET payload = '{}' WHERE seq = 30")
        connection.commit()
    run = perpdesk(tmp_path, "index", "rebuild", "--state", str(state))
    refused(run, 66, "entry 30 does not fit the hash chain")
    assert (state / "index.db").read_bytes() == before
    assert not list(state.glob("index.db.new*"))


def test_a_damaged_index_is_refused_with_what_to_do(tmp_path: Path, state: Path) -> None:
    (state / "index.db").write_bytes(bytes(9_000))
    run = perpdesk(tmp_path, "index", "status", "--state", str(state))
    refused(run, 66, "a starting engine makes it anew, or `perpdesk index rebuild`")
    (tmp_path / "config.toml").write_text("[index]\nblock_days = 0\n")
    told(tmp_path, state, "rebuild", "--config", str(tmp_path / "config.toml"))
    agree(state)


def test_a_killed_engine_continues_its_index_and_nobody_rebuilds_beside_it(tmp_path: Path) -> None:
    state = tmp_path / "state"
    demo = ("demo", "--headless", "--state", str(state), "--seed", "3")
    with running(tmp_path, *demo, "--for", "60s") as process:
        _until(lambda: _written(state) > 150)
        refused(perpdesk(tmp_path, "index", "rebuild", "--state", str(state)), 75, "is in use by perpdesk process")
        assert int(told(tmp_path, state, "status")["seq"]) > 150
        process.kill()
        process.wait()
    seen = _written(state)
    came_to = summary(perpdesk(tmp_path, *demo, "--for", "3s"))
    agree(state)
    assert _written(state) == came_to["facts"] > seen
    assert tables(state)["prices"]


def _written(state: Path) -> int:
    try:
        return next((int(str(row[1])) for row in tables(state)["meta"] if row[0] == "seq"), 0)
    except sqlite3.OperationalError:
        return 0


def _until(true: Any) -> None:
    deadline = time.monotonic() + 40
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError("it never came")
        time.sleep(0.05)
