"""Reads a journal that somebody else may be writing: its own connection, read-only, short transactions."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from store.errors import Damaged, StoreError
from store.journal import APPLICATION_ID, REPLAY_PAGE, Chain, Entry, refused


def entries(directory: Path) -> Iterator[Entry]:
    """Every committed entry of the journal in `directory`, checked against the hash chain.

    Raises StoreError when there is no journal, Damaged when it cannot be trusted.
    """
    path = directory / "perpdesk.db"
    if not path.is_file():
        raise StoreError("NO_JOURNAL", f"{directory}: no perpdesk.db in there")
    chain = Chain(path)
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("PRAGMA query_only = ON")
            if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise Damaged("NOT_A_JOURNAL", f"{path}: not a perpdesk journal")
            while True:
                rows = chain.page(connection)
                yield from (chain.check(row) for row in rows)
                if len(rows) < REPLAY_PAGE:
                    return
    except sqlite3.Error as error:
        raise refused(path, error) from error
