"""Text from outside, cleaned once where it enters: it may then be shown, but only as literal content.

Terminal controls, bidirectional overrides, zero-width and private characters go; combining marks and length are
bounded, so that a name can neither move the cursor nor pile up over its neighbours.
"""

import unicodedata

NAME_LENGTH = 24
TEXT_LENGTH = 280
MAX_COMBINING = 2
_DROPPED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that show as nothing."""


def clean(text: str, limit: int = TEXT_LENGTH) -> str:
    """At most `limit` characters of `text`, without anything that acts on a terminal; `?` when nothing is left."""
    visible = "".join(
        " " if char.isspace() else char
        for char in text[: 8 * limit]
        if char.isspace() or (unicodedata.category(char) not in _DROPPED and char not in _BLANK)
    )
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", visible):
        marks = marks + 1 if unicodedata.category(char)[0] == "M" else 0
        if marks <= MAX_COMBINING and (kept or not marks):
            kept.append(char)
    return " ".join("".join(kept[:limit]).split()) or "?"


def clean_name(text: str) -> str:
    """A token's name as it may be shown."""
    return clean(text, NAME_LENGTH)


def called(name: str, address: str) -> str:
    """`PEPE·3f2a`, as everything calls a desk: launchpads share the ends of addresses, so it is the beginning."""
    return f"{clean(name)}·{clean(address).removeprefix('0x')[:4]}"


def money(amount: int, unit: int = 10**6) -> str:
    """An amount with two decimals, truncated toward zero."""
    sign, amount = ("-" if amount < 0 else ""), abs(amount)
    return f"{sign}{amount // unit:,}.{amount % unit * 100 // unit:02d}"
