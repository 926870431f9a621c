"""What every part of an engine hangs on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from engine.clock import Clock
from engine.liquidations.book import LiquidationBook
from engine.pulse import Pulse
from engine.requests.hooks import Hooks
from engine.settlement import Settlement
from engine.stills.maker import StillMaker
from engine.watched import Watched


@dataclass(frozen=True, slots=True)
class Core:
    """One engine's."""

    settlement: Settlement
    clock: Clock
    pulse: Pulse
    publish: Callable[[], Awaitable[str]]
    """Makes the next picture."""
    hooks: Hooks
    book: LiquidationBook
    """Follows what is committed, as does `watched`."""
    watched: Watched
    stills: StillMaker
