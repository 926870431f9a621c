"""What of Uniswap may be signed at all: swaps from USDC and WETH into our own wallet, what they need, and burning."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from venue.chain.abi import AbiError
from venue.chain.erc20 import APPROVE, TRANSFER
from venue.chain.guard import Rule
from venue.uniswap import v3, v4
from venue.uniswap.addresses import DEAD, UNISWAP, Addresses, RouterVersion
from venue.uniswap.contracts import EXECUTE, MULTICALL, PERMIT2_APPROVE

Forbids = Callable[[tuple[Any, ...]], str]


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that one transaction swaps or allows, in each token's smallest step."""

    usdc: int = 10_000 * 10**6
    weth: int = 10 * 10**18


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What the rules compare with."""

    addresses: Addresses
    version: RouterVersion
    wallet: ChecksumAddress
    tokens: frozenset[ChecksumAddress]
    most: Mapping[ChecksumAddress, int]


def rules(
    wallet: ChecksumAddress,
    tokens: Collection[ChecksumAddress],
    version: RouterVersion,
    caps: Caps = Caps(),
    addresses: Addresses = UNISWAP,
) -> Mapping[ChecksumAddress, tuple[Rule, ...]]:
    """The allow-list for buying `tokens` from `wallet`. Other lists allow other spenders of USDC: whoever joins lists
    makes one `approval` of them. Raises ValueError for a token that is money."""
    money = {addresses.usdc: caps.usdc, addresses.weth: caps.weth}
    if set(tokens) & set(money):
        raise ValueError("USDC and WETH are not bought back")
    bounds = _Bounds(addresses, version, wallet, frozenset(tokens), money)
    spenders = frozenset((addresses.permit2, addresses.v3_router))
    return {
        **{token: (approval(spenders, most),) for token, most in money.items()},
        **{token: (Rule(TRANSFER, forbids=_burns_only),) for token in tokens},
        addresses.permit2: (Rule(PERMIT2_APPROVE, forbids=lambda given: _permit2(bounds, given)),),
        addresses.v3_router: (Rule(MULTICALL, forbids=lambda given: _v3(bounds, given)),),
        addresses.universal[version]: (Rule(EXECUTE, forbids=lambda given: _v4(bounds, given)),),
    }


def approval(spenders: Collection[ChecksumAddress], most: int) -> Rule:
    """Allowing `spenders`, and nobody else, up to `most`; and nothing, which takes an allowance back."""

    def forbids(arguments: tuple[Any, ...]) -> str:
        spender, amount = to_checksum_address(arguments[0]), arguments[1]
        if spender not in spenders:
            return f"spender {spender} is not one of ours"
        return f"amount {amount}: expected at most {most}" if amount > most else ""

    return Rule(APPROVE, forbids=forbids)


def _burns_only(arguments: tuple[Any, ...]) -> str:
    receiver, amount = to_checksum_address(arguments[0]), arguments[1]
    if receiver != DEAD:
        return f"to {receiver}: expected {DEAD}"
    return "" if amount else "amount 0"


def _permit2(bounds: _Bounds, arguments: tuple[Any, ...]) -> str:
    token, spender = to_checksum_address(arguments[0]), to_checksum_address(arguments[1])
    amount, expires = arguments[2:]
    if spender != bounds.addresses.universal[bounds.version]:
        return f"spender {spender} is not our router"
    if token not in bounds.most:
        return f"token {token} is nothing we pay with"
    if amount > bounds.most[token]:
        return f"amount {amount}: expected at most {bounds.most[token]}"
    return "never expires" if expires == 2**48 - 1 else ""


def _v3(bounds: _Bounds, arguments: tuple[Any, ...]) -> str:
    try:
        swap = v3.read(arguments)
    except AbiError as error:
        return str(error)
    if swap.recipient != bounds.wallet:
        return f"recipient {swap.recipient}: expected {bounds.wallet}"
    if (swap.token_in, swap.token_out) != (bounds.addresses.usdc, bounds.addresses.weth):
        return f"{swap.token_in} for {swap.token_out}: expected USDC for WETH"
    return _amounts(bounds, swap.token_in, swap.amount_in, swap.least_out)


def _v4(bounds: _Bounds, arguments: tuple[Any, ...]) -> str:
    try:
        swap = v4.read(bounds.version, arguments)
    except AbiError as error:
        return str(error)
    bought = swap.key.other(swap.token_in)
    if swap.token_in not in bounds.most or bought not in bounds.tokens:
        return f"{swap.token_in} for {bought}: expected USDC or WETH for a token of ours"
    return _amounts(bounds, swap.token_in, swap.amount_in, swap.least_out)


def _amounts(bounds: _Bounds, token_in: ChecksumAddress, amount_in: int, least_out: int) -> str:
    if not 0 < amount_in <= bounds.most[token_in]:
        return f"amount {amount_in}: expected 1 to {bounds.most[token_in]}"
    return "" if least_out else "at least 0 bought"
