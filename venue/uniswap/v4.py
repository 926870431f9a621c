"""Pools of version 4: their keys, what they would give, and the swap. Amounts in each token's smallest step."""

from dataclasses import dataclass

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from venue.chain.abi import AbiError
from venue.chain.call import Call
from venue.uniswap.addresses import Addresses, RouterVersion
from venue.uniswap.contracts import (
    CURRENCY_AMOUNT,
    EXECUTE,
    POOL,
    SINGLE,
    SWAP_EXACT_IN_SINGLE_SETTLE_ALL_TAKE_ALL,
    V4_INPUT,
    V4_QUOTE,
    V4_SWAP,
)

RawKey = tuple[str, str, int, int, str]


@dataclass(frozen=True, slots=True)
class PoolKey:
    """Names a pool. The currencies are in the order of their addresses as numbers."""

    currency0: ChecksumAddress
    currency1: ChecksumAddress
    fee: int
    """In 1e-6; 0x800000: the hook says."""
    tick_spacing: int
    hooks: ChecksumAddress

    def __post_init__(self) -> None:
        if int(self.currency0, 16) >= int(self.currency1, 16):
            raise ValueError("the currencies of a pool are in order")

    @property
    def raw(self) -> RawKey:
        """As contracts want it."""
        return self.currency0, self.currency1, self.fee, self.tick_spacing, self.hooks

    @property
    def pool_id(self) -> bytes:
        return keccak(POOL.encode(self.raw))

    def other(self, currency: ChecksumAddress) -> ChecksumAddress:
        """What the pool pairs `currency` with. Raises ValueError when it does not hold it."""
        if currency not in (self.currency0, self.currency1):
            raise ValueError(f"no {currency} in this pool")
        return self.currency1 if currency == self.currency0 else self.currency0

    def zero_for_one(self, paid: ChecksumAddress) -> bool:
        """Which way a swap goes that pays with `paid`. Raises ValueError."""
        return int(paid, 16) < int(self.other(paid), 16)


@dataclass(frozen=True, slots=True)
class V4Swap:
    """An exact amount of `token_in` for at least so much of the pool's other token. The caller pays and is paid."""

    key: PoolKey
    token_in: ChecksumAddress
    amount_in: int
    least_out: int


def pool_key(raw: RawKey) -> PoolKey:
    """A key that a contract returned. Raises ValueError for one that names no pool."""
    currency0, currency1, fee, tick_spacing, hooks = raw
    checked = (to_checksum_address(currency0), to_checksum_address(currency1), fee, tick_spacing)
    return PoolKey(*checked, to_checksum_address(hooks))


def quote(addresses: Addresses, key: PoolKey, token_in: ChecksumAddress, amount: int) -> Call:
    """To be called and never sent; a hook's fee is in it. Raises AbiError."""
    return Call(addresses.v4_quoter, V4_QUOTE.encode((key.raw, key.zero_for_one(token_in), amount, b"")))


def quoted(returned: bytes) -> int:
    """What the quoter says would be bought. Raises AbiError."""
    return int(V4_QUOTE.decode_returned(returned)[0])


def swap(addresses: Addresses, version: RouterVersion, swap: V4Swap, deadline: int) -> Call:
    """The swap, void after `deadline` (seconds). Raises AbiError."""
    single = [swap.key.raw, swap.key.zero_for_one(swap.token_in), swap.amount_in, swap.least_out]
    if version is RouterVersion.V2_1_1:
        single.append(0)  # no least price of the hop: the least amount says the same
    params = [
        SINGLE[version].encode((*single, b"")),
        CURRENCY_AMOUNT.encode(swap.token_in, swap.amount_in),
        CURRENCY_AMOUNT.encode(swap.key.other(swap.token_in), swap.least_out),
    ]
    inputs = [V4_INPUT.encode(SWAP_EXACT_IN_SINGLE_SETTLE_ALL_TAKE_ALL, params)]
    return Call(addresses.universal[version], EXECUTE.encode(V4_SWAP, inputs, deadline))


def read(version: RouterVersion, arguments: tuple[object, ...]) -> V4Swap:
    """The one swap in the arguments of an execute. Raises AbiError for anything else, even if it means the same."""
    commands, inputs, _ = arguments
    if commands != V4_SWAP or not isinstance(inputs, tuple | list) or len(inputs) != 1:
        raise AbiError("not one swap")
    actions, params = V4_INPUT.decode(inputs[0])
    if actions != SWAP_EXACT_IN_SINGLE_SETTLE_ALL_TAKE_ALL or len(params) != 3:
        raise AbiError("not: swap, settle all, take all")
    ((raw, zero_for_one, amount_in, least_out, *rest),) = SINGLE[version].decode(params[0])
    if any(rest):
        raise AbiError("data for the hook, or a least price of the hop")
    try:
        key = pool_key(raw)
    except ValueError as error:
        raise AbiError(str(error)) from None
    found = V4Swap(key, key.currency0 if zero_for_one else key.currency1, amount_in, least_out)
    _agrees(found, CURRENCY_AMOUNT.decode(params[1]), CURRENCY_AMOUNT.decode(params[2]))
    return found


def _agrees(swap: V4Swap, settled: tuple[str, int], taken: tuple[str, int]) -> None:
    """What is paid and taken is what is swapped."""
    if (to_checksum_address(settled[0]), settled[1]) != (swap.token_in, swap.amount_in):
        raise AbiError("pays something else than it swaps")
    if (to_checksum_address(taken[0]), taken[1]) != (swap.key.other(swap.token_in), swap.least_out):
        raise AbiError("takes something else than it swaps for")
