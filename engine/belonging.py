"""Whether a journal is one of the kind of run that has opened it."""

from collections.abc import Collection

from engine.world import World
from store.errors import WrongState


def belongs(world: World, demo: bool, live: bool) -> WrongState | None:
    """Why a journal is not one of this kind of run. One that real money was kept in is never simulated on."""
    if world.house.simulation and not demo:
        return WrongState("A_DEMO", "the state directory belongs to `perpdesk demo`; name another --state")
    wallets = ", ".join(world.wallets.chains)
    if wallets and not live:
        return WrongState("LIVE", f"the state directory belongs to the wallet {wallets}; name another --state")
    if live and not wallets and world.exchange.requests.keepers:
        return WrongState("PAPER", "the state directory belongs to a paper run; name another --state")
    return None


def locked_away(world: World, opened: Collection[str]) -> WrongState | None:
    """Why a run cannot look after all that a journal knows of: the money of some desks lies where it has no key."""
    known = dict.fromkeys((*world.wallets.chains, *(desk.wallet for desk in world.house.desks.values() if desk.wallet)))
    missing = [wallet for wallet in known if wallet not in opened]
    if not missing:
        return None
    return WrongState("OTHER_WALLET", f"the journal also sends from {', '.join(missing)}: name its keystore as well")
