"""Why a journal cannot be had, in one line that names the file and what to do."""

import sqlite3
from pathlib import Path

from store.errors import Damaged, StoreError
from store.said import code_of, is_held, words

_DAMAGE = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def damaged(path: Path, why: str) -> Damaged:
    """The error that names the file, what is wrong and what to do."""
    return Damaged("JOURNAL_DAMAGED", f"{path}: {why}; perpdesk will not trade on it: restore a backup")


def is_damage(error: Exception) -> bool:
    """Whether what SQLite said is of the file itself."""
    return code_of(error) in _DAMAGE


def held(path: Path, error: Exception) -> StoreError:
    """What is said of a neighbour that has not let go for as long as we wait (`busy_timeout`)."""
    return StoreError(
        "JOURNAL_HELD",
        f"{path}: another program holds a write lock on the journal ({words(error)}); end it, `fuser {path}` names it: "
        "to look into a journal there is `sqlite3 -readonly`, to copy it `perpdesk backup`",
    )


def refused(path: Path, error: Exception) -> StoreError:
    """What SQLite said, told apart: damage of the file, or a disk or a neighbour that is in the way."""
    if is_damage(error):
        return damaged(path, words(error))
    if is_held(error):
        return held(path, error)
    return StoreError("STATE_UNUSABLE", f"{path}: {words(error)}")
