"""Playing what is past: a tape with a speed, over something that shows any moment of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

SPEEDS = (1, 2, 5, 10, 30, 60, 300, 900, 3_600)
MINUTE_MS, HOUR_MS = 60_000, 3_600_000


@dataclass(frozen=True, slots=True)
class TapeSight:
    """Where a tape stands; times in ms since 1970."""

    playing: bool
    speed: int
    """Seconds of the past in a second."""
    entry: int
    newest: int
    """The number of the last entry."""
    at_ms: int
    first_ms: int
    last_ms: int

    @property
    def share(self) -> float:
        """How much of the time lies behind, from 0 to 1."""
        return (self.at_ms - self.first_ms) / max(self.last_ms - self.first_ms, 1)


class Tape(Protocol):
    """What a screen asks of a tape."""

    def do(self, word: str) -> None:
        """Obeys a word: play, back, on, minute_back, minute_on, hour_back, hour_on, slower, faster, first, last.

        Raises KeyError for any other."""
        ...

    def beat(self) -> None:
        """One beat of the frame clock: what plays goes on."""
        ...

    def sight(self) -> TapeSight:
        """Where it stands."""
        ...


class Played(Protocol):
    """Something that shows any moment of a past; entries count from 1."""

    @property
    def seq(self) -> int: ...

    @property
    def newest(self) -> int: ...

    @property
    def at_ms(self) -> int: ...

    @property
    def first_ms(self) -> int: ...

    @property
    def last_ms(self) -> int: ...

    def go_to(self, seq: int) -> None: ...

    def go_to_time(self, at_ms: int) -> None: ...


class Player:
    """The `Tape` over what is played; `seconds` is a clock that only goes forward."""

    def __init__(self, played: Played, seconds: Callable[[], float] = time.monotonic) -> None:
        self._played = played
        self._seconds = seconds
        self._playing = False
        self._speed = SPEEDS[0]
        self._since_s, self._since_ms = 0.0, 0
        self._words: dict[str, Callable[[], None]] = {
            "play": self._play,
            "back": lambda: self._step(-1),
            "on": lambda: self._step(1),
            "minute_back": lambda: self._move(-MINUTE_MS),
            "minute_on": lambda: self._move(MINUTE_MS),
            "hour_back": lambda: self._move(-HOUR_MS),
            "hour_on": lambda: self._move(HOUR_MS),
            "slower": lambda: self._change(-1),
            "faster": lambda: self._change(1),
            "first": lambda: self._played.go_to(1),
            "last": lambda: self._played.go_to(self._played.newest),
        }

    def do(self, word: str) -> None:
        """Obeys a word."""
        self.beat()
        self._words[word]()
        self._count_from_here()

    def beat(self) -> None:
        """Goes on by what has passed at its speed, and stops at the end."""
        if not self._playing:
            return
        passed_ms = (self._seconds() - self._since_s) * 1000 * self._speed
        self._played.go_to_time(self._since_ms + int(passed_ms))
        self._playing = self._played.at_ms < self._played.last_ms

    def sight(self) -> TapeSight:
        """Where it stands."""
        played = self._played
        return TapeSight(
            playing=self._playing,
            speed=self._speed,
            entry=played.seq,
            newest=played.newest,
            at_ms=played.at_ms,
            first_ms=played.first_ms,
            last_ms=played.last_ms,
        )

    def _count_from_here(self) -> None:
        """From each word on, so that a change of the speed changes nothing that has been shown."""
        self._since_s, self._since_ms = self._seconds(), self._played.at_ms

    def _play(self) -> None:
        self._playing = not self._playing and self._played.at_ms < self._played.last_ms

    def _step(self, entries: int) -> None:
        self._playing = False
        self._played.go_to(self._played.seq + entries)

    def _move(self, by_ms: int) -> None:
        self._played.go_to_time(self._played.at_ms + by_ms)

    def _change(self, by: int) -> None:
        number = SPEEDS.index(self._speed) + by
        self._speed = SPEEDS[min(max(number, 0), len(SPEEDS) - 1)]
