"""Keeps terminal libraries out of a process until a terminal is painted.

httpx and structlog import Rich wherever it is installed, for a command line and for tracebacks that perpdesk never
uses. Both do without when the import fails, so it fails until `allow` is called: headless cannot load them at all.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_TERMINAL = frozenset(("rich", "textual"))


class _Refuse(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in _TERMINAL:
            raise ModuleNotFoundError(f"{fullname} is not loaded before a terminal is painted", name=fullname)
        return None


_refuse = _Refuse()


def forbid() -> None:
    """From here on importing a terminal library fails."""
    if _refuse not in sys.meta_path:
        sys.meta_path.insert(0, _refuse)


def allow() -> None:
    """A terminal is about to be painted."""
    if _refuse in sys.meta_path:
        sys.meta_path.remove(_refuse)
