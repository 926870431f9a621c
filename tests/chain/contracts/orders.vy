# pragma version ~=0.4.3
"""Orders: how they are checked, kept, executed and cancelled. USDC in 1e-6; prices, leverage and percents in 1e-10.

The events of a liquidation and of a close that is cancelled are shaped as version 1 had them.
"""

import TradingStorage

struct Order:
    kind: uint256
    trade: TradingStorage.Trade
    slippageP: uint256
    isPnl: bool

event MarketOrderInitiated:
    trader: indexed(address)
    pairIndex: uint256
    open: bool
    orderId: uint256
    timestamp: uint256
    isBuy: bool
    isPnl: bool
    initialPosToken: uint256
    minLeverage: uint256
    maxLeverage: uint256
    coinExposure: uint256
    isCoinExposureFixed: bool
    wantedPrice: uint256

event MarketExecuted:
    orderId: uint256
    t: TradingStorage.Trade
    open: bool
    price: uint256
    positionSizeUSDC: uint256
    percentProfit: int256
    usdcSentToTrader: uint256
    isPnl: bool
    coinExposure: uint256
    isCoinExposureFixed: bool

event MarketOpenCanceled:
    orderId: uint256
    trader: indexed(address)
    pairIndex: uint256
    timestamp: uint256

event MarketCloseCanceled:
    orderId: uint256
    trader: indexed(address)
    pairIndex: uint256
    index: uint256

event LimitExecuted:
    orderId: uint256
    limitIndex: uint256
    t: TradingStorage.Trade
    orderType: uint8
    price: uint256
    positionSizeUSDC: uint256
    percentProfit: int256
    usdcSentToTrader: uint256

STORAGE: constant(address) = 0x8a311D7048c35985aa31C131B9A13e03a5f7422d
ONE: constant(uint256) = 10**10
PERCENT: constant(uint256) = 100 * ONE
MAX_LEVERAGE: constant(uint256) = 50 * ONE
MAX_PNL_LEVERAGE: constant(uint256) = 200 * ONE
FIRST_PNL_PAIR: constant(uint256) = 115
LEAST_NOTIONAL: constant(uint256) = 100 * 10**6
FEE_P: constant(uint256) = 45 * ONE // 1000
PNL_SHARE_P: constant(uint256) = 25
LIQUIDATION_P: constant(int256) = 85
MARKET: constant(uint8) = 0
MARKET_PNL: constant(uint8) = 3
OPEN: constant(uint256) = 1
CLOSE: constant(uint256) = 2
INCREASE: constant(uint256) = 3

executionFee: public(uint256)
nonceBitmap: public(HashMap[address, HashMap[uint256, uint256]])
orderCount: public(uint256)
_orders: HashMap[uint256, Order]
_limits: HashMap[address, HashMap[uint256, HashMap[uint256, uint256]]]
_limitCount: HashMap[address, HashMap[uint256, uint256]]
_pending: HashMap[address, HashMap[uint256, uint256]]
_closing: HashMap[address, HashMap[uint256, HashMap[uint256, bool]]]
_isPnl: HashMap[address, HashMap[uint256, HashMap[uint256, bool]]]


@internal
@payable
def _pays(due: uint256):
    assert msg.value == due, "WRONG_EXECUTION_FEE"


@internal
@view
def _most(pair: uint256) -> uint256:
    return MAX_PNL_LEVERAGE if pair >= FIRST_PNL_PAIR else MAX_LEVERAGE


@internal
@view
def _fits(collateral: uint256, leverage: uint256, pair: uint256):
    if leverage < ONE or leverage > self._most(pair):
        raw_revert(method_id("WrongLeverage()"))
    assert collateral * leverage // ONE >= LEAST_NOTIONAL, "BELOW_MIN_POS"


@internal
@view
def _standing(trader: address, pair: uint256, index: uint256) -> TradingStorage.Trade:
    trade: TradingStorage.Trade = staticcall TradingStorage.__interface__(STORAGE).openTrades(trader, pair, index)
    assert trade.leverage > 0, "NO_TRADE"
    return trade


@internal
def _register(order: Order) -> uint256:
    self.orderCount += 1
    self._orders[self.orderCount] = order
    trade: TradingStorage.Trade = order.trade
    log MarketOrderInitiated(
        trader=trade.trader, pairIndex=trade.pairIndex, open=order.kind != CLOSE, orderId=self.orderCount,
        timestamp=block.timestamp, isBuy=trade.buy, isPnl=order.isPnl, initialPosToken=trade.initialPosToken,
        minLeverage=trade.leverage, maxLeverage=trade.leverage, coinExposure=self._coins(trade, trade.openPrice),
        isCoinExposureFixed=False, wantedPrice=trade.openPrice,
    )
    return self.orderCount


@internal
def _taken(orderId: uint256) -> Order:
    order: Order = self._orders[orderId]
    assert order.kind != 0, "NO_ORDER"
    self._orders[orderId] = empty(Order)
    trade: TradingStorage.Trade = order.trade
    if order.kind == OPEN:
        self._pending[trade.trader][trade.pairIndex] -= 1
    elif order.kind == CLOSE:
        self._closing[trade.trader][trade.pairIndex][trade.index] = False
    return order


@internal
@view
def _worse(order: Order, price: uint256) -> bool:
    wanted: uint256 = order.trade.openPrice
    room: uint256 = wanted * order.slippageP // PERCENT
    if order.trade.buy == (order.kind != CLOSE):
        return price > wanted + room
    return price + room < wanted


@internal
def _cancel(orderId: uint256, order: Order):
    trade: TradingStorage.Trade = order.trade
    if order.kind == CLOSE:
        log MarketCloseCanceled(
            orderId=orderId, trader=trade.trader, pairIndex=trade.pairIndex, index=trade.index
        )
        return
    extcall TradingStorage.__interface__(STORAGE).pay(trade.trader, trade.initialPosToken)
    log MarketOpenCanceled(
        orderId=orderId, trader=trade.trader, pairIndex=trade.pairIndex, timestamp=block.timestamp
    )


@internal
@view
def _coins(trade: TradingStorage.Trade, price: uint256) -> uint256:
    """In 1e-10."""
    return trade.initialPosToken * trade.leverage * 10**4 // price


@internal
@view
def _pnl(trade: TradingStorage.Trade, collateral: uint256, price: uint256) -> int256:
    moved: int256 = convert(price, int256) - convert(trade.openPrice, int256)
    if not trade.buy:
        moved = -moved
    return moved * convert(collateral * trade.leverage // ONE, int256) // convert(trade.openPrice, int256)


@internal
def _open(orderId: uint256, order: Order, price: uint256):
    trade: TradingStorage.Trade = order.trade
    trade.index = staticcall TradingStorage.__interface__(STORAGE).firstEmptyIndex(trade.trader, trade.pairIndex)
    if not order.isPnl:
        trade.initialPosToken -= trade.initialPosToken * trade.leverage // ONE * FEE_P // PERCENT
    trade.openPrice = price
    trade.timestamp = block.timestamp
    self._isPnl[trade.trader][trade.pairIndex][trade.index] = order.isPnl
    extcall TradingStorage.__interface__(STORAGE).put(trade)
    self._executed(orderId, trade, True, price, 0, 0, order.isPnl)


@internal
def _increase(orderId: uint256, order: Order, price: uint256):
    """The new open price keeps the coins, the new leverage the notional."""
    added: TradingStorage.Trade = order.trade
    trade: TradingStorage.Trade = self._standing(added.trader, added.pairIndex, added.index)
    coins: uint256 = self._coins(trade, trade.openPrice) + self._coins(added, price)
    notional: uint256 = trade.initialPosToken * trade.leverage + added.initialPosToken * added.leverage
    fee: uint256 = added.initialPosToken * added.leverage // ONE * FEE_P // PERCENT
    trade.initialPosToken += added.initialPosToken - fee
    trade.leverage = notional // trade.initialPosToken
    trade.openPrice = notional * 10**4 // coins
    trade.timestamp = block.timestamp
    extcall TradingStorage.__interface__(STORAGE).put(trade)
    self._executed(orderId, trade, True, price, 0, 0, False)


@internal
def _close(orderId: uint256, order: Order, price: uint256):
    trade: TradingStorage.Trade = self._standing(order.trade.trader, order.trade.pairIndex, order.trade.index)
    part: uint256 = order.trade.initialPosToken
    pnl: int256 = self._pnl(trade, part, price)
    net: int256 = pnl
    if not order.isPnl:
        net -= convert(part * trade.leverage // ONE * FEE_P // PERCENT, int256)
    elif pnl > 0:
        net -= pnl * convert(PNL_SHARE_P, int256) // 100
    paid: uint256 = convert(max(convert(part, int256) + net, 0), uint256)
    closed: TradingStorage.Trade = trade
    closed.initialPosToken = part
    if part == trade.initialPosToken:
        extcall TradingStorage.__interface__(STORAGE).drop(trade.trader, trade.pairIndex, trade.index)
    else:
        trade.initialPosToken -= part
        trade.timestamp = block.timestamp
        extcall TradingStorage.__interface__(STORAGE).put(trade)
    extcall TradingStorage.__interface__(STORAGE).pay(trade.trader, paid)
    percent: int256 = pnl * convert(PERCENT, int256) // convert(part, int256)
    self._executed(orderId, closed, False, price, percent, paid, order.isPnl)


@internal
def _executed(
    orderId: uint256, trade: TradingStorage.Trade, open: bool, price: uint256, percent: int256, paid: uint256, pnl: bool
):
    log MarketExecuted(
        orderId=orderId, t=trade, open=open, price=price,
        positionSizeUSDC=trade.initialPosToken * trade.leverage // ONE, percentProfit=percent, usdcSentToTrader=paid,
        isPnl=pnl, coinExposure=self._coins(trade, price), isCoinExposureFixed=False,
    )
