"""What `perpdesk venue avantis accept-upgrade` does. Loaded by that command only."""

from pathlib import Path

from engine.clock import SystemClock
from engine.config import Settings
from engine.live.chain_watch import chain_watch
from engine.live.doors import ChainDoor
from engine.live.journaled import journaled
from engine.live.wiring import reading
from engine.who import local_operator
from tui.live import shared
from tui.verbs import Refused
from venue.chain.pins import Change, Pins

_TYPED = 8
"""So many digits of what is accepted are typed: whoever types them has seen them."""


async def accept(settings: Settings, directory: Path) -> None:
    """Asks for each contract, and journals who accepted it. Raises Refused for what is not confirmed."""
    clock = SystemClock()
    read = reading(settings, clock)
    try:
        await read.node.head()  # names a wrong chain, which a quorum only counts as a missing voice
        async with journaled(directory, clock) as settlement:
            pins = chain_watch(settings, read.endpoints, read.node, ChainDoor(settlement, ""), clock).pins
            await pins.compare(*pins.contracts)
            if not pins.changes:
                shared.say("no contract was changed: there is nothing to accept")
            for change in pins.changes.values():
                await _accept(pins, change)
    finally:
        await read.aclose()


async def _accept(pins: Pins, change: Change) -> None:
    if change.by_setting:
        raise Refused(f"BY_SETTING: {change}; avantis.pins names what is expected there: change it, or remove it")
    if not change.now.code:
        raise Refused(f"NO_CODE: {change}")
    shared.confirmed(change.now.told[-_TYPED:], f"{change}\nWhat perpdesk calls there may do something else now.")
    if refused := await pins.accept(change, local_operator()):
        raise Refused(f"{refused.code}: {refused.detail}")
    shared.say(f"{change.name} {change.address}: {change.now.told} is believed from now on")
