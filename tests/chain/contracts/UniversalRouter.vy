# pragma version ~=0.4.3
"""Uniswap's universal router 2.0, as far as one exact swap in a pool of version 4 needs it.

Version 2.1.1 is made of this text by `compiled.py`: it has one more field.
"""

interface Pools:
    def out(pool: bytes32, zeroForOne: bool, amountIn: uint256) -> uint256: view
    def pay(token: address, receiver: address, amount: uint256): nonpayable

interface Permit2:
    def transferFrom(sender: address, receiver: address, amount: uint160, token: address): nonpayable

struct PoolKey:
    currency0: address
    currency1: address
    fee: uint24
    tickSpacing: int24
    hooks: address

struct ExactInputSingleParams:
    poolKey: PoolKey
    zeroForOne: bool
    amountIn: uint128
    amountOutMinimum: uint128
    hookData: Bytes[256]

POOLS: constant(address) = 0x498581fF718922c3f8e6A244956aF099B2652b2b
PERMIT2: constant(address) = 0x000000000022D473030F116dDEE9F6B43aC78BA3
V4_SWAP: constant(Bytes[1]) = x"10"
SWAP_EXACT_IN_SINGLE_SETTLE_ALL_TAKE_ALL: constant(Bytes[3]) = x"060c0f"


@external
@payable
def execute(commands: Bytes[16], inputs: DynArray[Bytes[8192], 4], deadline: uint256):
    if block.timestamp > deadline:
        raw_revert(method_id("TransactionDeadlinePassed()"))
    if len(commands) != len(inputs):
        raw_revert(method_id("LengthMismatch()"))
    assert commands == V4_SWAP, "only V4_SWAP here"
    actions: Bytes[16] = b""
    params: DynArray[Bytes[1024], 4] = []
    actions, params = abi_decode(inputs[0], (Bytes[16], DynArray[Bytes[1024], 4]))
    assert actions == SWAP_EXACT_IN_SINGLE_SETTLE_ALL_TAKE_ALL, "only these actions here"
    self._swap(abi_decode(params[0], ExactInputSingleParams), params[1], params[2])


@internal
def _swap(swap: ExactInputSingleParams, settle: Bytes[1024], take: Bytes[1024]):
    paid: uint256 = convert(swap.amountIn, uint256)
    amount: uint256 = staticcall Pools(POOLS).out(keccak256(abi_encode(swap.poolKey)), swap.zeroForOne, paid)
    self._enough(amount, convert(swap.amountOutMinimum, uint256))
    self._settle(swap.poolKey.currency0 if swap.zeroForOne else swap.poolKey.currency1, paid, settle)
    self._take(swap.poolKey.currency1 if swap.zeroForOne else swap.poolKey.currency0, amount, take)


@internal
def _settle(owed: address, paid: uint256, settle: Bytes[1024]):
    currency: address = empty(address)
    most: uint256 = 0
    currency, most = abi_decode(settle, (address, uint256))
    if currency != owed:
        raw_revert(method_id("CurrencyNotSettled()"))
    if paid > most:
        raw_revert(abi_encode(most, paid, method_id=method_id("V4TooMuchRequested(uint256,uint256)")))
    extcall Permit2(PERMIT2).transferFrom(msg.sender, POOLS, convert(paid, uint160), currency)


@internal
def _take(due: address, amount: uint256, take: Bytes[1024]):
    currency: address = empty(address)
    least: uint256 = 0
    currency, least = abi_decode(take, (address, uint256))
    if currency != due:
        raw_revert(method_id("CurrencyNotSettled()"))
    self._enough(amount, least)
    extcall Pools(POOLS).pay(currency, msg.sender, amount)


@internal
def _enough(amount: uint256, least: uint256):
    if amount < least:
        raw_revert(abi_encode(least, amount, method_id=method_id("V4TooLittleReceived(uint256,uint256)")))
