"""What a server says may repeat the key it was sent; none of that is repeated here.

Not only the key itself counts: some characters of it in a row, in any case and however they are set apart, and the same
in hex and in base64.
"""

import base64
from typing import Final

RUN: Final = 8
"""So many letters and digits in a row of a key give it away."""
HIDDEN: Final = "***"


class Hidden:
    """Knows keys by their pieces. An empty one hides nothing."""

    def __init__(self, *keys: str) -> None:
        self._runs = frozenset(run for key in keys for form in _forms(key) for run in _runs(_plain(form)))

    def line(self, text: str) -> str:
        """A text without the words that hold a piece of a key; nothing of it when the pieces are spread over words."""
        if not self._within(text):
            return text
        kept = " ".join(HIDDEN if self._within(word) else word for word in text.split(" "))
        return HIDDEN if self._within(kept) else kept

    def _within(self, text: str) -> bool:
        plain = _plain(text)
        return any(run in plain for run in self._runs)

    def __repr__(self) -> str:
        return "Hidden()"


def _forms(key: str) -> tuple[str, ...]:
    raw = key.encode("utf-8", "replace")
    return key, raw.hex(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()


def _runs(plain: str) -> set[str]:
    if len(plain) <= RUN:
        return {plain} - {""}
    return {plain[at : at + RUN] for at in range(len(plain) - RUN + 1)}


def _plain(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
