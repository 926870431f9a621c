"""Whether somebody else sends from a wallet of ours: what holds its desks, and what a person is told."""

from collections.abc import Sequence

from engine.arming import Arming
from engine.desks.commands import Halt
from engine.settlement import Settlement
from engine.world import World

WHO = "key shared"
REMEDY = "if it was not you, move the funds; otherwise stop the engine and the other, then `perpdesk wallet readopt`"


class SharedKey:
    """Looks after one wallet. Its desks are halted once for each nonce that was taken: who resumes one is obeyed."""

    def __init__(self, settlement: Settlement, wallet: str, arming: Arming) -> None:
        self._settlement = settlement
        self._wallet = wallet
        self._arming = arming
        self._taken: tuple[int, ...] = ()
        self._halted: tuple[int, ...] = ()

    async def look(self) -> str:
        """Halts the wallet's desks when its key turns out not to be ours alone."""
        self._taken = await self._settlement.read(lambda world: world.wallets.of(self._wallet).taken)
        if self._taken != self._halted and not self._arming.observing:
            for address in await self._settlement.read(self._desks) if self._taken else ():
                await self._settlement.submit(Halt(address, WHO, ""))
            self._halted = self._taken
        return self.alarm() or "ours alone"

    def alarm(self) -> str:
        """What it means and what to do, or nothing."""
        return f"KEY SHARED, nothing is sent: {taken(self._taken)}; {REMEDY}" if self._taken else ""

    def _desks(self, world: World) -> Sequence[str]:
        desks = world.house.desks.values()
        return [desk.address for desk in desks if desk.wallet == self._wallet and not desk.halted]


def taken(nonces: tuple[int, ...]) -> str:
    """Which nonces another used, in words."""
    which = ", ".join(map(str, nonces[:3])) + (" and more" if len(nonces) > 3 else "")
    return f"somebody else used nonce {which}"
