"""A journal that another program has locked: the engine waits a while, then ends, and says who is in the way."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tests.cli.perpdesk import perpdesk, running, summary
from tests.cli.test_headless import wait_for_facts
from tests.patient import PATIENCE_S


def test_a_write_lock_of_somebody_else_ends_it_with_a_line_that_says_so(tmp_path: Path) -> None:
    """Whoever only reads holds up nobody."""
    state = tmp_path / "state"
    arguments = ("demo", "--headless", "--state", str(state))
    with running(tmp_path, *arguments) as process:
        seen = wait_for_facts(process, 20)
        with closing(sqlite3.connect(state / "perpdesk.db", isolation_level=None)) as neighbour:
            neighbour.execute("BEGIN")
            neighbour.execute("SELECT count(*) FROM journal").fetchone()
            assert wait_for_facts(process, seen + 20) >= seen + 20
            neighbour.execute("ROLLBACK")
            neighbour.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            _, err = process.communicate(timeout=PATIENCE_S)
            assert time.monotonic() - began > 3, "no time to let go"
            early = perpdesk(tmp_path, *arguments, "--for", "0s")
    for status, words in ((process.returncode, err), (early.returncode, early.stderr)):
        assert status == 74
        assert "another program holds a write lock on the journal" in words.splitlines()[-1]
        assert f"fuser {state / 'perpdesk.db'}" in words.splitlines()[-1]
    assert summary(perpdesk(tmp_path, *arguments, "--for", "0s"))["facts"] >= seen
