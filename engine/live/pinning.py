"""Which wallet has a desk's money: the one its launch pays."""

from collections.abc import Sequence

from eth_utils.address import to_checksum_address

from engine.desks.commands import PinDesk
from engine.settlement import Settlement
from venue.chain.abi import AbiError
from venue.clanker.launches import Launches

PER_PASS = 10
"""Most launches looked up in a pass."""


class Pinning:
    """Pins every desk that has no wallet yet. With one wallet there is nothing to ask."""

    def __init__(self, settlement: Settlement, wallets: Sequence[str], launches: Launches) -> None:
        self._settlement = settlement
        self._wallets = tuple(wallets)
        self._launches = launches
        self._turn = 0
        self.homeless: dict[str, str] = {}
        """Names of desks that no wallet is paid for, by address."""

    async def pass_once(self) -> str:
        """Some of them, others in the next pass. Raises RpcError."""
        desks = await self._settlement.read(
            lambda world: [(desk.address, desk.name) for desk in world.house.desks.values() if not desk.wallet]
        )
        for address, name in self._some(desks):
            if wallet := await self._paid(address):
                await self._settlement.submit(PinDesk(address, wallet))
                self.homeless.pop(address, None)
            else:
                self.homeless[address] = name
        return f"{len(self.homeless)} desks without a wallet"

    def _some(self, desks: list[tuple[str, str]]) -> list[tuple[str, str]]:
        if len(self._wallets) == 1:
            return desks
        turn = self._turn % len(desks) if desks else 0
        self._turn = turn + PER_PASS
        return (desks[turn:] + desks[:turn])[:PER_PASS]

    async def _paid(self, token: str) -> str:
        """The first wallet, in the order of the settings, that earns fees of the launch."""
        if len(self._wallets) == 1:
            return self._wallets[0]
        try:
            launch = await self._launches.find(to_checksum_address(token))
        except AbiError:  # one launch that cannot be read does not hold up the others
            return ""
        paid = {recipient for recipient, part in launch.rewards.shares if part} if launch else set()
        return next((wallet for wallet in self._wallets if wallet in paid), "")
