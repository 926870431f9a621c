"""Functions of Uniswap's contracts, and the layouts of the bytes that they carry."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError

from venue.chain.abi import AbiError, Function
from venue.uniswap.addresses import RouterVersion

POOL_KEY: Final = "(address,address,uint24,int24,address)"
"""currency0, currency1, fee, tickSpacing, hooks."""

EXACT_INPUT_SINGLE: Final = Function(
    "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))", ("uint256",)
)
"""Of SwapRouter02: tokenIn, tokenOut, fee, recipient, amountIn, amountOutMinimum, limit of the price. No deadline."""
MULTICALL: Final = Function("multicall(uint256,bytes[])", ("bytes[]",))
"""Of SwapRouter02: deadline in seconds, calls of itself."""
V3_QUOTE: Final = Function(
    "quoteExactInputSingle((address,address,uint256,uint24,uint160))", ("uint256", "uint160", "uint32", "uint256")
)
"""Of QuoterV2: tokenIn, tokenOut, amountIn, fee, limit of the price; the amount and the fee are swapped over here."""

V4_QUOTE: Final = Function(f"quoteExactInputSingle(({POOL_KEY},bool,uint128,bytes))", ("uint256", "uint256"))
"""Of V4Quoter: pool, zeroForOne, exact amount, data for the hook."""
"""Of StateView: price, tick, the protocol's fee, the pool's fee. A price of 0: there is no such pool."""
EXECUTE: Final = Function("execute(bytes,bytes[],uint256)")
"""Of the universal router: commands, their inputs, deadline in seconds."""

PERMIT2_APPROVE: Final = Function("approve(address,address,uint160,uint48)")
"""token, spender, amount, when it expires in seconds."""
PERMIT2_ALLOWANCE: Final = Function("allowance(address,address,address)", ("uint160", "uint48", "uint48"))
"""owner, token, spender; amount, when it expires in seconds, nonce."""


@dataclass(frozen=True)
class Layout:
    """Bytes inside a call that are encoded by themselves."""

    name: str
    types: tuple[str, ...]

    @cached_property
    def _returned(self) -> Function:
        return Function(f"{self.name}()", self.types)

    def encode(self, *values: object) -> bytes:
        """Raises AbiError for values that do not fit."""
        try:
            return encode(self.types, values)
        except (EncodingError, TypeError, ValueError, OverflowError) as error:
            raise AbiError(f"{self.name}: values do not fit: {type(error).__name__}") from None

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """Raises AbiError unless `data` is exactly that."""
        return self._returned.decode_returned(data)


V4_SWAP: Final = bytes([0x10])
"""The command of the universal router whose input is `V4_INPUT`."""
SWAP_EXACT_IN_SINGLE_SETTLE_ALL_TAKE_ALL: Final = bytes([0x06, 0x0C, 0x0F])
"""Swap, pay what is owed, take what is due: whoever calls pays and is paid."""

POOL: Final = Layout("PoolKey", (POOL_KEY,))
V4_INPUT: Final = Layout("V4_SWAP", ("bytes", "bytes[]"))
"""Actions and their parameters."""
SINGLE: Final = {
    RouterVersion.V2_0: Layout("SWAP_EXACT_IN_SINGLE", (f"({POOL_KEY},bool,uint128,uint128,bytes)",)),
    RouterVersion.V2_1_1: Layout("SWAP_EXACT_IN_SINGLE", (f"({POOL_KEY},bool,uint128,uint128,uint256,bytes)",)),
}
"""Pool, zeroForOne, amountIn, amountOutMinimum, from 2.1.1 on the least price of the hop, data for the hook."""
CURRENCY_AMOUNT: Final = Layout("currency and amount", ("address", "uint256"))
"""Of SETTLE_ALL with the most, of TAKE_ALL with the least."""
