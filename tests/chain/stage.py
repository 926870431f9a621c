"""The contracts of these tests at the addresses the program knows, and what keepers, traders and time do to them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from tests.chain.compiled import compiled
from tests.chain.node import ADDRESSES, Node, NodeError
from venue.avantis.addresses import AVANTIS
from venue.avantis.contracts import TRADE
from venue.chain.abi import Function
from venue.chain.call import Call, Wei
from venue.chain.erc20 import BALANCE_OF, TRANSFER
from venue.clanker.contracts import CLANKER, FeeIn
from venue.uniswap.addresses import UNISWAP, RouterVersion
from venue.uniswap.contracts import POOL_KEY, Layout
from venue.uniswap.v4 import PoolKey

TRADER: Final = to_checksum_address(ADDRESSES[0])
STRANGER: Final = to_checksum_address(ADDRESSES[1])
KEEPER: Final = to_checksum_address(ADDRESSES[2])
EXECUTION_FEE: Final[Wei] = 350_000_000_000_000
HOUSE_USDC: Final = 1_000_000 * 10**6
"""What the storage pays winners from."""
RESERVES: Final = 10**36
GAS: Final = 5_000_000

TOKEN: Final = to_checksum_address("0xa000000000000000000000000000000000000aaa")
HOOK: Final = to_checksum_address("0xd60D6B218116cFd801E28F78d011a203D2b068Cc")
USDC_KEY: Final = PoolKey(UNISWAP.usdc, TOKEN, 0x800000, 200, HOOK)
WETH_KEY: Final = PoolKey(UNISWAP.weth, TOKEN, 0x800000, 200, HOOK)
"""The launched token sorts behind both."""

PLACES: Final = (
    ("Usdc", AVANTIS.usdc),
    ("Weth", UNISWAP.weth),
    ("Token", TOKEN),
    ("Trading", AVANTIS.trading),
    ("TradingStorage", AVANTIS.storage),
    ("FeeLocker", CLANKER.fee_locker),
    ("Locker", CLANKER.locker),
    ("Pools", UNISWAP.pool_manager),
    ("SwapRouter02", UNISWAP.v3_router),
    ("QuoterV2", UNISWAP.v3_quoter),
    ("V4Quoter", UNISWAP.v4_quoter),
    ("Permit2", UNISWAP.permit2),
    ("UniversalRouter", UNISWAP.universal[RouterVersion.V2_0]),
    ("UniversalRouter211", UNISWAP.universal[RouterVersion.V2_1_1]),
)

MINT: Final = Function("mint(address,uint256)")
EXECUTE: Final = Function("execute(uint256,uint256)")
CANCEL: Final = Function("cancel(uint256)")
LIQUIDATE: Final = Function("liquidate(address,uint256,uint256,uint256)")
SET_EXECUTION_FEE: Final = Function("setExecutionFee(uint256)")
USE_NONCE: Final = Function("useNonce(address,uint256)")
OPEN_INTENT: Final = Function(f"openIntent({TRADE},uint256,uint256,uint256)", ("uint256",))
CLOSE_INTENT: Final = Function(
    "closeIntent(address,uint256,uint256,uint256,uint256,uint256,uint256,uint256)", ("uint256",)
)
LAUNCH: Final = Function(f"launch((address,{POOL_KEY},uint256,uint256,uint16[],address[],address[]),uint8)")
ACCRUE: Final = Function("accrue(address,address,uint256)")
SET_RATE: Final = Function("setRate(bytes32,bool,uint256,uint256)")
_V3_POOL: Final = Layout("pool", ("address", "address", "uint256"))


@dataclass(frozen=True, slots=True)
class Log:
    """One log of a receipt."""

    address: ChecksumAddress
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction."""

    hash: str
    succeeded: bool
    logs: tuple[Log, ...]


class Stage:
    """Everything in its place on one node. All of it can also be done by somebody else's transactions."""

    def __init__(self, node: Node) -> None:
        self.node = node

    @classmethod
    async def build(cls, node: Node) -> Self:
        """Places the contracts, and money where they pay from."""
        stage = cls(node)
        for name, address in PLACES:
            await node.set_code(address, compiled(name).code)
        await stage.must(Call(AVANTIS.trading, SET_EXECUTION_FEE.encode(EXECUTION_FEE)))
        await stage.mint(AVANTIS.usdc, AVANTIS.storage, HOUSE_USDC)
        for token in (UNISWAP.usdc, UNISWAP.weth, TOKEN):
            await stage.mint(token, UNISWAP.pool_manager, RESERVES)
        return stage

    # Anybody's transactions

    async def send(self, call: Call, sender: ChecksumAddress = KEEPER) -> Receipt:
        """From one of the node's own accounts, mined at once; a revert is in the receipt."""
        asked = {
            "from": sender,
            "to": call.to,
            "data": f"0x{call.data.hex()}",
            "value": hex(call.value),
            "gas": hex(GAS),
        }
        sent = await self.node.rpc("eth_sendTransaction", asked)
        raw = await self.node.receipt(sent)
        return Receipt(sent, raw["status"] == "0x1", tuple(_log(each) for each in raw["logs"]))

    async def must(self, call: Call, sender: ChecksumAddress = KEEPER) -> Receipt:
        """As `send`, and it succeeds."""
        receipt = await self.send(call, sender)
        assert receipt.succeeded, await self.refusal(call, sender)
        return receipt

    async def read(self, call: Call, sender: ChecksumAddress = KEEPER) -> bytes:
        """What a call returns, without sending it. Raises NodeError when it reverts."""
        asked = {"from": sender, "to": call.to, "data": f"0x{call.data.hex()}", "value": hex(call.value)}
        return bytes.fromhex((await self.node.rpc("eth_call", asked, "latest")).removeprefix("0x"))

    async def ask(self, to: ChecksumAddress, function: Function, *arguments: object) -> tuple[Any, ...]:
        return function.decode_returned(await self.read(Call(to, function.encode(*arguments))))

    async def passes(self, call: Call, sender: ChecksumAddress = KEEPER) -> bool:
        """Whether a call would not revert now."""
        try:
            await self.read(call, sender)
        except NodeError:
            return False
        return True

    async def refusal(self, call: Call, sender: ChecksumAddress = KEEPER) -> bytes:
        """With which bytes a call reverts now, perhaps none. Raises AssertionError when it does not revert."""
        try:
            await self.read(call, sender)
        except NodeError as error:
            found = re.search(r"'data': '0x([0-9a-f]*)'", str(error))
            return bytes.fromhex(found[1]) if found else b""
        raise AssertionError("does not revert")

    # Money

    async def mint(self, token: ChecksumAddress, to: ChecksumAddress, amount: int) -> None:
        await self.must(Call(token, MINT.encode(to, amount)))

    async def usdc(self, to: ChecksumAddress, amount: int) -> None:
        await self.mint(AVANTIS.usdc, to, amount)

    async def ether(self, to: ChecksumAddress, wei: Wei) -> None:
        await self.node.set_balance(to, wei)

    async def balance(self, token: ChecksumAddress, of: ChecksumAddress) -> int:
        (amount,) = await self.ask(token, BALANCE_OF, of)
        return int(amount)

    # The keeper of the venue; prices in 1e-10

    async def execute(self, order_id: int, price: int) -> Receipt:
        return await self.must(Call(AVANTIS.trading, EXECUTE.encode(order_id, price)))

    async def cancel(self, order_id: int) -> Receipt:
        return await self.must(Call(AVANTIS.trading, CANCEL.encode(order_id)))

    async def liquidate(self, trader: ChecksumAddress, pair: int, index: int, price: int) -> Receipt:
        return await self.must(Call(AVANTIS.trading, LIQUIDATE.encode(trader, pair, index, price)))

    async def use_nonce(self, trader: ChecksumAddress, nonce: int) -> None:
        """As executing a signed intent does."""
        await self.must(Call(AVANTIS.trading, USE_NONCE.encode(trader, nonce)))

    # Launches and pools

    async def token(self, address: ChecksumAddress) -> None:
        """One more launched token, and enough of it to be bought."""
        await self.node.set_code(address, compiled("Token").code)
        await self.mint(address, UNISWAP.pool_manager, RESERVES)

    async def launch(
        self,
        token: ChecksumAddress,
        key: PoolKey,
        shares: Sequence[tuple[ChecksumAddress, int]],
        preference: FeeIn = FeeIn.PAIRED,
    ) -> None:
        """With recipients and their parts in 1e-4, all of whom want the same."""
        recipients = [recipient for recipient, _ in shares]
        info = (token, key.raw, 1, 1, [part for _, part in shares], recipients, recipients)
        await self.must(Call(CLANKER.locker, LAUNCH.encode(info, preference)))

    async def accrue_fees(self, token: ChecksumAddress, currency: ChecksumAddress, amount: int) -> None:
        """Swaps paid fees, which wait until somebody collects them."""
        await self.mint(currency, CLANKER.locker, amount)
        await self.must(Call(CLANKER.locker, ACCRUE.encode(token, currency, amount)))

    async def rate(self, key: PoolKey, token_in: ChecksumAddress, bought: int, paid: int) -> None:
        """From now on `paid` buys `bought` in a pool of version 4; paid 0: there is no such pool."""
        rate = SET_RATE.encode(key.pool_id, key.zero_for_one(token_in), bought, paid)
        await self.must(Call(UNISWAP.pool_manager, rate))

    async def v3_rate(
        self, token_in: ChecksumAddress, token_out: ChecksumAddress, fee: int, bought: int, paid: int
    ) -> None:
        """From now on `paid` buys `bought` in a pool of version 3."""
        first, second = sorted((token_in, token_out), key=lambda token: int(token, 16))
        pool = keccak(_V3_POOL.encode(first, second, fee))
        rate = SET_RATE.encode(pool, token_in == first, bought, paid)
        await self.must(Call(UNISWAP.pool_manager, rate))

    async def give(self, token: ChecksumAddress, sender: ChecksumAddress, to: ChecksumAddress, amount: int) -> Receipt:
        """A plain transfer."""
        return await self.must(Call(token, TRANSFER.encode(to, amount)), sender)


def _log(raw: dict[str, Any]) -> Log:
    topics = tuple(bytes.fromhex(topic.removeprefix("0x")) for topic in raw["topics"])
    return Log(to_checksum_address(raw["address"]), topics, bytes.fromhex(raw["data"].removeprefix("0x")))
