"""Functions and events of tokens."""

from typing import Final

from venue.chain.abi import Event, Function

APPROVE: Final = Function("approve(address,uint256)", ("bool",))
ALLOWANCE: Final = Function("allowance(address,address)", ("uint256",))
BALANCE_OF: Final = Function("balanceOf(address)", ("uint256",))
TRANSFER: Final = Function("transfer(address,uint256)", ("bool",))
TRANSFERRED: Final = Event("Transfer(address indexed,address indexed,uint256)")
