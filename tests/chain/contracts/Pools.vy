# pragma version ~=0.4.3
"""Every pool, of version 3 and of version 4: exchanges at a fixed rate and pays from what it has."""

interface Erc20:
    def transfer(receiver: address, amount: uint256) -> bool: nonpayable

struct Rate:
    bought: uint256
    paid: uint256

_rates: HashMap[bytes32, HashMap[bool, Rate]]


@external
@view
def out(pool: bytes32, zeroForOne: bool, amountIn: uint256) -> uint256:
    """What `amountIn` buys."""
    rate: Rate = self._rates[pool][zeroForOne]
    if rate.paid == 0:
        raw_revert(method_id("PoolNotInitialized()"))
    return amountIn * rate.bought // rate.paid


@external
def pay(token: address, receiver: address, amount: uint256):
    """Whoever asks: the routers of these tests ask after they were paid."""
    assert extcall Erc20(token).transfer(receiver, amount)


@external
def setRate(pool: bytes32, zeroForOne: bool, bought: uint256, paid: uint256):
    """Of tests only."""
    self._rates[pool][zeroForOne] = Rate(bought=bought, paid=paid)
