"""How an order ended that the chain has: by its logs, and by the venue's history where their shape is not known."""

from collections.abc import Awaitable, Callable

from venue.avantis.addresses import AVANTIS, Addresses
from venue.avantis.contracts import MARKET_EXECUTED, MARKET_OPEN_CANCELED
from venue.avantis.orders import Canceled, OrderStatus
from venue.avantis.registered import Ambiguous, Cancellation, Execution, Registration, ending
from venue.chain.agreed import AgreedNode

History = Callable[[str], Awaitable[OrderStatus]]
"""What the venue's history says of the order of a transaction."""


async def ending_of(
    node: AgreedNode, history: History, order: Registration, tx_hash: str, last: int, addresses: Addresses = AVANTIS
) -> Execution | Cancellation | None:
    """The end as of block `last`, which is to stay; None while there is none. Raises Ambiguous and RpcError.

    Cancellations of version 2 have a log we cannot name: the history names them, and no execution is on the chain as
    of the block it names.
    """
    topics = [[MARKET_EXECUTED.topic, MARKET_OPEN_CANCELED.topic]]
    logs = await node.logs(addresses.trading, topics, order.block, last)
    if found := ending(logs, order, addresses):
        return found
    status = await history(tx_hash)
    if not isinstance(status, Canceled) or (status.block or last) > last:
        return None
    if status.order_id not in (None, order.order_id):
        raise Ambiguous(f"the history says order {status.order_id}, the chain {order.order_id}")
    return Cancellation(status.block or last)
