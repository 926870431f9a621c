"""What is armed or counting down: each burns for some seconds, says so in one line, and can be cancelled."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from textual.app import App
from textual.timer import Timer


@dataclass(frozen=True)
class Fuse:
    """One burning fuse."""

    text: Callable[[int], str]
    """The line shown, given the whole seconds left."""
    ends_at: float
    timer: Timer

    def words(self) -> str:
        """The line shown now."""
        return self.text(max(math.ceil(self.ends_at - monotonic()), 1))


class Fuses:
    """All burning fuses by name."""

    def __init__(self, app: App[int], changed: Callable[[], None]) -> None:
        self._app = app
        self._changed = changed
        self._burning: dict[str, Fuse] = {}

    def light(
        self, name: str, seconds: float, text: Callable[[int], str], then: Callable[[], None] | None = None
    ) -> None:
        """Lights a fuse; `then` happens at its end unless it is put out first."""

        def end() -> None:
            if self._burning.pop(name, None) is not None:
                if then is not None:
                    then()
                self._changed()

        self.put_out(name)
        self._burning[name] = Fuse(text, monotonic() + seconds, self._app.set_timer(seconds, end))
        self._changed()

    def put_out(self, name: str) -> bool:
        """Puts one out; False if it did not burn."""
        fuse = self._burning.pop(name, None)
        if fuse is None:
            return False
        fuse.timer.stop()
        self._changed()
        return True

    def put_all_out(self) -> list[str]:
        """Puts all out; their names."""
        names = list(self._burning)
        for name in names:
            self.put_out(name)
        return names

    def words(self) -> str:
        """All of them in one line, empty if none burns."""
        return "   ".join(fuse.words() for fuse in self._burning.values())
