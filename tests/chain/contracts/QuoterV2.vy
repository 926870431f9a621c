# pragma version ~=0.4.3
"""Says what a swap in a pool of version 3 would give. Its fields are in another order than the router's."""

import v3

struct QuoteExactInputSingleParams:
    tokenIn: address
    tokenOut: address
    amountIn: uint256
    fee: uint24
    sqrtPriceLimitX96: uint160


@external
def quoteExactInputSingle(params: QuoteExactInputSingleParams) -> (uint256, uint160, uint32, uint256):
    amount: uint256 = v3.bought(params.tokenIn, params.tokenOut, params.fee, params.amountIn)
    return amount, 2**96, 1, 80_000
