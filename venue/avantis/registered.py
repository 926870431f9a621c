"""A transaction of ours and the order it registered; what the venue's keepers made of it. Pure, from logs alone.

The venue acts in two steps: our transaction registers an order, and a transaction of theirs executes or cancels it. A
receipt without exactly the registration that was asked for means that nobody can tell, and is no failure.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from eth_utils.address import to_checksum_address

from venue.avantis.addresses import AVANTIS, Addresses
from venue.avantis.asked import Close, Increase, Open, Order
from venue.avantis.contracts import (
    CLOSE_TRADE_MARKET,
    INCREASE_POSITION_SIZE,
    MARKET_EXECUTED,
    MARKET_OPEN_CANCELED,
    MARKET_ORDER_INITIATED,
    OPEN_TRADE,
)
from venue.avantis.units import TEN
from venue.chain.abi import AbiError
from venue.chain.answers import Log, Receipt
from venue.chain.facts import TxReserved
from venue.perp import Usdc


class Ambiguous(Exception):
    """The chain shows something else than what was asked for; one line. Only a person can tell what it means."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The venue's own number of an order, and the block from which on it may be executed."""

    order_id: int
    block: int
    asked: Order


@dataclass(frozen=True, slots=True)
class Execution:
    """What an executed order did. `price` 1e-10; `collateral` is what stands afterwards."""

    trade_index: int
    is_long: bool
    price: int
    collateral: Usdc
    leverage: int
    paid: Usdc
    """What was sent to the trader."""
    block: int


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The venue gave the order back."""

    block: int


def asked_of(sent: TxReserved, trader: str) -> Order:
    """What a journaled call asked for; slippage where the call carries none is 0. Raises Ambiguous for other calls."""
    data = bytes.fromhex(sent.data[2:])
    wallet = to_checksum_address(trader)
    try:
        match data[:4]:
            case OPEN_TRADE.selector:
                trade, _, slippage = OPEN_TRADE.decode(data)
                return Open(wallet, trade[1], trade[6], trade[4], trade[7], trade[5], slippage)
            case INCREASE_POSITION_SIZE.selector:
                (_, pair, index, price, added, leverage), slippage = INCREASE_POSITION_SIZE.decode(data)
                return Increase(wallet, pair, index, added, leverage, price, slippage)
            case CLOSE_TRADE_MARKET.selector:
                pair, index, amount, price = CLOSE_TRADE_MARKET.decode(data)
                return Close(wallet, pair, index, amount, price, 0)
    except AbiError as error:
        raise Ambiguous(str(error)) from None
    raise Ambiguous(f"0x{data[:4].hex()} is no order")


def registration(receipt: Receipt, asked: Order, addresses: Addresses = AVANTIS) -> Registration:
    """The one order that the transaction registered. Raises Ambiguous unless it is the one that was asked for."""
    logs = [log for log in receipt.logs if log.address == addresses.trading and _is(log, MARKET_ORDER_INITIATED.topic)]
    if len(logs) != 1:
        raise Ambiguous(f"{receipt.hash} registered {len(logs)} orders: expected 1")
    order_id, fits = _initiated(logs[0], asked)
    if not fits:
        raise Ambiguous(f"{receipt.hash} registered order {order_id}, which is not the one that was asked for")
    return Registration(order_id, receipt.block, asked)


def like(log: Log, asked: Order) -> Registration | None:
    """The order that a `MarketOrderInitiated` is of, when it could be the one that was asked for. Raises Ambiguous."""
    order_id, fits = _initiated(log, asked)
    return Registration(order_id, log.block, asked) if fits else None


def _initiated(log: Log, asked: Order) -> tuple[int, bool]:
    """The number of the order, and whether it is of what was asked."""
    try:
        trader, pair, opens, order_id, _, is_buy, _, collateral, *_ = MARKET_ORDER_INITIATED.decode(
            log.topics, log.data
        )
    except AbiError as error:
        raise Ambiguous(str(error)) from None
    found = (to_checksum_address(trader), pair, opens, collateral)
    expected = (asked.trader, asked.pair_index, not isinstance(asked, Close), asked.collateral)
    return order_id, found == expected and (not isinstance(asked, Open) or is_buy == asked.is_long)


def ending(logs: Iterable[Log], order: Registration, addresses: Addresses = AVANTIS) -> Execution | Cancellation | None:
    """How the order ended, by the logs since its registration; None while it has not. Raises Ambiguous."""
    for log in logs:
        if log.address != addresses.trading:
            continue
        if _is(log, MARKET_EXECUTED.topic) and (execution := _execution(log, order)):
            return execution
        if _is(log, MARKET_OPEN_CANCELED.topic) and _cancels(log, order):
            return Cancellation(log.block)
    return None


def _is(log: Log, topic: bytes) -> bool:
    return bool(log.topics) and log.topics[0] == topic


def _execution(log: Log, order: Registration) -> Execution | None:
    try:
        order_id, trade, opens, price, _, _, paid, *_ = MARKET_EXECUTED.decode(log.topics, log.data)
    except AbiError as error:
        raise Ambiguous(str(error)) from None
    if order_id != order.order_id:
        return None
    trader, pair, index, collateral, _, _, is_long, leverage, *_ = trade
    asked = order.asked
    same = (to_checksum_address(trader), pair, opens) == (asked.trader, asked.pair_index, not isinstance(asked, Close))
    if not same or (not isinstance(asked, Open) and index != asked.trade_index):
        raise Ambiguous(f"order {order_id} was executed as something else")
    return Execution(index, is_long, price, collateral, leverage, paid, log.block)


def _cancels(log: Log, order: Registration) -> bool:
    try:
        order_id, trader, _, _ = MARKET_OPEN_CANCELED.decode(log.topics, log.data)
    except AbiError:
        return False  # version 2 may have other fields; the history says it in words
    return bool(order_id == order.order_id and to_checksum_address(trader) == order.asked.trader)


def notional(execution: Execution) -> Usdc:
    """What stands afterwards, times its leverage."""
    return execution.collateral * execution.leverage // TEN
