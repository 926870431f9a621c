# pragma version ~=0.4.3
"""Uniswap's router for pools of version 3. Takes what is paid by what it is allowed itself."""

import v3

interface Erc20:
    def transferFrom(sender: address, receiver: address, amount: uint256) -> bool: nonpayable

interface Pools:
    def pay(token: address, receiver: address, amount: uint256): nonpayable

struct ExactInputSingleParams:
    tokenIn: address
    tokenOut: address
    fee: uint24
    recipient: address
    amountIn: uint256
    amountOutMinimum: uint256
    sqrtPriceLimitX96: uint160


@external
@payable
def exactInputSingle(params: ExactInputSingleParams) -> uint256:
    """Knows no deadline."""
    amount: uint256 = v3.bought(params.tokenIn, params.tokenOut, params.fee, params.amountIn)
    assert amount >= params.amountOutMinimum, "Too little received"
    assert extcall Erc20(params.tokenIn).transferFrom(msg.sender, v3.POOLS, params.amountIn), "STF"
    extcall Pools(v3.POOLS).pay(params.tokenOut, params.recipient, amount)
    return amount


@external
@payable
def multicall(deadline: uint256, data: DynArray[Bytes[1024], 4]) -> DynArray[Bytes[64], 4]:
    assert block.timestamp <= deadline, "Transaction too old"
    returned: DynArray[Bytes[64], 4] = []
    for call: Bytes[1024] in data:
        returned.append(raw_call(self, call, max_outsize=64, is_delegate_call=True))
    return returned
