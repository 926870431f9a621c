"""`perpdesk replay` without a terminal: pictures as JSON, times, and refusals."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest

from store.reader import entries
from tests.cli.perpdesk import perpdesk
from tests.cli.test_refusals import refused
from tests.engine.journals import write
from tui.replay_verbs import unix_ms


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory: Path = tmp_path_factory.mktemp("state")
    asyncio.run(write(directory, 200))
    return directory


def picture(tmp_path: Path, state: Path, *arguments: str) -> dict[str, Any]:
    run = perpdesk(tmp_path, "replay", str(state), "--json", *arguments)
    assert run.returncode == 0, run.stderr
    assert run.stderr == f"perpdesk: the journal has {sum(1 for _ in entries(state)):,} entries\n"
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()


def test_the_picture_at_an_entry_and_at_its_time_are_the_same(tmp_path: Path, state: Path) -> None:
    written = [entry.at_ms for entry in entries(state)]
    last = picture(tmp_path, state)
    assert (last["seq"], last["status"]["mode"]) == (str(len(written)), "REPLAY")
    assert picture(tmp_path, state, "--at", "2999-01-01") == last
    seq = len(written) - written[::-1].index(written[120])
    earlier = picture(tmp_path, state, "--seq", str(seq))
    assert earlier["funds"] != last["funds"]
    assert picture(tmp_path, state, "--at", iso(written[120])) == earlier
    assert earlier["at_ms"] == str(written[120])


def test_what_is_asked_wrongly_is_refused(tmp_path: Path, state: Path) -> None:
    newest = sum(1 for _ in entries(state))
    for arguments, words in (
        (("--json", "--seq", "999999"), f"the journal has entries 1 to {newest}"),
        (("--json", "--at", "2020-01-01"), "the journal begins at 2026-"),
        (("--json", "--at", "yesterday"), "'yesterday' is not a time"),
        *(
            (("--json", "--at", digits), f"'{digits}' is not a time")
            for digits in ("2026", "16", "20261121", "2026+01:00")
        ),
        (("--json", "--at", "12:00", "--seq", "1"), "exclude each other"),
        ((), "--json prints the picture of a moment instead"),
    ):
        run = perpdesk(tmp_path, "replay", str(state), *arguments)
        refused(run, 64, words)
    refused(perpdesk(tmp_path, "replay", str(tmp_path / "no"), "--json"), 74, "no perpdesk.db")


def test_a_damaged_journal_has_its_exit_status(tmp_path: Path) -> None:
    asyncio.run(write(tmp_path, 60))
    with closing(sqlite3.connect(tmp_path / "perpdesk.db")) as connection:
        connection.execute("DROP TRIGGER journal_is_never_edited")
        connection.execute("UPDATE journal SET payload = '{}' WHERE seq = 30")
        connection.commit()
    run = perpdesk(tmp_path, "replay", str(tmp_path), "--json")
    refused(run, 66, "entry 30 does not fit the hash chain")


def test_a_time_without_a_date_is_the_last_such_time() -> None:
    noon = int(datetime(2026, 5, 28, 12, 0, tzinfo=UTC).timestamp() * 1000)
    assert unix_ms(time(11, 59, 30, tzinfo=UTC), noon) == noon - 30_000
    assert unix_ms(time(12, 0, tzinfo=UTC), noon) == noon
    assert unix_ms(time(12, 1, tzinfo=UTC), noon) == noon + 60_000 - 86_400_000
    assert unix_ms(datetime(2026, 5, 28, 14, 0, tzinfo=UTC), noon) == noon + 7_200_000
