"""What `perpdesk wallet readopt` does: a person's word that a key somebody else used may be used here again."""

from pathlib import Path

from eth_typing import ChecksumAddress

from engine.clock import SystemClock
from engine.config import Settings
from engine.live.doors import ChainDoor
from engine.live.journaled import journaled
from engine.live.shared_key import taken
from engine.live.wiring import reading
from engine.who import local_operator
from tui.live import shared
from tui.verbs import Refused
from venue.chain.machine import ChainCode, Readopt, Refusal


async def readopt(settings: Settings, directory: Path, wallet: ChecksumAddress) -> int:
    """Asks, journals who said so, and returns the next nonce. Raises Refused and what `shared.told` knows."""
    clock = SystemClock()
    read = reading(settings, clock)
    try:
        await read.node.head()  # names a wrong chain, which a quorum only counts as a missing voice
        async with journaled(directory, clock) as settlement:
            door = ChainDoor(settlement, wallet)
            nonces = await door.read(lambda chain: chain.taken)
            nonce = await read.node.nonce(wallet)
            if not nonces:
                raise Refused(f"{ChainCode.NOT_SHARED}: nobody else is known to have used the nonces of {wallet}")
            shared.confirmed(str(nonce), _words(wallet, nonces, nonce))
            if isinstance(answer := await door.submit(Readopt(nonce, local_operator())), Refusal):
                raise Refused(f"{answer.code}: {answer.detail}")
            return nonce
    finally:
        await read.aclose()


def _words(wallet: str, nonces: tuple[int, ...], nonce: int) -> str:
    return (
        f"Wallet {wallet}: {taken(nonces)}; the chain expects {nonce} next.\n"
        "Whoever holds the key can take all that is in the wallet. If that was not you, move the funds instead.\n"
        "From here on perpdesk sends from it again; its desks stay halted until you resume them."
    )
