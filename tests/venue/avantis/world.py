"""A made-up venue, and what its servers and its chain say of it. Amounts of positions are in chain units."""

from __future__ import annotations

from dataclasses import dataclass, field

from eth_utils.address import to_checksum_address
from pydantic import JsonValue

from venue.avantis.addresses import AVANTIS, BASE
from venue.avantis.contracts import OPEN_TRADES, OPEN_TRADES_COUNT
from venue.avantis.positions import ChainFault, Held
from venue.chain.call import Call

NOW_MS = 1_790_000_000_000
TRADER = to_checksum_address("0x00000000000000000000000000000000000a11ce")
NOBODY = "0x" + "0" * 40


@dataclass
class WorldPair:
    """Numbers as the catalogue writes them: whole USD, percents."""

    index: int
    base: str
    upside: bool = False
    listed: bool = True
    is_open: bool = True
    close_only: bool = False
    min_leverage: float = 1
    max_leverage: float = 40
    min_notional: float = 100
    pair_oi: float = 250_000.5
    pair_max_oi: float = 1_000_000
    max_wallet_oi: float = 600_000
    group: int = 0
    close_fee: float = 0.045
    extra: dict[str, JsonValue] = field(default_factory=dict)
    """Members that replace those of the answer."""

    def row(self) -> dict[str, JsonValue]:
        told: dict[str, JsonValue] = {
            "index": self.index,
            "from": self.base,
            "to": "USD",
            "groupIndex": self.group,
            "isPairListed": self.listed,
            "leverages": {
                "minLeverage": self.min_leverage,
                "maxLeverage": self.max_leverage,
                "pnlMinLeverage": 70,
                "pnlMaxLeverage": 450,
            },
            "pairMinLevPosUSDC": self.min_notional,
            "spreadP": 0.01,
            "openInterest": {"long": 150_000.25, "short": 100_000.25},
            "marginFee": {"long": 0.0002, "short": 0.0001},
            "fundingRate": {"long": 0.0003, "short": -0.00029},
            "additionalPairParams2": {
                "openMakerFeeP": 0.01,
                "closeMakerFeeP": 0.01,
                "openTakerFeeP": 0.045,
                "closeTakerFeeP": self.close_fee,
                "closeOnlyMode": self.close_only,
            },
            "pairOI": self.pair_oi,
            "pairMaxOI": self.pair_max_oi,
            "maxWalletOI": self.max_wallet_oi,
            "feed": {
                "feedId": "0x" + f"{(self.index + 161) % 256:02x}" * 32,
                "maxOpenDeviationP": 1,
                "attributes": {"symbol": f"Crypto.{self.base}/USD", "isOpen": self.is_open},
            },
            "lazerFeed": {"feedId": self.index + 900, "exponent": -8, "state": "stable"},
            "storagePairParams": {"isPnlTypeAllowed": int(self.upside)},
        }
        return told | self.extra


@dataclass
class WorldPrice:
    """What the feed says of one pair."""

    price: float | str = 2000.5
    published_ms: int = NOW_MS
    update: str = "0xabcd"

    def leg(self) -> dict[str, JsonValue]:
        return {"price": self.price, "publishTimestampMs": self.published_ms, "priceUpdateData": self.update}


@dataclass
class WorldOrder:
    """A market order, by the hash of the transaction that initiated it."""

    tx_hash: str
    order_id: int
    status: str = "pending"
    pair_index: int = 7
    trade_index: int = 0
    open: bool = True
    price: float = 2000.5
    paid: float = 0

    def data(self) -> dict[str, JsonValue]:
        initiated: dict[str, JsonValue] = {"txHash": self.tx_hash, "open": self.open, "blockNumber": 100}
        told: dict[str, JsonValue] = {"status": self.status, "orderId": str(self.order_id), "initiated": initiated}
        if self.status != "pending":
            told[self.status] = {
                "txHash": "0x" + "ee" * 32,
                "blockNumber": 103,
                "t_pairIndex": self.pair_index,
                "t_index": self.trade_index,
                "open": self.open,
                "price": self.price,
                "usdcSentToTrader": self.paid,
            }
        return told


@dataclass
class AvantisWorld:
    """Everything the servers know. A test changes it, or makes a server lie about it."""

    now_ms: int = NOW_MS
    pairs: list[WorldPair] = field(
        default_factory=lambda: [
            WorldPair(7, "ETH"),
            WorldPair(3, "BTC", max_leverage=60),
            WorldPair(41, "ETH_UPSIDE", upside=True, max_leverage=75),
        ]
    )
    positions: dict[str, list[Held]] = field(default_factory=dict)
    prices: dict[int, WorldPrice] = field(default_factory=lambda: {7: WorldPrice(), 3: WorldPrice(64_000)})
    orders: dict[str, WorldOrder] = field(default_factory=dict)
    trades: list[JsonValue] = field(default_factory=list)
    spread: str = "100000000"
    data_version: JsonValue = 3
    max_trades: int = 40
    group_max_oi: float = 2_000_000
    group_oi: float = 500_000
    meta: dict[str, JsonValue] = field(default_factory=dict)
    """Members that replace those of the answer."""

    def catalogue(self) -> dict[str, JsonValue]:
        group: JsonValue = {"name": "CRYPTO", "groupMaxOI": self.group_max_oi, "groupOI": self.group_oi}
        return {
            "dataVersion": self.data_version,
            "pairCount": len(self.pairs),
            "maxTradesPerPair": self.max_trades,
            "pairInfos": {str(pair.index): pair.row() for pair in self.pairs},
            "groupInfo": {"0": group},
        }

    def meta_data(self) -> dict[str, JsonValue]:
        told: dict[str, JsonValue] = {
            "chainId": BASE,
            "addresses": {
                "tradingRouter": AVANTIS.trading,
                "tradingStorage": AVANTIS.storage,
                "usdc": AVANTIS.usdc,
                "referral": NOBODY,
            },
            "eip712": {
                "trading": {
                    "name": "AvantisTrading",
                    "version": "1",
                    "chainId": BASE,
                    "verifyingContract": AVANTIS.trading,
                }
            },
            "enums": {"openOrderType": {"market": 0, "stop_limit": 1, "limit": 2, "market_pnl": 3}},
            "defaults": {"executionFeeWei": "350000000000000", "intentDeadlineMs": 120_000, "slippagePercent": 1},
        }
        return told | self.meta

    def held(self, trader: str) -> list[Held]:
        return self.positions.get(trader.lower(), [])

    def hold(self, *held: Held, trader: str = TRADER) -> None:
        self.positions.setdefault(trader.lower(), []).extend(held)

    def core_positions(self, trader: str) -> dict[str, JsonValue]:
        return {"positions": [core_row(held, trader) for held in self.held(trader)], "limitOrders": []}

    def builder_positions(self, trader: str) -> dict[str, JsonValue]:
        return {"trades": [builder_row(held, trader) for held in self.held(trader)], "orders": []}


def core_row(held: Held, trader: str = TRADER) -> dict[str, JsonValue]:
    return {
        "trader": trader.lower(),
        "pairIndex": held.pair_index,
        "index": held.trade_index,
        "buy": held.is_long,
        "collateral": str(held.collateral),
        "leverage": str(held.leverage),
        "openPrice": str(held.open_price),
        "tp": "0",
        "sl": "0",
        "liquidationPrice": str(held.liquidation_price or 0),
        "rolloverFee": str(held.rollover or 0),
        "unrealisedFundingFee": str(held.funding or 0),
        "lossProtection": "0",
        "openedAt": held.opened_at_s,
        "isPnl": bool(held.is_pnl),
        "isOneCT": False,
        "priceTriggers": [],
    }


def builder_row(held: Held, trader: str = TRADER) -> dict[str, JsonValue]:
    trade: dict[str, JsonValue] = {
        "trader": trader,
        "pairIndex": str(held.pair_index),
        "index": str(held.trade_index),
        "initialPosToken": str(held.collateral),
        "positionSizeUSDC": str(held.opened_at_s),
        "openPrice": str(held.open_price),
        "buy": held.is_long,
        "leverage": str(held.leverage),
        "tp": "0",
        "sl": "0",
        "timestamp": str(held.opened_at_s),
    }
    return {"trade": trade, "liquidationPrice": str(held.liquidation_price or 0)}


@dataclass
class WorldChain:
    """A node that knows the same positions."""

    world: AvantisWorld
    down: bool = False
    returned: bytes | None = None
    """Said instead of the truth."""
    calls: list[Call] = field(default_factory=list)

    async def call(self, call: Call) -> bytes:
        self.calls.append(call)
        if self.down:
            raise ChainFault("no node answers")
        if self.returned is not None:
            return self.returned
        assert call.to == AVANTIS.storage
        if call.data[:4] == OPEN_TRADES_COUNT.selector:
            trader, pair = OPEN_TRADES_COUNT.decode(call.data)
            count: int = sum(held.pair_index == pair for held in self.world.held(trader))
            return count.to_bytes(32, "big")
        trader, pair, at = OPEN_TRADES.decode(call.data)
        found = [held for held in self.world.held(trader) if held.slot == (pair, at)]
        return stored(trader, *found[:1])


def stored(trader: str, held: Held | None = None) -> bytes:
    """What storage returns for a slot."""
    if held is None:
        return bytes(32 * 11)
    slot = (held.pair_index, held.trade_index, held.collateral, held.opened_at_s, held.open_price)
    words = (int(trader, 16), *slot, int(held.is_long), held.leverage, 0, 0, held.opened_at_s)
    return b"".join(word.to_bytes(32, "big") for word in words)
