"""A journal that cannot be trusted, from the beginning or from later on."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.config import Settings
from engine.rewind import Rewind
from store.errors import Damaged, StoreError
from tests.engine.journals import write


def edit(directory: Path, statement: str) -> None:
    with closing(sqlite3.connect(directory / "perpdesk.db")) as connection:
        connection.execute("DROP TRIGGER journal_is_never_edited")
        connection.execute(statement)
        connection.commit()


async def test_a_damaged_journal_is_refused(tmp_path: Path) -> None:
    await write(tmp_path, 60)
    edit(tmp_path, "UPDATE journal SET at_ms = at_ms + 1 WHERE seq = 30")
    with pytest.raises(Damaged, match="entry 30 does not fit"):
        Rewind(tmp_path, Settings())


async def test_an_empty_journal_is_refused(tmp_path: Path) -> None:
    await write(tmp_path, 0)
    with pytest.raises(StoreError, match="is empty"):
        Rewind(tmp_path, Settings())


async def test_damage_that_comes_later_stops_the_tape_and_says_so(tmp_path: Path, tight: None) -> None:
    await write(tmp_path, 60)
    past = Rewind(tmp_path, Settings())
    past.go_to(10)
    shown = past.latest()
    edit(tmp_path, "UPDATE journal SET payload = '{}' WHERE seq = 30")
    for _ in range(2):
        past.go_to(30)
        assert (past.seq, past.at_ms) == (10, shown.at_ms)
        assert past.latest().desks == shown.desks
        assert ["entry 30 does not fit" in alarm for alarm in past.latest().status.alarms] == [True]
    past.go_to(9)
    assert past.seq == 9
    past.go_to(10)
    assert past.latest() == shown
    past.close()
