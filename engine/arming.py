"""Whether a run with real money may begin anything. It is asked again in every session: what was meant yesterday is not
what whoever sits there now has seen."""

from dataclasses import dataclass


@dataclass(slots=True)
class Arming:
    """One process's. Leaving positions, and ending what is under way, never wait for it."""

    armed: bool
    observing: bool = False
    """This process only looks: it has no key, and writes nothing down."""

    def why_not(self) -> str:
        """Why nothing is begun, or nothing."""
        return "" if self.armed else "no operator of this session has confirmed that it trades"
