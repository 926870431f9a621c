"""What the wallet holds on the chain."""

from eth_typing import ChecksumAddress

from engine.wallet import Balances
from venue.avantis.addresses import AVANTIS
from venue.chain.agreed import AgreedNode
from venue.chain.call import Call
from venue.chain.erc20 import BALANCE_OF


class ChainPurse:
    """USDC and gas, agreed by most endpoints. Raises RpcError."""

    def __init__(self, node: AgreedNode, wallet: ChecksumAddress) -> None:
        self._node = node
        self._wallet = wallet

    async def balances(self) -> Balances:
        returned = await self._node.call(Call(AVANTIS.usdc, BALANCE_OF.encode(self._wallet)), self._wallet)
        (usdc,) = BALANCE_OF.decode_returned(returned)
        return Balances(usdc, await self._node.balance(self._wallet))
