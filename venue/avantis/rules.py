"""What may be called at all, for the guard: the functions of the venue that desks use, with bounds on their arguments.

This is the second wall. The first compares a call with what was asked; this one holds whoever asked, our own code
included. That an approval is of the exact amount is for the first to say, here it is bounded. `delegatedAction` is not
on the list: what it would carry inside could be anything.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from venue.avantis.addresses import AVANTIS, Addresses
from venue.avantis.asked import LIMITS, MARGIN_FEE, MARKET, MOST_FEE, Limits, prices_too_large
from venue.avantis.contracts import (
    CANCEL_OPEN_LIMIT_ORDER,
    CLOSE_TRADE_MARKET,
    INCREASE_POSITION_SIZE,
    OPEN_TRADE,
    UPDATE_MARGIN,
)
from venue.chain.erc20 import APPROVE
from venue.chain.guard import Rule

Forbids = Callable[[tuple[Any, ...]], str]
_UNUSED: Final = {2: "index", 3: "initialPosToken", 8: "tp", 9: "sl", 10: "timestamp"}
"""Words of a trade that an open leaves 0."""


def rules(
    wallet: ChecksumAddress, addresses: Addresses = AVANTIS, limits: Limits = LIMITS
) -> Mapping[ChecksumAddress, tuple[Rule, ...]]:
    """The allow-list of one wallet. The only spender of its USDC is storage."""
    return {
        addresses.trading: (
            Rule(OPEN_TRADE, MOST_FEE, _open(wallet, limits)),
            Rule(CLOSE_TRADE_MARKET, MOST_FEE, _close(limits)),
            Rule(INCREASE_POSITION_SIZE, MOST_FEE, _increase(wallet, limits)),
            Rule(UPDATE_MARGIN, MARGIN_FEE, _margin(limits)),
            Rule(CANCEL_OPEN_LIMIT_ORDER),
        ),
        addresses.usdc: (Rule(APPROVE, forbids=_approve(addresses.storage, limits)),),
    }


def _open(wallet: ChecksumAddress, limits: Limits) -> Forbids:
    def forbids(arguments: tuple[Any, ...]) -> str:
        trade, kind, slippage = arguments
        if kind != MARKET:
            return "orders are market orders"
        if used := [name for index, name in _UNUSED.items() if trade[index]]:
            return f"{used[0]} is set"
        return _terms(wallet, limits, trader=trade[0], collateral=trade[4], price=trade[5], leverage=trade[7]) or (
            _most("slippage", slippage, limits.most_slippage)
        )

    return forbids


def _increase(wallet: ChecksumAddress, limits: Limits) -> Forbids:
    def forbids(arguments: tuple[Any, ...]) -> str:
        (trader, _, _, price, collateral, leverage), slippage = arguments
        return _terms(wallet, limits, trader=trader, collateral=collateral, price=price, leverage=leverage) or (
            _most("slippage", slippage, limits.most_slippage)
        )

    return forbids


def _close(limits: Limits) -> Forbids:
    def forbids(arguments: tuple[Any, ...]) -> str:
        _, _, collateral, price = arguments
        return _some("collateral", collateral, limits.most_collateral) or ("" if price else "there is no price")

    return forbids


def _margin(limits: Limits) -> Forbids:
    def forbids(arguments: tuple[Any, ...]) -> str:
        _, _, way, collateral, prices, sourcing = arguments
        if way > 1 or sourcing > 1:
            return "neither a deposit nor a withdrawal, or a price from nowhere"
        return _some("collateral", collateral, limits.most_collateral) or prices_too_large(tuple(prices))

    return forbids


def _approve(storage: ChecksumAddress, limits: Limits) -> Forbids:
    def forbids(arguments: tuple[Any, ...]) -> str:
        spender, amount = arguments
        if to_checksum_address(spender) != storage:
            return "the spender is not storage"
        return _most("amount", amount, limits.most_collateral)

    return forbids


def _terms(wallet: ChecksumAddress, limits: Limits, *, trader: str, collateral: int, price: int, leverage: int) -> str:
    if to_checksum_address(trader) != wallet:
        return "the trader is not the wallet"
    if not price:
        return "there is no price"
    return _some("collateral", collateral, limits.most_collateral) or _some("leverage", leverage, limits.most_leverage)


def _some(name: str, value: int, most: int) -> str:
    return _most(name, value, most) if value else f"{name} is 0"


def _most(name: str, value: int, most: int) -> str:
    return "" if value <= most else f"{name} {value}: expected at most {most}"
