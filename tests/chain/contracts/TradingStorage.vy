# pragma version ~=0.4.3
"""Holds positions and USDC; only the router writes. USDC in 1e-6, prices and leverage in 1e-10."""

interface Erc20:
    def transfer(receiver: address, amount: uint256) -> bool: nonpayable
    def transferFrom(sender: address, receiver: address, amount: uint256) -> bool: nonpayable

struct Trade:
    trader: address
    pairIndex: uint256
    index: uint256
    initialPosToken: uint256
    positionSizeUSDC: uint256
    openPrice: uint256
    buy: bool
    leverage: uint256
    tp: uint256
    sl: uint256
    timestamp: uint256

USDC: constant(address) = 0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913
TRADING: constant(address) = 0x44914408af82bC9983bbb330e3578E1105e11d4e
MOST: constant(uint256) = 40

openTrades: public(HashMap[address, HashMap[uint256, HashMap[uint256, Trade]]])
openTradesCount: public(HashMap[address, HashMap[uint256, uint256]])
maxTradesPerPair: public(constant(uint256)) = MOST


@external
def pull(trader: address, amount: uint256):
    """USDC of a trader, by what the trader allowed this contract."""
    assert msg.sender == TRADING
    assert extcall Erc20(USDC).transferFrom(trader, self, amount)


@external
def pay(trader: address, amount: uint256):
    assert msg.sender == TRADING
    assert extcall Erc20(USDC).transfer(trader, amount)


@external
@view
def firstEmptyIndex(trader: address, pair: uint256) -> uint256:
    for index: uint256 in range(MOST):
        if self.openTrades[trader][pair][index].leverage == 0:
            return index
    raise "MAX_TRADES_PER_PAIR"


@external
def put(trade: Trade):
    """A trade as it is from now on. Where its size was is the time of the block, as on the real one."""
    assert msg.sender == TRADING
    if self.openTrades[trade.trader][trade.pairIndex][trade.index].leverage == 0:
        self.openTradesCount[trade.trader][trade.pairIndex] += 1
    stored: Trade = trade
    stored.positionSizeUSDC = block.timestamp
    self.openTrades[trade.trader][trade.pairIndex][trade.index] = stored


@external
def drop(trader: address, pair: uint256, index: uint256):
    """Its slot may be used again."""
    assert msg.sender == TRADING
    self.openTrades[trader][pair][index] = empty(Trade)
    self.openTradesCount[trader][pair] -= 1
