"""What SQLite says, fit to be shown: of a damaged file it may quote anything."""

import sqlite3

FAILURES = (sqlite3.Error, UnicodeDecodeError)
"""What its calls raise; the second where its own words are no text."""
LONGEST = 200
_HELD = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_held(error: Exception) -> bool:
    """Whether somebody else's lock is in the way."""
    return code_of(error) in _HELD


def words(error: Exception) -> str:
    """Its message, as `shown`."""
    return shown(error.object.decode(errors="replace") if isinstance(error, UnicodeDecodeError) else str(error))


def shown(text: str) -> str:
    """One line of at most `LONGEST` characters that do nothing to a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text[:LONGEST])


def code_of(error: Exception) -> int:
    """Its primary result code."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF
