"""Pools of version 3: what they would give, and the swap. Amounts in each token's smallest step."""

from dataclasses import dataclass

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from venue.chain.abi import AbiError
from venue.chain.call import Call
from venue.uniswap.addresses import Addresses
from venue.uniswap.contracts import EXACT_INPUT_SINGLE, MULTICALL, V3_QUOTE


@dataclass(frozen=True, slots=True)
class V3Swap:
    """An exact amount of one token for at least so much of another."""

    token_in: ChecksumAddress
    token_out: ChecksumAddress
    fee: int
    """Of the pool, in 1e-6; it names the pool."""
    recipient: ChecksumAddress
    amount_in: int
    least_out: int


def quote(addresses: Addresses, token_in: ChecksumAddress, token_out: ChecksumAddress, fee: int, amount: int) -> Call:
    """To be called and never sent. Raises AbiError."""
    return Call(addresses.v3_quoter, V3_QUOTE.encode((token_in, token_out, amount, fee, 0)))


def quoted(returned: bytes) -> int:
    """What the quoter says would be bought. Raises AbiError."""
    return int(V3_QUOTE.decode_returned(returned)[0])


def swap(addresses: Addresses, swap: V3Swap, deadline: int) -> Call:
    """The swap, void after `deadline` (seconds). Raises AbiError."""
    inner = EXACT_INPUT_SINGLE.encode(
        (swap.token_in, swap.token_out, swap.fee, swap.recipient, swap.amount_in, swap.least_out, 0)
    )
    return Call(addresses.v3_router, MULTICALL.encode(deadline, [inner]))


def read(arguments: tuple[object, ...]) -> V3Swap:
    """The one swap in the arguments of a multicall. Raises AbiError for anything else."""
    _, calls = arguments
    if not isinstance(calls, tuple | list) or len(calls) != 1:
        raise AbiError("not one swap")
    ((token_in, token_out, fee, recipient, amount_in, least_out, limit),) = EXACT_INPUT_SINGLE.decode(calls[0])
    if limit:
        raise AbiError("a limit of the price: the swap could stop half way")
    return V3Swap(
        to_checksum_address(token_in),
        to_checksum_address(token_out),
        fee,
        to_checksum_address(recipient),
        amount_in,
        least_out,
    )
