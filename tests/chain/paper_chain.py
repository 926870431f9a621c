"""The venue's contract on a chain in memory, as honest as those on a node, and so fast that a life and its deaths take
milliseconds. No fees and one price, so that every sum is exact."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from pydantic import JsonValue

from tests.chain.avantis_servers import CLOSE_CANCELED, Ordered
from tests.chain.stage import TRADER
from tests.venue.avantis.world import stored
from tests.venue.chain.fake_chain import FakeChain, Pending
from venue.avantis.addresses import AVANTIS
from venue.avantis.asked import Close, Increase, Open, Order
from venue.avantis.contracts import (
    CLOSE_TRADE_MARKET,
    INCREASE_POSITION_SIZE,
    MARKET_EXECUTED,
    MARKET_OPEN_CANCELED,
    MARKET_ORDER_INITIATED,
    NONCE_BITMAP,
    OPEN_TRADE,
    OPEN_TRADES,
    OPEN_TRADES_COUNT,
)
from venue.avantis.positions import Held
from venue.avantis.tracking import nonce_slot
from venue.avantis.typed_signer import SignedIntent
from venue.avantis.units import TEN
from venue.chain.abi import Event
from venue.chain.answers import Head, Log, Receipt
from venue.chain.call import Call
from venue.chain.erc20 import APPROVE

EPOCH_S: Final = 1_790_000_000
MONEY: Final = 10_000 * 10**6
PRICE: Final = 2_000 * TEN
KEEPER_TX: Final = "0x" + "ee" * 32
Slot = tuple[int, int]


@dataclass(frozen=True)
class Registered:
    """An order at the venue."""

    asked: Order
    tx_hash: str
    block: int
    status: str = "pending"
    ended: int = 0
    """Block of its end."""


@dataclass
class PaperChain(FakeChain):
    """Nonces and fees as in `FakeChain`; storage and orders as the venue has them."""

    money: int = MONEY
    allowance: int = 0
    held_now: dict[Slot, Held] = field(default_factory=dict)
    nonces: dict[int, int] = field(default_factory=dict)
    """Words of the bitmap."""
    registered: dict[int, Registered] = field(default_factory=dict)
    logged: list[Log] = field(default_factory=list)
    past: list[tuple[dict[Slot, Held], dict[int, int]]] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    handed: list[tuple[Order, int, int]] = field(default_factory=list)
    """What the relay has and no block yet: order, nonce, deadline in ms."""
    offered: list[int] = field(default_factory=list)
    """Nonces of everything the relay was ever given."""
    blind: bool = False
    """No block takes an order, by whichever way."""

    def __post_init__(self) -> None:
        self.past = [({}, {}) for _ in self.blocks]

    # Time and blocks

    @property
    def newest(self) -> int:
        return len(self.blocks) - 1

    def time_s(self, block: int) -> int:
        return EPOCH_S + 2 * block

    def now_ms(self) -> int:
        return self.time_s(self.newest) * 1000

    def mine(self, count: int = 1) -> None:
        for _ in range(count):
            hidden = {nonce: tx for nonce, tx in self.pool.items() if self.blind and tx.data}
            for nonce in hidden:
                del self.pool[nonce]
            super().mine()
            self.pool = hidden | self.pool
            for tx in self.blocks[-1]:
                self._apply(tx)
            if not self.blind:
                self._relayed()
            self._seal()

    def keep(self, cancels: bool = False) -> None:
        """Keepers execute what waits, or give it back, in a block of their own."""
        waiting = [number for number, order in self.registered.items() if order.status == "pending"]
        if not waiting:
            return
        self.blocks.append([])
        for number in waiting:
            self._cancelled(number) if cancels else self._executed(number)
        self._seal()

    def _seal(self) -> None:
        self.past.append((dict(self.held_now), dict(self.nonces)))

    # The contract

    def _apply(self, tx: Pending) -> None:
        to = to_checksum_address(tx.to)
        if to == AVANTIS.usdc:
            self.allowance = APPROVE.decode(tx.data)[1]
        elif to == AVANTIS.trading:
            asked = _asked(tx.data)
            if self._refusal(asked):
                self.failed.add(tx.hash)
            else:
                self._register(asked, tx.hash)

    def _relayed(self) -> None:
        for asked, nonce, deadline_ms in self.handed:
            slot, bit = nonce_slot(nonce)
            used = self.nonces.get(slot, 0) >> bit & 1
            if used or self.now_ms() > deadline_ms or self._refusal(asked):
                continue
            self.nonces[slot] = self.nonces.get(slot, 0) | 1 << bit
            self._register(asked, f"0x{nonce:064x}")
        self.handed.clear()

    def _refusal(self, asked: Order) -> str:
        if isinstance(asked, Open):
            return "" if asked.collateral <= min(self.money, self.allowance) else "ERC20"
        stands = self.held_now.get((asked.pair_index, asked.trade_index))
        if stands is None:
            return "NO_TRADE"
        if isinstance(asked, Increase):
            return "" if asked.collateral <= min(self.money, self.allowance) else "ERC20"
        closing = [
            each for each in self.registered.values() if each.status == "pending" and isinstance(each.asked, Close)
        ]
        return "ALREADY_BEING_CLOSED" if closing or asked.collateral > stands.collateral else ""

    def _register(self, asked: Order, tx_hash: str) -> None:
        number = len(self.registered) + 1
        opens, leverage = not isinstance(asked, Close), 0 if isinstance(asked, Close) else asked.leverage
        if opens:
            self.money -= asked.collateral
            self.allowance -= asked.collateral
        self.registered[number] = Registered(asked, tx_hash, self.newest)
        is_long = (
            asked.is_long if isinstance(asked, Open) else self.held_now[asked.pair_index, asked.trade_index].is_long
        )
        terms = (asked.collateral, leverage, leverage, 0, False, asked.price)
        said = (TRADER, asked.pair_index, opens, number, self.time_s(self.newest), is_long, False, *terms)
        self._log(MARKET_ORDER_INITIATED, said, tx_hash)

    def _executed(self, number: int) -> None:
        order = self.registered[number]
        asked, paid, opened_s = order.asked, 0, self.time_s(self.newest)
        if isinstance(asked, Open):
            index = next(at for at in range(40) if (asked.pair_index, at) not in self.held_now)
            held = Held(asked.pair_index, index, asked.is_long, asked.collateral, asked.leverage, PRICE, opened_s)
        else:
            held = self.held_now[asked.pair_index, asked.trade_index]
            change = asked.collateral if isinstance(asked, Increase) else -asked.collateral
            held = replace(held, collateral=held.collateral + change, opened_at_s=opened_s)
        if isinstance(asked, Close):
            paid = asked.collateral
            self.money += paid
        self.held_now[held.slot] = held
        if not held.collateral:
            del self.held_now[held.slot]
        said = replace(held, collateral=asked.collateral) if isinstance(asked, Close) else held
        trade = (TRADER, *said.slot, said.collateral, 0, PRICE, said.is_long, said.leverage, 0, 0, opened_s)
        self._end(number, "executed")
        event = (number, trade, not isinstance(asked, Close), PRICE, 0, 0, paid, False, 0, False)
        self._log(MARKET_EXECUTED, event, KEEPER_TX)

    def _cancelled(self, number: int) -> None:
        asked = self.registered[number].asked
        self._end(number, "canceled")
        if isinstance(asked, Close):
            self._log(CLOSE_CANCELED, (number, TRADER, asked.pair_index, asked.trade_index), KEEPER_TX)
            return
        self.money += asked.collateral
        self.allowance += asked.collateral
        self._log(MARKET_OPEN_CANCELED, (number, TRADER, asked.pair_index, self.time_s(self.newest)), KEEPER_TX)

    def _end(self, number: int, status: str) -> None:
        self.registered[number] = replace(self.registered[number], status=status, ended=self.newest)

    def _log(self, event: Event, values: Sequence[object], tx_hash: str) -> None:
        marked = list(zip(event.types, values, event._indexed, strict=True))
        topics = (event.topic, *(encode([kind], [value]) for kind, value, indexed in marked if indexed))
        plain = [(kind, value) for kind, value, indexed in marked if not indexed]
        data = encode([kind for kind, _ in plain], [value for _, value in plain])
        block = self.newest
        self.logged.append(Log(AVANTIS.trading, topics, data, block, self._hash(block), tx_hash, len(self.logged)))

    # What the relay does

    def hand_over(self, signed: SignedIntent) -> None:
        intent: Any = signed.intent
        self.offered.append(intent.nonce)
        self.handed.append((intent.asked, intent.nonce, intent.deadline_ms))

    # What a node answers

    async def head(self) -> Head:
        return await self.deep(0)

    async def deep(self, depth: int) -> Head:
        return await self.block(max(0, self.newest - depth))

    async def block(self, number: int) -> Head:
        return Head(number, self._hash(number), self._hash(number - 1), self.time_s(number), self.base_fee)

    async def receipt(self, tx_hash: str) -> Receipt | None:
        for number, block in enumerate(self.blocks):
            if any(tx.hash == tx_hash for tx in block):
                logs = tuple(log for log in self.logged if log.tx_hash == tx_hash)
                return Receipt(tx_hash, number, self._hash(number), tx_hash not in self.failed, 21_000, 1, 0, logs)
        return None

    async def would_revert(self, call: Call, sender: str) -> str:
        del sender
        return "" if call.to == AVANTIS.usdc else self._refusal(_asked(call.data))

    async def call(self, call: Call, sender: str, block: int | None = None) -> bytes:
        held, nonces = self.past[self.newest if block is None else min(block, self.newest)]
        del sender
        match call.data[:4]:
            case NONCE_BITMAP.selector:
                return nonces.get(NONCE_BITMAP.decode(call.data)[1], 0).to_bytes(32, "big")
            case OPEN_TRADES_COUNT.selector:
                return len(held).to_bytes(32, "big")
            case _:
                trader, pair, at = OPEN_TRADES.decode(call.data)
                return stored(trader, held.get((pair, at)))

    async def call_at(self, call: Call, sender: str, block: int) -> bytes:
        return await self.call(call, sender, block)

    async def logs(self, address: str, topics: Sequence[Any], first: int, last: int) -> tuple[Log, ...]:
        def fits(log: Log) -> bool:
            return len(log.topics) >= len(topics) and all(
                said in (asked if isinstance(asked, list) else [asked])
                for said, asked in zip(log.topics, topics, strict=False)
            )

        return tuple(
            each for each in self.logged if each.address == address and first <= each.block <= last and fits(each)
        )

    # What the servers read

    def held(self, trader: str) -> list[Held]:
        own = trader.lower() == TRADER.lower()
        return [replace(each, rollover=0, funding=0, is_pnl=False) for each in self.held_now.values() if own]

    def orders(self) -> dict[int, Ordered]:
        return {number: _ordered(number, order) for number, order in self.registered.items()}

    def copied(self) -> "PaperChain":
        """Another chain with the same past."""
        return copy.deepcopy(self)


def _ordered(number: int, order: Registered) -> Ordered:
    asked = order.asked
    end: dict[str, JsonValue] = {"txHash": KEEPER_TX, "blockNumber": order.ended}
    is_long = isinstance(asked, Open) and asked.is_long
    opens = not isinstance(asked, Close)
    return Ordered(number, order.tx_hash, asked.pair_index, is_long, opens, order.status, end)


def _asked(data: bytes) -> Order:
    match data[:4]:
        case OPEN_TRADE.selector:
            trade, _, slippage = OPEN_TRADE.decode(data)
            return Open(TRADER, trade[1], trade[6], trade[4], trade[7], trade[5], slippage)
        case INCREASE_POSITION_SIZE.selector:
            (_, pair, index, price, added, leverage), slippage = INCREASE_POSITION_SIZE.decode(data)
            return Increase(TRADER, pair, index, added, leverage, price, slippage)
        case _:
            pair, index, amount, price = CLOSE_TRADE_MARKET.decode(data)
            return Close(TRADER, pair, index, amount, price, 0)
