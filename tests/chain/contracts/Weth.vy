# pragma version ~=0.4.3
"""Wrapped ether: 1e-18. What was minted by tests has no ether behind it."""

import erc20

initializes: erc20
exports: (
    erc20.balanceOf, erc20.allowance, erc20.totalSupply, erc20.transfer, erc20.transferFrom, erc20.approve, erc20.mint
)

decimals: public(constant(uint8)) = 18
symbol: public(constant(String[4])) = "WETH"


@external
@payable
def deposit():
    erc20._mint(msg.sender, msg.value)
