"""A snapshot as it crosses a thin line: what changed, in as many digits as anybody sees."""

import re
from collections.abc import Collection
from typing import Any

from engine.delta import diff
from engine.plain import plain
from engine.port import EVERYTHING
from engine.snapshot import Snapshot

DIGITS = 12
"""Of an amount: no column shows more, and a closing price that is off by so little is the same price."""
RATIO_DIGITS = 5
_LONG = re.compile(r"-?[0-9]{16,}", re.ASCII)
ALWAYS = ("seq", "at_ms", "status")


class Thin:
    """What one reader has been sent. A field nobody looks at stays as it was sent last."""

    def __init__(self) -> None:
        self._sent: dict[str, Any] | None = None
        self._seen: dict[str, Any] = {}

    def change(self, snapshot: Snapshot, want: Collection[str], *, whole: bool) -> Any:  # noqa: ANN401 - JSON
        """From what was sent last; None: nothing. The first is whole."""
        if self._sent is None or whole:
            self._sent = self._taken(snapshot, EVERYTHING)
            return [0, self._sent]
        names = [name for name in (*ALWAYS, *want) if getattr(snapshot, name) != self._seen[name]]
        new = self._sent | self._taken(snapshot, names)
        change, self._sent = diff(self._sent, new), new
        return change

    def _taken(self, snapshot: Snapshot, names: Collection[str]) -> dict[str, Any]:
        self._seen |= {name: getattr(snapshot, name) for name in names}
        return {name: short(plain(getattr(snapshot, name))) for name in names}


def short(value: Any) -> Any:  # noqa: ANN401 - walks any JSON
    """With digits that nobody sees left out."""
    if isinstance(value, float):
        return float(f"{value:.{RATIO_DIGITS}g}")
    if isinstance(value, str):
        return _rounded(value) if _LONG.fullmatch(value) else value
    if isinstance(value, list):
        return [short(item) for item in value]
    if isinstance(value, dict):
        return {key: short(item) for key, item in value.items()}
    return value


def _rounded(digits: str) -> str:
    sign = digits.startswith("-")
    kept = DIGITS + sign
    return digits[:kept] + "0" * (len(digits) - kept)
