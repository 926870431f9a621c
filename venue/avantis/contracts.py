"""Functions and events of the venue's contracts, version 2."""

from typing import Final

from venue.chain.abi import Event, Function

TRADE: Final = "(address,uint256,uint256,uint256,uint256,uint256,bool,uint256,uint256,uint256,uint256)"
"""trader, pairIndex, index, initialPosToken, positionSizeUSDC, openPrice, buy, leverage, tp, sl, timestamp."""

OPEN_TRADE: Final = Function(f"openTrade({TRADE},uint8,uint256)", ("uint256",))
CLOSE_TRADE_MARKET: Final = Function("closeTradeMarket(uint256,uint256,uint256,uint256)", ("uint256",))
"""pairIndex, index, collateral to close, expected price."""
INCREASE_POSITION_SIZE: Final = Function(
    "increasePositionSize((address,uint256,uint256,uint256,uint256,uint256),uint256)", ("uint256",)
)
"""trader, pairIndex, index, openPrice, added collateral, leverage of the added part; slippage."""
UPDATE_MARGIN: Final = Function("updateMargin(uint256,uint256,uint8,uint256,bytes[],uint8)")
"""pairIndex, index, 0 deposit or 1 withdraw, USDC, price bytes, 0 core or 1 pro."""
CANCEL_OPEN_LIMIT_ORDER: Final = Function("cancelOpenLimitOrder(uint256,uint256)")
NONCE_BITMAP: Final = Function("nonceBitmap(address,uint256)", ("uint256",))
"""Used nonces of signed intents: bit `nonce % 256` of word `nonce // 256`."""

MARKET_ORDER_INITIATED: Final = Event(
    "MarketOrderInitiated(address indexed,uint256,bool,uint256,uint256,bool,bool,"
    "uint256,uint256,uint256,uint256,bool,uint256)"
)
"""trader, pairIndex, open, orderId, timestamp, isBuy, isPnl, collateral, min and max leverage, coins, fixed, price."""
MARKET_EXECUTED: Final = Event(f"MarketExecuted(uint256,{TRADE},bool,uint256,uint256,int256,uint256,bool,uint256,bool)")
"""orderId, trade, open, price, size, percentProfit, USDC sent to the trader, isPnl, coins, fixed."""
MARKET_OPEN_CANCELED: Final = Event("MarketOpenCanceled(uint256,address indexed,uint256,uint256)")
"""orderId, trader, pairIndex; as version 1 had it, version 2 is not known."""

OPEN_TRADES: Final = Function(
    "openTrades(address,uint256,uint256)",
    (
        "address",
        "uint256",
        "uint256",
        "uint256",
        "uint256",
        "uint256",
        "bool",
        "uint256",
        "uint256",
        "uint256",
        "uint256",
    ),
)
"""Of storage; the collateral is initialPosToken, positionSizeUSDC holds a block timestamp."""
OPEN_TRADES_COUNT: Final = Function("openTradesCount(address,uint256)", ("uint256",))
