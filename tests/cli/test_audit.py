"""`perpdesk verify`, `backup` and `restore` as an operator runs them, beside a running engine and after damage."""

import asyncio
import json
import random
import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from shutil import rmtree
from typing import Final

import pytest
from click.testing import CliRunner

from engine.audit import Finding
from store import backup
from store.chain import Mark
from tests.cli.perpdesk import perpdesk, running
from tests.cli.test_looks import Demo
from tests.engine.journals import write
from tests.proof.zygote import born
from tests.scale import SEED, scaled
from tui import audit_verbs
from tui.live.shared import OutOfReach

KILLS: Final = scaled(6, 60, 600)
FREE: Final = "name a folder that does not exist"


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
    unfit = perpdesk(tmp_path, "backup", str(state), str(tmp_path / "other"))
    assert unfit.returncode == 66
    assert f"perpdesk restore BACKUP {state} --replace" in unfit.stderr
    assert not list(tmp_path.glob("other*"))
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


def test_a_backup_says_nothing_of_a_witness_that_it_makes(tmp_path: Path, state: Path) -> None:
    (state / "perpdesk.head").unlink()
    run = perpdesk(tmp_path, "backup", str(state), str(tmp_path / "copy"))
    assert (run.returncode, "note" in run.stdout) == (0, False), run.stdout
    assert run.stdout == perpdesk(tmp_path, "verify", str(tmp_path / "copy")).stdout


def test_a_backup_that_is_not_made_leaves_no_folders(tmp_path: Path, state: Path) -> None:
    target = tmp_path / "new" / "deep" / "copy"
    missing = perpdesk(tmp_path, "backup", str(tmp_path / "none"), str(target))
    assert missing.returncode == 74, missing.stderr
    assert not (tmp_path / "new").exists()
    kept = tmp_path / "new" / "kept"
    kept.mkdir(parents=True)
    perpdesk(tmp_path, "backup", str(tmp_path / "none"), str(target))
    assert sorted((tmp_path / "new").iterdir()) == [kept], "somebody else's folder stays"
    assert perpdesk(tmp_path, "backup", str(state), str(target)).returncode == 0
    assert sorted(path.name for path in target.iterdir()) == ["perpdesk.db", "perpdesk.head"]


@pytest.mark.parametrize("half", ["without a head", "before it got its name"])
def test_half_a_backup_is_not_restored(tmp_path: Path, state: Path, half: str) -> None:
    copy = tmp_path / "copy"
    assert perpdesk(tmp_path, "backup", str(state), str(copy)).returncode == 0
    if half == "without a head":
        (copy / "perpdesk.head").unlink()
    else:
        (copy / "perpdesk.lock").touch()
        copy = copy.rename(tmp_path / "copy.partial-1")
    run = perpdesk(tmp_path, "restore", str(copy), "--drill")
    assert run.returncode == 66
    assert "not finished" in run.stderr


def test_a_backup_that_is_killed_leaves_nothing_and_the_next_one_tidies_up(
    tmp_path: Path, state: Path, tried: Callable[[int], None]
) -> None:
    """In the first half of the time that it takes, or of what it does once it is loaded."""
    copy, rng = tmp_path / "copy", random.Random(SEED)
    for number in range(KILLS):
        life = born(tmp_path, "backup", str(state), str(copy))
        drafts = _drafts(tmp_path)
        while not drafts and not life.ended():
            drafts = _drafts(tmp_path)
        life.ended(rng.uniform(0.0, 0.15))
        life.kill()
        where = f"seed {SEED}, kill {number}"
        for draft in _drafts(tmp_path):
            assert born(tmp_path, "restore", str(draft), "--drill").status() != 0, where
        if copy.exists():
            assert born(tmp_path, "restore", str(copy), "--drill").status() == 0, where
            rmtree(copy)
    assert born(tmp_path, "backup", str(state), str(copy)).status() == 0
    assert not _drafts(tmp_path)
    assert sorted(path.name for path in copy.iterdir()) == ["perpdesk.db", "perpdesk.head"]
    tried(KILLS)


def test_of_backups_to_one_place_at_the_same_time_one_wins(tmp_path: Path, state: Path) -> None:
    copy = tmp_path / "copy"
    lives = [born(tmp_path, "backup", str(state), str(copy)) for _ in range(4)]
    assert sorted(life.status() for life in lives) == [0, 74, 74, 74]
    for life in lives:
        assert life.words() in ("", f"perpdesk: {copy}: there is something already; {FREE}\n")
    assert sorted(path.name for path in copy.iterdir()) == ["perpdesk.db", "perpdesk.head"]
    assert not _drafts(tmp_path)


def _drafts(folder: Path) -> list[Path]:
    return list(folder.glob("copy.partial-*"))


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
        (("restore", "nowhere", "--drill", "--replace"), "a drill replaces nothing", 64),
        (("restore", "nowhere", "./nowhere", "--replace"), "expected two directories", 64),
        (("verify", "nowhere", "--config", "perpdesk.toml"), "--config is for --chain", 64),
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
    assert run.returncode == 78
    assert "BASE_RPC_URL" in run.stderr
    assert run.stdout == perpdesk(tmp_path, "verify", str(state)).stdout


def test_a_fault_of_the_directory_says_more_than_a_node_that_is_missing(tmp_path: Path, state: Path) -> None:
    (state / "perpdesk.still-12").write_text("nothing")
    run = perpdesk(tmp_path, "verify", str(state), "--chain")
    assert run.returncode == 66
    assert "not a snapshot" in run.stdout or "somebody else" in run.stdout
    assert "not compared with the chain: " in run.stderr
    assert "BASE_RPC_URL" in run.stderr


def test_nodes_that_give_no_answer_take_nothing_from_what_was_found(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object) -> tuple[Finding, ...]:
        raise OutOfReach("chain: no node answers")

    monkeypatch.setattr("tui.live.compared.compared", silent)
    run = CliRunner().invoke(audit_verbs.verify, [str(state), "--chain"])
    assert run.output.startswith("ok ")
    assert isinstance(run.exception, OutOfReach)
    (state / "perpdesk.still-12").write_text("nothing")
    run = CliRunner().invoke(audit_verbs.verify, [str(state), "--chain"])
    assert run.exit_code == 66
    assert "not compared with the chain: chain: no node answers" in run.output


def test_half_a_journal_is_not_compared_with_the_chain(tmp_path: Path, state: Path) -> None:
    rotten(state)
    run = perpdesk(tmp_path, "verify", str(state), "--chain")
    assert run.returncode == 66
    assert "not compared with the chain: what the journal says is not known to its end" in run.stderr


@pytest.mark.parametrize("left", ["nothing", "an empty file"])
def test_a_journal_that_is_gone_is_damage(tmp_path: Path, state: Path, left: str) -> None:
    copy = tmp_path / "copy"
    assert perpdesk(tmp_path, "backup", str(state), str(copy)).returncode == 0
    (state / "perpdesk.db").unlink()
    if left == "an empty file":
        (state / "perpdesk.db").touch()
    run = perpdesk(tmp_path, "verify", str(state))
    assert run.returncode == 66
    assert "the journal is gone, perpdesk.head beside it remembers entries" in run.stderr
    held = perpdesk(tmp_path, "restore", str(copy), str(state))
    assert held.returncode == 74
    assert "--replace sets it aside" in held.stderr
    assert perpdesk(tmp_path, "restore", str(copy), str(state), "--replace").returncode == 0
    assert perpdesk(tmp_path, "verify", str(state)).returncode == 0


def test_what_to_do_can_be_copied_into_a_shell(tmp_path: Path, state: Path) -> None:
    odd = state.rename(tmp_path / "my DIR; of paper")
    rotten(odd)
    run = perpdesk(tmp_path, "verify", str(odd))
    assert run.stderr.startswith(f"perpdesk: {odd}: do not trade")
    assert run.stderr.endswith(f"perpdesk restore BACKUP {shlex.quote(str(odd))} --replace\n")


def test_a_missing_witness_is_told_and_is_no_fault(tmp_path: Path, state: Path) -> None:
    (state / "perpdesk.head").unlink()
    run = perpdesk(tmp_path, "verify", str(state))
    assert run.returncode == 0
    assert "note: perpdesk.head: no witness: a cut would not be noticed" in run.stdout


def test_a_restore_that_puts_nothing_there_leaves_nothing(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, kept = tmp_path / "there", tmp_path / "new" / "state"
    there.mkdir()
    monkeypatch.setattr(backup, "_end_of", lambda _file: None)
    for directory in (kept, there):
        run = CliRunner().invoke(audit_verbs.restore, [str(state), str(directory)])
        assert "written to while it was copied" in str(run.exception)
    assert not (tmp_path / "new").exists()
    assert there.exists()


def test_a_restore_that_fails_says_first_where_the_old_files_are(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    assert perpdesk(tmp_path, "backup", str(state), str(copy)).returncode == 0
    put_back = backup.put_back

    def on_a_bad_disk(source: Path, directory: Path, mark: Mark) -> Path | None:
        aside = put_back(source, directory, mark)
        rotten(directory)
        return aside

    monkeypatch.setattr(backup, "put_back", on_a_bad_disk)
    run = CliRunner().invoke(audit_verbs.restore, [str(copy), str(state), "--replace"])
    (aside,) = state.glob("replaced-*")
    assert f"what was there is in {aside}" in run.output
    assert "the disk is at fault" in str(run.exception)
