"""Whether the journal knows of somebody else who sends from a wallet of ours."""

import asyncio
from collections.abc import Sequence

from engine.live.doctor_scene import Line, Scene, Status
from engine.live.shared_key import REMEDY, taken
from engine.replay import world_of
from store.errors import StoreError


async def key(scene: Scene) -> Sequence[Line]:
    """One line, and instead of it one for each wallet whose nonces another used."""
    if not scene.live or scene.state is None:
        return (Line("key", Status.SKIP, "no journal of a live run to look at"),)
    try:
        wallets = (await asyncio.to_thread(world_of, scene.state)).wallets
    except StoreError as error:
        if error.code == "NO_JOURNAL":
            return (Line("key", Status.OK, "nothing was sent from this state directory yet"),)
        return (Line("key", Status.WARN, f"{error.code}: {error}", "see the state directory"),)
    shared = {wallet: chain.taken for wallet, chain in wallets.chains.items() if chain.taken}
    if not shared:
        return (Line("key", Status.OK, "nobody else is known to have sent from the wallets of the journal"),)
    return [Line("key", Status.FAIL, f"{wallet}: {taken(nonces)}", REMEDY) for wallet, nonces in shared.items()]
