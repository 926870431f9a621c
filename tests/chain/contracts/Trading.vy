# pragma version ~=0.4.3
"""The router: a call registers an order and takes its USDC, and a keeper executes or cancels it in a later transaction.

USDC in 1e-6; prices, leverage and percents in 1e-10. What the keeper calls is of tests only, and anybody may call it.
"""

import TradingStorage
import orders

initializes: orders
exports: (orders.executionFee, orders.nonceBitmap, orders.orderCount)

struct UpdatePositionSize:
    trader: address
    pairIndex: uint256
    index: uint256
    openPrice: uint256
    initialPosToken: uint256
    leverage: uint256


# What traders call


@external
@payable
def openTrade(t: TradingStorage.Trade, _type: uint8, _slippageP: uint256) -> uint256:
    """The collateral of the request is in `positionSizeUSDC`."""
    orders._pays(orders.executionFee)
    assert t.trader == msg.sender, "WRONG_TRADER"
    return self._openTrade(t, _type, _slippageP)


@internal
def _openTrade(t: TradingStorage.Trade, _type: uint8, _slippageP: uint256) -> uint256:
    assert _type <= orders.MARKET_PNL, "WRONG_TYPE"
    isPnl: bool = _type == orders.MARKET_PNL
    if isPnl and t.pairIndex < orders.FIRST_PNL_PAIR:
        raw_revert(method_id("PnlOrderNotAllowed()"))
    orders._fits(t.positionSizeUSDC, t.leverage, t.pairIndex)
    if t.openPrice == 0:
        raw_revert(method_id("HighSlippage()"))
    standing: uint256 = staticcall TradingStorage.__interface__(orders.STORAGE).openTradesCount(t.trader, t.pairIndex)
    most: uint256 = staticcall TradingStorage.__interface__(orders.STORAGE).maxTradesPerPair()
    assert standing + orders._pending[t.trader][t.pairIndex] < most, "MAX_TRADES_PER_PAIR"
    extcall TradingStorage.__interface__(orders.STORAGE).pull(t.trader, t.positionSizeUSDC)
    orders._pending[t.trader][t.pairIndex] += 1
    trade: TradingStorage.Trade = t
    trade.initialPosToken = t.positionSizeUSDC
    trade.positionSizeUSDC = 0
    if _type == orders.MARKET or isPnl:
        return orders._register(orders.Order(kind=orders.OPEN, trade=trade, slippageP=_slippageP, isPnl=isPnl))
    orders._limits[t.trader][t.pairIndex][orders._limitCount[t.trader][t.pairIndex]] = trade.initialPosToken
    orders._limitCount[t.trader][t.pairIndex] += 1
    return 0


@external
@payable
def closeTradeMarket(_pairIndex: uint256, _index: uint256, _amount: uint256, _expectedPrice: uint256) -> uint256:
    """`_amount` is the collateral that leaves."""
    orders._pays(orders.executionFee)
    return self._closeTrade(msg.sender, _pairIndex, _index, _amount, _expectedPrice)


@internal
def _closeTrade(_trader: address, _pairIndex: uint256, _index: uint256, _amount: uint256, _price: uint256) -> uint256:
    trade: TradingStorage.Trade = orders._standing(_trader, _pairIndex, _index)
    assert not orders._closing[_trader][_pairIndex][_index], "ALREADY_BEING_CLOSED"
    assert 0 < _amount and _amount <= trade.initialPosToken, "WRONG_AMOUNT"
    if _price == 0:
        raw_revert(method_id("HighSlippage()"))
    orders._closing[_trader][_pairIndex][_index] = True
    trade.initialPosToken = _amount
    trade.openPrice = _price
    isPnl: bool = orders._isPnl[_trader][_pairIndex][_index]
    return orders._register(orders.Order(kind=orders.CLOSE, trade=trade, slippageP=orders.ONE, isPnl=isPnl))


@external
@payable
def increasePositionSize(u: UpdatePositionSize, _slippageP: uint256) -> uint256:
    orders._pays(orders.executionFee)
    assert u.trader == msg.sender, "WRONG_TRADER"
    trade: TradingStorage.Trade = orders._standing(msg.sender, u.pairIndex, u.index)
    orders._fits(u.initialPosToken, u.leverage, u.pairIndex)
    if u.openPrice == 0:
        raw_revert(method_id("HighSlippage()"))
    extcall TradingStorage.__interface__(orders.STORAGE).pull(msg.sender, u.initialPosToken)
    trade.initialPosToken = u.initialPosToken
    trade.openPrice = u.openPrice
    trade.leverage = u.leverage
    return orders._register(orders.Order(kind=orders.INCREASE, trade=trade, slippageP=_slippageP, isPnl=False))


@external
@payable
def updateMargin(
    _pairIndex: uint256,
    _index: uint256,
    _type: uint8,
    _amount: uint256,
    _priceUpdateData: DynArray[Bytes[4096], 4],
    _sourcing: uint8,
):
    """At once, because the price comes with it. The notional stays; the time of the trade does not."""
    orders._pays(1)
    assert _sourcing <= 1 and len(_priceUpdateData) > 0, "NO_PRICE"
    assert _type <= 1, "WRONG_TYPE"
    trade: TradingStorage.Trade = orders._standing(msg.sender, _pairIndex, _index)
    notional: uint256 = trade.initialPosToken * trade.leverage
    if _type == 0:
        extcall TradingStorage.__interface__(orders.STORAGE).pull(msg.sender, _amount)
        trade.initialPosToken += _amount
    else:
        assert _amount < trade.initialPosToken, "WRONG_AMOUNT"
        trade.initialPosToken -= _amount
    trade.leverage = notional // trade.initialPosToken
    if trade.leverage < orders.ONE or trade.leverage > orders._most(_pairIndex):
        raw_revert(method_id("WrongLeverage()"))
    trade.timestamp = block.timestamp
    extcall TradingStorage.__interface__(orders.STORAGE).put(trade)
    if _type == 1:
        extcall TradingStorage.__interface__(orders.STORAGE).pay(msg.sender, _amount)


@external
def cancelOpenLimitOrder(_pairIndex: uint256, _index: uint256):
    held: uint256 = orders._limits[msg.sender][_pairIndex][_index]
    assert held > 0, "NO_LIMIT"
    orders._limits[msg.sender][_pairIndex][_index] = 0
    orders._pending[msg.sender][_pairIndex] -= 1
    extcall TradingStorage.__interface__(orders.STORAGE).pay(msg.sender, held)


# What the keeper calls


@external
def execute(orderId: uint256, price: uint256):
    """At `price`, or not at all when that is worse than the trader allowed."""
    order: orders.Order = orders._taken(orderId)
    if orders._worse(order, price):
        orders._cancel(orderId, order)
    elif order.kind == orders.OPEN:
        orders._open(orderId, order, price)
    elif order.kind == orders.CLOSE:
        orders._close(orderId, order, price)
    else:
        orders._increase(orderId, order, price)


@external
def cancel(orderId: uint256):
    orders._cancel(orderId, orders._taken(orderId))


@external
def liquidate(trader: address, pair: uint256, index: uint256, price: uint256):
    """Only of a trade that lost 85 % of its collateral; nothing of it comes back."""
    trade: TradingStorage.Trade = orders._standing(trader, pair, index)
    pnl: int256 = orders._pnl(trade, trade.initialPosToken, price)
    assert -pnl * 100 >= convert(trade.initialPosToken, int256) * orders.LIQUIDATION_P, "NOT_LIQUIDATABLE"
    extcall TradingStorage.__interface__(orders.STORAGE).drop(trader, pair, index)
    notional: uint256 = trade.initialPosToken * trade.leverage // orders.ONE
    lost: int256 = -convert(orders.PERCENT, int256)
    log orders.LimitExecuted(
        orderId=0, limitIndex=0, t=trade, orderType=2, price=price, positionSizeUSDC=notional, percentProfit=lost,
        usdcSentToTrader=0,
    )


@external
def setExecutionFee(fee: uint256):
    orders.executionFee = fee


# What the relay calls for signed intents; who may sign them is not looked at here


@external
def openIntent(t: TradingStorage.Trade, _slippageP: uint256, _deadline: uint256, _nonce: uint256) -> uint256:
    self._takes(t.trader, _deadline, _nonce)
    return self._openTrade(t, orders.MARKET, _slippageP)


@external
def closeIntent(
    _trader: address,
    _pairIndex: uint256,
    _index: uint256,
    _openTimestamp: uint256,
    _amount: uint256,
    _wantedPrice: uint256,
    _deadline: uint256,
    _nonce: uint256,
) -> uint256:
    self._takes(_trader, _deadline, _nonce)
    if orders._standing(_trader, _pairIndex, _index).timestamp != _openTimestamp:
        raw_revert(method_id("PositionMismatch()"))
    return self._closeTrade(_trader, _pairIndex, _index, _amount, _wantedPrice)


@internal
def _takes(trader: address, deadline: uint256, nonce: uint256):
    if block.timestamp * 1000 > deadline:
        raw_revert(method_id("InvalidDeadline()"))
    self._use(trader, nonce)


@external
def useNonce(trader: address, nonce: uint256):
    """As a signed intent does."""
    self._use(trader, nonce)


@internal
def _use(trader: address, nonce: uint256):
    bit: uint256 = 1 << (nonce % 256)
    if orders.nonceBitmap[trader][nonce // 256] & bit != 0:
        raw_revert(method_id("InvalidNonce()"))
    orders.nonceBitmap[trader][nonce // 256] |= bit
