"""Who sits at the control socket, so that a halt always finds a seat: those who stay have a bounded number, and of the
others who has been silent for longest makes room for who comes."""

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.thin import Thin

MOST_STAYING = 16
"""Attached screens, tabs of a browser, and who follows the events."""
MOST_COMMANDS = 12
"""Commands of other processes at once; halts and closes are not refused for it."""
MOST_SEATS = MOST_STAYING + MOST_COMMANDS + 12
STAYS_S = 2.0
"""Who still asks what there is to see so long after its first such question stays."""


@dataclass(slots=True, eq=False)
class Seat:
    """One connection: whose it is, whether it may only look, and what it has been shown. Times in seconds of one
    monotonic clock."""

    who: str
    let_go: Callable[[], None]
    heard_s: float
    looked_s: float | None = None
    stays: bool = False
    observes: bool = False
    thin: Thin = field(default_factory=Thin)


class Seats:
    """All of one engine."""

    def __init__(self) -> None:
        self._taken: set[Seat] = set()
        self.owed: set[Seat] = set()
        """Who has commanded and has no receipt yet."""

    def take(self, seat: Seat) -> bool:
        """False when there is no room: everybody stays, or waits for a receipt."""
        if len(self._taken) >= MOST_SEATS:
            movable = [each for each in self._taken - self.owed if not each.stays]
            if not movable:
                return False
            silent = min(movable, key=lambda each: each.heard_s)
            self._taken.discard(silent)
            silent.let_go()
        self._taken.add(seat)
        return True

    def leave(self, seat: Seat) -> None:
        """Its connection is gone. Whoever was let go may leave again."""
        self._taken.discard(seat)

    def stay(self, seat: Seat) -> bool:
        """Whether it may: False when as many stay already."""
        if not seat.stays and seat in self._taken:
            seat.stays = sum(each.stays for each in self._taken) < MOST_STAYING
        return seat.stays

    def look(self, seat: Seat) -> bool:
        """It was heard to ask what there is to see. False when it has for so long that it would have to stay, and may
        not."""
        if seat.looked_s is None:
            seat.looked_s = seat.heard_s
        return seat.heard_s - seat.looked_s < STAYS_S or self.stay(seat)
