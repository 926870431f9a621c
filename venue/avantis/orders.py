"""What became of market orders, as the venue's history tells it. The chain's own logs outrank all of this.

The history is read tolerantly, because it only informs: details that cannot be read are None, and a status nobody knows
is Unknown, which is never a failure of the order.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar

from eth_typing import ChecksumAddress

from venue.avantis.answers import recorded
from venue.avantis.hosts import Api, Service
from venue.avantis.units import TEN, USDC
from venue.avantis.wire import AvantisCode, AvantisError, Fields, cleaned
from venue.perp import Usdc

_HASH: Final = re.compile(r"0x[0-9a-f]{64}")
_LISTS: Final = ("trades", "items", "history", "rows", "data", "tradeHistory")
_LATEST_MS: Final = 10**14
_LOSS: Final = Decimal(-(10**15))
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Executed:
    """The order took effect. `price` 1e-10, `paid` is what was sent to the trader."""

    order_id: int | None
    pair_index: int | None
    trade_index: int | None
    opened: bool | None
    price: int | None
    paid: Usdc | None
    tx_hash: str | None
    block: int | None


@dataclass(frozen=True, slots=True)
class Canceled:
    """The order had no effect: the price went past its slippage, or nobody executed it in time."""

    order_id: int | None
    tx_hash: str | None
    block: int | None


@dataclass(frozen=True, slots=True)
class Pending:
    """The venue has the order and has not executed it yet."""

    order_id: int | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The history cannot tell."""

    why: str


OrderStatus = Executed | Canceled | Pending | Unknown


@dataclass(frozen=True, slots=True)
class PastTrade:
    """A line of the trade history; None is what could not be read. `price` 1e-10, `at_s` unix seconds."""

    pair_index: int | None
    trade_index: int | None
    is_long: bool | None
    price: int | None
    collateral: Usdc | None
    profit: Usdc | None
    at_s: int | None
    tx_hash: str | None


@dataclass(frozen=True, slots=True)
class TradeHistory:
    """One page. `unread`: lines in which nothing at all could be read."""

    trades: tuple[PastTrade, ...]
    unread: int


NOTHING: Final = PastTrade(None, None, None, None, None, None, None, None)


def _try(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except AvantisError:
        return None


def _hash(fields: Fields) -> str | None:
    text = _try(lambda: fields.text("txHash", "transactionHash").lower())
    return text if text is not None and _HASH.fullmatch(text) else None


def read_status(envelope: Fields, tx_hash: str) -> OrderStatus:
    """What `data` of an answer that succeeded says about the order of a transaction."""
    data = _try(lambda: envelope.inner("data"))
    if data is None:
        return Unknown("the answer holds no data")
    initiated = _try(lambda: data.inner("initiated"))
    about = None if initiated is None else _hash(initiated)
    if about is not None and about != tx_hash.lower():
        return Unknown(f"the answer is about transaction {about}: expected {tx_hash}")
    order_id = _try(lambda: data.integer("orderId"))
    match data.get("status"):
        case "executed":
            return _executed(order_id, _try(lambda: data.inner("executed")))
        case "canceled" | "cancelled":
            ended = _try(lambda: data.inner("canceled", "cancelled"))
            return Canceled(order_id, *_where(ended))
        case "pending":
            return Pending(order_id)
        case other:
            shown = cleaned(other)[:40] if isinstance(other, str) else "missing"
            return Unknown(f"status is {shown!r}: expected executed, canceled or pending")


def _where(fields: Fields | None) -> tuple[str | None, int | None]:
    if fields is None:
        return None, None
    return _hash(fields), _try(lambda: fields.integer("blockNumber"))


def _executed(order_id: int | None, fields: Fields | None) -> Executed:
    if fields is None:
        return Executed(order_id, None, None, None, None, None, None, None)
    tx_hash, block = _where(fields)
    return Executed(
        order_id=order_id,
        pair_index=_try(lambda: fields.integer("t_pairIndex", "pairIndex")),
        trade_index=_try(lambda: fields.integer("t_index", "index")),
        opened=_try(lambda: fields.flag("open")),
        price=_try(lambda: fields.human("price", steps=TEN)),
        paid=_try(lambda: fields.human("usdcSentToTrader", steps=USDC)),
        tx_hash=tx_hash,
        block=block,
    )


async def fetch_status(api: Api, tx_hash: str) -> OrderStatus:
    """What history says about the order a transaction initiated. Raises AvantisError when it gives no answer at all."""
    if not _HASH.fullmatch(tx_hash.lower()):
        raise ValueError("a transaction hash is 0x and 64 hexadecimal digits")
    path = f"v2/market-order-initiated/status/{tx_hash.lower()}"
    try:
        envelope = await api.read(Service.HISTORY, path, lambda reply: recorded(reply, "order status"))
    except AvantisError as error:
        if error.code in (AvantisCode.HISTORY_FAILED, AvantisCode.NOT_FOUND):
            return Unknown(error.text)
        raise
    return read_status(envelope, tx_hash)


def read_history(envelope: Fields) -> TradeHistory:
    """Reads what can be read; nobody has described these lines. Raises WRONG_SHAPE when there is no list of them."""
    rows = _rows(envelope)
    trades = tuple(trade for row in rows if isinstance(row, dict) and (trade := _past(Fields(row, "trade"))) != NOTHING)
    return TradeHistory(trades, len(rows) - len(trades))


def _rows(envelope: Fields) -> list[object]:
    data = envelope.get("data")
    if isinstance(data, list):
        return data
    inner = envelope.inner("data")
    found = inner.get(*_LISTS)
    if not isinstance(found, list):
        text = f"{inner.where} holds no list: expected one of {', '.join(_LISTS)}"
        raise AvantisError(AvantisCode.WRONG_SHAPE, text)
    return found


def _past(row: Fields) -> PastTrade:
    event = _try(lambda: row.inner("event", "trade", "args")) or row
    return PastTrade(
        pair_index=_try(lambda: event.integer("pairIndex", "t_pairIndex")),
        trade_index=_try(lambda: event.integer("index", "tradeIndex", "t_index")),
        is_long=_try(lambda: event.flag("buy", "isLong", "t_buy")),
        price=_try(lambda: event.human("price", "closePrice", steps=TEN)),
        collateral=_try(lambda: event.human("collateral", "t_initialPosToken", steps=USDC)),
        profit=_try(lambda: event.human("profit", "netPnl", "pnl", steps=USDC, least=_LOSS)),
        at_s=_time_s(row) or _time_s(event),
        tx_hash=_hash(event) or _hash(row),
    )


def _time_s(fields: Fields) -> int | None:
    time = _try(lambda: fields.integer("timestamp", "blockTimestamp", "timeStamp", most=_LATEST_MS))
    return time // 1000 if time is not None and time > _LATEST_MS // 1000 else time


async def fetch_history(api: Api, trader: ChecksumAddress, page: int = 0, limit: int = 20) -> TradeHistory:
    """A page of the trade history. Raises AvantisError; a history that failed is no empty one."""
    path = f"v2/history/trade-history/{trader}/{page}/{limit}"
    return await api.read(Service.HISTORY, path, lambda reply: read_history(recorded(reply, "trade history")))
