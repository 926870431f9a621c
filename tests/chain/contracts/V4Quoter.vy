# pragma version ~=0.4.3
"""Says what a swap in a pool of version 4 would give."""

interface Pools:
    def out(pool: bytes32, zeroForOne: bool, amountIn: uint256) -> uint256: view

struct PoolKey:
    currency0: address
    currency1: address
    fee: uint24
    tickSpacing: int24
    hooks: address

struct QuoteExactSingleParams:
    poolKey: PoolKey
    zeroForOne: bool
    exactAmount: uint128
    hookData: Bytes[256]

POOLS: constant(address) = 0x498581fF718922c3f8e6A244956aF099B2652b2b


@external
def quoteExactInputSingle(params: QuoteExactSingleParams) -> (uint256, uint256):
    pool: bytes32 = keccak256(abi_encode(params.poolKey))
    amount: uint256 = staticcall Pools(POOLS).out(pool, params.zeroForOne, convert(params.exactAmount, uint256))
    return amount, 90_000
