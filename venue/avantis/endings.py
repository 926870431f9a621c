"""How an order ended that the chain has. Logs of the contract end it; the venue's history says where to look.

Cancellations of version 2 have a log we cannot name. One is believed when the history names its block and the chain
agrees: there the contract logged something of this very order, and the same transaction gave all of its collateral
back. A close has nothing to give back; its position stands there as it was.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from venue.avantis.addresses import AVANTIS, Addresses
from venue.avantis.asked import Close
from venue.avantis.contracts import MARKET_EXECUTED, MARKET_OPEN_CANCELED, MARKET_ORDER_INITIATED, OPEN_TRADES
from venue.avantis.orders import Canceled, OrderStatus
from venue.avantis.registered import Ambiguous, Cancellation, Execution, Registration, ending
from venue.chain.agreed import AgreedNode
from venue.chain.answers import Log
from venue.chain.call import Call
from venue.chain.erc20 import TRANSFERRED

History = Callable[[str], Awaitable[OrderStatus]]
"""What the venue's history says of the order of a transaction."""
_NO_ENDS: Final = (MARKET_ORDER_INITIATED.topic, MARKET_EXECUTED.topic)
_WORD: Final = 32


async def ending_of(
    node: AgreedNode, history: History, order: Registration, tx_hash: str, last: int, addresses: Addresses = AVANTIS
) -> Execution | Cancellation | None:
    """The end as of block `last`, which is to stay; None while there is none. Raises Ambiguous and RpcError."""
    topics = [[MARKET_EXECUTED.topic, MARKET_OPEN_CANCELED.topic]]
    logs = await node.logs(addresses.trading, topics, order.block, last)
    if found := ending(logs, order, addresses):
        return found
    status = await history(tx_hash)
    if not isinstance(status, Canceled) or (status.block is not None and status.block > last):
        return None
    if status.order_id != order.order_id or status.block is None or status.block < order.block:
        raise Ambiguous(
            f"the history says order {status.order_id} was canceled in block {status.block},"
            f" the chain has order {order.order_id} since block {order.block}"
        )
    if not await _gave_back(node, order, status.block, addresses):
        raise Ambiguous(
            f"the history says order {order.order_id} was canceled in block {status.block}, and the chain does not show"
            " it there"
        )
    return Cancellation(status.block)


async def _gave_back(node: AgreedNode, order: Registration, block: int, addresses: Addresses) -> bool:
    """Whether the chain agrees that the order was canceled in `block`."""
    logs = await node.logs(addresses.trading, [], block, block)
    ends = {log.tx_hash for log in logs if _may_end(log, order)}
    if not ends:
        return False
    if isinstance(order.asked, Close):
        return await _stands(node, order.asked, (order.block - 1, block), addresses)
    between = [_word(int(each, 16)) for each in (addresses.storage, order.asked.trader)]
    paid = await node.logs(addresses.usdc, [TRANSFERRED.topic, *between], block, block)
    return any(log.tx_hash in ends and log.data == _word(order.asked.collateral) for log in paid)


def _may_end(log: Log, order: Registration) -> bool:
    """Whether a log of unknown shape is of this order and its trader, and not one that says something else of it."""
    if not log.topics or log.topics[0] in _NO_ENDS:
        return False
    words = {*log.topics[1:], *(log.data[at : at + _WORD] for at in range(0, len(log.data), _WORD))}
    return {_word(order.order_id), _word(int(order.asked.trader, 16))} <= words


async def _stands(node: AgreedNode, asked: Close, blocks: tuple[int, int], addresses: Addresses) -> bool:
    """Whether the position to be closed is there, and the same as of both blocks."""
    call = Call(addresses.storage, OPEN_TRADES.encode(asked.trader, asked.pair_index, asked.trade_index))
    before, after = [await node.call_at(call, asked.trader, block) for block in blocks]
    return any(after) and before == after


def _word(number: int) -> bytes:
    return number.to_bytes(_WORD, "big")
