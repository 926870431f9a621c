# pragma version ~=0.4.3
"""A launched token: 1e-18."""

import erc20

initializes: erc20
exports: (
    erc20.balanceOf, erc20.allowance, erc20.totalSupply, erc20.transfer, erc20.transferFrom, erc20.approve, erc20.mint
)

decimals: public(constant(uint8)) = 18
symbol: public(constant(String[4])) = "TOKN"
