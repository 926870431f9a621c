"""What an operator types to find rows: words that must all occur, and `field:word` for a word of one field."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from tui.format import clean

Row = TypeVar("Row")
Text = Callable[[Row], str]
Fields = Mapping[str, Text[Row]]


def _field(word: str, fields: Fields[Row]) -> tuple[str, str]:
    """The field a word names and what is sought in it; no field for a plain word, such as a time of day."""
    name, colon, value = word.partition(":")
    return (name, value) if fields and colon and name.isalpha() else ("", word)


def unknown_field(text: str, fields: Fields[Row]) -> str:
    """What to tell whoever names a field that is not there; empty where all are."""
    for word in text.casefold().split():
        name, _ = _field(word, fields)
        if name and name not in fields:
            return f"no field {name} here; fields: {', '.join(fields)}"
    return ""


def matcher(text: str, haystack: Text[Row], fields: Fields[Row]) -> Callable[[Row], bool]:
    """Whether a row has all the words, whatever their case; an unknown field is in no row."""
    if unknown_field(text, fields):
        return lambda row: False
    sought = [_field(word, fields) for word in text.casefold().split()]
    wanted: list[tuple[Text[Row], str]] = [(fields[name] if name else haystack, word) for name, word in sought]
    return lambda row: all(word in clean(find(row)).casefold() for find, word in wanted)
