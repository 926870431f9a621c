"""`perpdesk verify`, `backup` and `restore` as an operator runs them, beside a running engine and after damage."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.perpdesk import perpdesk, running
from tests.cli.test_looks import Demo
from tests.engine.journals import write


@pytest.fixture
def state(tmp_path: Path) -> Path:
    directory = tmp_path / "state"
    directory.mkdir()
    asyncio.run(write(directory, 300))
    return directory


def rotten(state: Path) -> None:
    """Somebody edits an amount with a tool of their own."""
    with closing(sqlite3.connect(state / "perpdesk.db")) as connection:
        connection.execute("DROP TRIGGER journal_is_never_edited")
        connection.execute("UPDATE journal SET payload = replace(payload, '1', '2') WHERE seq = 120")
        connection.commit()


def test_damage_is_found_and_the_way_out_of_it_works(tmp_path: Path, state: Path) -> None:
    copy = tmp_path / "copy"
    assert perpdesk(tmp_path, "backup", str(state), str(copy)).returncode == 0
    before = json.loads(perpdesk(tmp_path, "verify", str(state), "--json").stdout)
    assert before["ok"]
    rotten(state)
    run = perpdesk(tmp_path, "verify", str(state))
    assert run.returncode == 66
    assert "entry 120 does not fit the hash chain" in run.stdout
    assert f"perpdesk restore BACKUP {state} --replace" in run.stderr
    refused = perpdesk(tmp_path, "run", "--headless", "--for", "1", "--state", str(state))
    assert refused.returncode == 66
    assert perpdesk(tmp_path, "backup", str(state), str(tmp_path / "other")).returncode == 66
    assert not (tmp_path / "other").exists()
    held = perpdesk(tmp_path, "restore", str(copy), str(state))
    assert (held.returncode, held.stdout) == (74, "")
    assert "--replace sets it aside" in held.stderr
    assert perpdesk(tmp_path, "restore", str(copy), str(state), "--replace").returncode == 0
    after = json.loads(perpdesk(tmp_path, "verify", str(state), "--json").stdout)
    assert after == before


def test_a_drill_touches_nothing_and_a_bad_backup_fails_it(tmp_path: Path, state: Path) -> None:
    copy = tmp_path / "copy"
    assert perpdesk(tmp_path, "backup", str(state), str(copy)).returncode == 0
    there = sorted(path.name for path in tmp_path.iterdir())
    assert perpdesk(tmp_path, "restore", str(copy), "--drill").returncode == 0
    rotten(copy)
    run = perpdesk(tmp_path, "restore", str(copy), "--drill")
    assert run.returncode == 66
    assert "nothing was restored" in run.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == there


def test_beside_a_running_engine_a_backup_is_whole_and_a_restore_is_refused(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    with running(tmp_path, "demo", "--headless", "--state", demo.state):
        demo.open_desk()
        assert perpdesk(tmp_path, "verify", demo.state).returncode == 0
        made = perpdesk(tmp_path, "backup", demo.state, str(tmp_path / "copy"), "--json")
        assert json.loads(made.stdout)["entries"] > 100
        refused = perpdesk(tmp_path, "restore", str(tmp_path / "copy"), demo.state, "--replace")
        assert refused.returncode == 75
        assert "in use by perpdesk process" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        (("verify", "nowhere"), "no perpdesk.db in there", 74),
        (("restore", "nowhere", "--drill"), "no perpdesk.db in there", 74),
        (("restore", "nowhere"), "expected BACKUP DIR, or BACKUP --drill", 64),
        (("backup", "nowhere", "to"), "no perpdesk.db in there", 74),
    ],
)
def test_what_is_asked_wrongly_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str, status: int
) -> None:
    monkeypatch.chdir(tmp_path)
    run = perpdesk(tmp_path, *arguments)
    assert run.returncode == status
    assert words in run.stderr
    assert run.stderr.count("\n") == 1
    assert not list(tmp_path.glob("to*"))


def test_without_a_node_nothing_is_compared_with_the_chain(tmp_path: Path, state: Path) -> None:
    run = perpdesk(tmp_path, "verify", str(state), "--chain")
    assert (run.returncode, run.stdout) == (78, "")
    assert "BASE_RPC_URL" in run.stderr
