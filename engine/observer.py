"""Where the engine says what it does, for whoever counts it; by default nobody does."""


class Observer:
    """Takes everything and keeps nothing."""

    def passed(self, keeper: str, seconds: float, *, failed: bool) -> None:
        """A pass has ended."""

    def acted(self, keeper: str, outcome: str) -> None:
        """A keeper attempted something: `done`, `raced`, or the code of a refusal."""

    def committed(self, facts: int, seconds: float) -> None:
        """A transaction is durable."""
