# pragma version ~=0.4.3
"""Pools of version 3, by their tokens and fee."""

interface Pools:
    def out(pool: bytes32, zeroForOne: bool, amountIn: uint256) -> uint256: view

POOLS: constant(address) = 0x498581fF718922c3f8e6A244956aF099B2652b2b


@internal
@view
def bought(tokenIn: address, tokenOut: address, fee: uint24, amountIn: uint256) -> uint256:
    first: bool = convert(tokenIn, uint160) < convert(tokenOut, uint160)
    pool: bytes32 = keccak256(
        abi_encode(tokenIn if first else tokenOut, tokenOut if first else tokenIn, convert(fee, uint256))
    )
    return staticcall Pools(POOLS).out(pool, first, amountIn)
