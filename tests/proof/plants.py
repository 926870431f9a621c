"""Bugs that a program is given on purpose: what looks for them must find each."""

import fcntl
import sqlite3
from unittest.mock import patch

from store import journal
from store.head import Head, HeadFile
from venue.exchange.requests.checks import check_account
from venue.exchange.state import Exchange

LATE = 30
"""Rows that are held back."""


def answers_first() -> None:
    """Facts are acknowledged, and written some time later."""
    commit = journal._commit
    held: list[tuple[int, int, int, str, str, bytes]] = []

    def later(
        connection: sqlite3.Connection,
        epoch: int,
        rows: list[tuple[int, int, int, str, str, bytes]],
        file: HeadFile,
        head: Head,
    ) -> None:
        held.extend(rows)
        if len(held) > LATE:
            commit(connection, epoch, held, file, head)
            held.clear()

    patch("store.journal._commit", later).start()


def forgets_names() -> None:
    """A request that is sent again is another one."""

    def careless(exchange: Exchange, account: str, kind: str, client_id: str) -> None:
        check_account(exchange, account, kind, "")

    patch("venue.exchange.requests.create.check_account", careless).start()
    for place in ("venue.exchange.machine", "venue.exchange.requests.listing"):
        patch(f"{place}.check_name", lambda _exchange, _name: None).start()


def shares_the_lock() -> None:
    """Whoever comes has the directory as well."""
    patch("fcntl.LOCK_EX", fcntl.LOCK_SH).start()
