"""What a keeper has done since the start, counted once: for its line on the screen, for `status` and for metrics."""

from collections import Counter
from collections.abc import Callable

from engine.keeper_rows import Work


class Tally:
    """Counts of one keeper. `checked` and the counters only grow; `ready` and `oldest_ms` are of its last pass."""

    def __init__(self) -> None:
        self.checked = 0
        self.ready = 0
        self.oldest_ms: int | None = None
        """How long what waits longest has been ready."""
        self._acts: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()

    def acted(self, outcome: str) -> None:
        """An attempt: `done`, `raced`, or what became of it instead."""
        self._acts[outcome] += 1

    def skipped(self, reason: str) -> None:
        """Something was ready and was not attempted."""
        self._skipped[reason] += 1

    def work(self) -> Work:
        """The counts as they are."""
        return Work(
            checked=self.checked,
            ready=self.ready,
            oldest_ms=self.oldest_ms,
            acts=tuple(sorted(self._acts.items())),
            skipped=tuple(sorted(self._skipped.items())),
        )

    def __str__(self) -> str:
        return ", ".join(f"{count:,} {name}" for name, count in sorted(self._acts.items())) or "nothing to do yet"


Counts = Callable[[], Work]
