"""Whether contracts are what they were when this journal first used them, or what the settings name."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from eth_typing import ChecksumAddress

from engine.live.chain_watch import VENUE, contracts
from engine.live.doctor_scene import Line, Scene, Status, of_chain
from engine.replay import world_of
from store.errors import StoreError
from venue.chain.envelope import RpcError
from venue.chain.facts import ContractPinned
from venue.chain.pins import Change, judged, seen

_ACCEPT: Final = "find out why; then `perpdesk venue avantis accept-upgrade`; until then only you can close"
_SETTING: Final = "find out why; avantis.pins names what is expected"


async def pins(scene: Scene) -> Sequence[Line]:
    """One line, and instead of it one for each contract that is another than it was."""
    try:
        believed = await _believed(scene.state)
    except StoreError as error:
        return (Line("pins", Status.WARN, f"{error.code}: {error}", "see the state directory"),)
    expected = contracts(scene.settings)
    named = {address.lower(): text for address, text in scene.settings.avantis.pins.items()}

    async def change(address: ChecksumAddress, name: str) -> Change | None:
        now = await seen(scene.chain.node, address)
        return judged(name, address, now, named.get(address.lower()), believed.get(address))

    try:
        found = await asyncio.gather(*(change(*each) for each in expected.items()))
    except RpcError as error:
        return (of_chain("pins", error),)
    if lines := [_line(each) for each in found if each]:
        return lines
    pinned = sum(address in believed or address.lower() in named for address in expected)
    later = "" if pinned == len(expected) else "; the others are believed as the first run sees them"
    return (Line("pins", Status.OK, f"{pinned} of {len(expected)} contracts are pinned, and as pinned{later}"),)


async def _believed(state: Path | None) -> Mapping[str, ContractPinned]:
    """What the journal holds, running or not. Raises StoreError."""
    if state is None:
        return {}
    try:
        return (await asyncio.to_thread(world_of, state)).wallets.pins
    except StoreError as error:
        if error.code == "NO_JOURNAL":
            return {}
        raise


def _line(change: Change) -> Line:
    if not change.now.code:
        status = Status.FAIL if change.address in VENUE else Status.WARN
        return Line("pins", status, str(change), "see the lines `code`; it is not called before it is there")
    return Line("pins", Status.FAIL, str(change), _SETTING if change.by_setting else _ACCEPT)
