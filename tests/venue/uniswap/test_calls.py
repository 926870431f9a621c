"""Calls are what another encoder made of the same swaps, and only they are read back."""

import pytest

from tests.venue.uniswap.support import DEADLINE, HOOK, KEY, TEN, TOKEN, WALLET, WETH_KEY, vectors
from venue.avantis import contracts as avantis
from venue.avantis.addresses import AVANTIS
from venue.chain.abi import AbiError, Function
from venue.uniswap import permit2, v3, v4
from venue.uniswap.addresses import UNISWAP, RouterVersion
from venue.uniswap.contracts import (
    EXACT_INPUT_SINGLE,
    EXECUTE,
    MULTICALL,
    PERMIT2_ALLOWANCE,
    PERMIT2_APPROVE,
    V3_QUOTE,
    V4_INPUT,
    V4_QUOTE,
    V4_SWAP,
)
from venue.uniswap.permit2 import Allowed, suffices
from venue.uniswap.v4 import PoolKey, V4Swap

V3_SWAP = v3.V3Swap(UNISWAP.usdc, UNISWAP.weth, 500, WALLET, TEN, 1)


def test_orders_of_the_venue() -> None:
    trade = (WALLET, 0, 0, 0, 100 * 10**6, 1912_5000000000, True, 10 * 10**10, 0, 0, 0)
    assert avantis.OPEN_TRADE.encode(trade, 0, 10**10) == vectors()["open_trade"]
    assert avantis.CLOSE_TRADE_MARKET.encode(0, 0, 100 * 10**6, 1912_5000000000) == vectors()["close_trade"]


def test_both_venues_know_the_same_usdc() -> None:
    assert AVANTIS.usdc == UNISWAP.usdc


@pytest.mark.parametrize(
    ("function", "selector"),
    [
        (EXACT_INPUT_SINGLE, "04e45aaf"),
        (MULTICALL, "5ae401dc"),
        (V3_QUOTE, "c6a5026a"),
        (V4_QUOTE, "aa9d21cb"),
        (EXECUTE, "3593564c"),
        (PERMIT2_APPROVE, "87517c45"),
        (PERMIT2_ALLOWANCE, "927da105"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_selectors(function: Function, selector: str) -> None:
    assert function.selector.hex() == selector


def test_a_v3_swap_is_wrapped_in_a_deadline() -> None:
    call = v3.swap(UNISWAP, V3_SWAP, DEADLINE)
    deadline, (inner,) = MULTICALL.decode(call.data)
    assert (call.to, call.value, deadline, inner) == (UNISWAP.v3_router, 0, DEADLINE, vectors()["v3_swap"])
    assert v3.read(MULTICALL.decode(call.data)) == V3_SWAP


def test_a_pool_is_named_by_its_key() -> None:
    assert KEY.pool_id == vectors()["pool_id"]
    assert KEY.zero_for_one(UNISWAP.usdc)
    assert not KEY.zero_for_one(TOKEN)
    with pytest.raises(ValueError, match="in order"):
        PoolKey(TOKEN, UNISWAP.usdc, 0x800000, 200, HOOK)
    with pytest.raises(ValueError, match="in this pool"):
        KEY.zero_for_one(UNISWAP.weth)


@pytest.mark.parametrize(
    ("version", "vector"), [(RouterVersion.V2_0, "v4_swap_2_0"), (RouterVersion.V2_1_1, "v4_swap_2_1_1")]
)
def test_a_v4_swap_is_written_as_its_router_reads_it(version: RouterVersion, vector: str) -> None:
    swap = V4Swap(KEY, UNISWAP.usdc, TEN, 1)
    call = v4.swap(UNISWAP, version, swap, DEADLINE)
    assert call.data == vectors()[vector]
    assert call.to == UNISWAP.universal[version]
    assert v4.read(version, EXECUTE.decode(call.data)) == swap
    (other,) = set(RouterVersion) - {version}
    with pytest.raises(AbiError):
        v4.read(other, EXECUTE.decode(call.data))


def test_quotes_have_their_own_order_of_fields() -> None:
    call = v3.quote(UNISWAP, UNISWAP.usdc, UNISWAP.weth, 500, TEN)
    assert V3_QUOTE.decode(call.data)[0][2:4] == (TEN, 500)
    assert v3.quoted(b"".join(value.to_bytes(32, "big") for value in (7, 1, 2, 3))) == 7
    call = v4.quote(UNISWAP, WETH_KEY, UNISWAP.weth, TEN)
    assert V4_QUOTE.decode(call.data)[0][1:] == (True, TEN, b"")
    assert v4.quoted(b"".join(value.to_bytes(32, "big") for value in (9, 1))) == 9
    with pytest.raises(AbiError):
        v4.quoted(b"")


def test_a_swap_that_is_not_one_plain_swap_is_not_read() -> None:
    commands, inputs, deadline = EXECUTE.decode(vectors()["v4_swap_2_0"])
    actions, params = V4_INPUT.decode(inputs[0])

    def reads(commands: bytes, inputs: list[bytes]) -> None:
        with pytest.raises(AbiError):
            v4.read(RouterVersion.V2_0, (commands, inputs, deadline))

    reads(V4_SWAP * 2, [*inputs, *inputs])
    reads(b"\x04", list(inputs))
    reads(commands, [V4_INPUT.encode(bytes([0x06, 0x0C, 0x0E]), params)])
    reads(commands, [V4_INPUT.encode(actions, [params[0], params[2], params[1]])])
    reads(commands, [V4_INPUT.encode(actions, [params[0], params[1], params[1]])])
    reads(commands, [inputs[0] + bytes(32)])
    limited = EXACT_INPUT_SINGLE.encode((UNISWAP.usdc, UNISWAP.weth, 500, WALLET, TEN, 1, 1))
    for calls in ([], [vectors()["v3_swap"]] * 2, [limited], [b"\x00" * 4]):
        with pytest.raises(AbiError):
            v3.read((DEADLINE, calls))


def test_amounts_that_do_not_fit_are_not_written() -> None:
    with pytest.raises(AbiError):
        v4.swap(UNISWAP, RouterVersion.V2_0, V4Swap(KEY, UNISWAP.usdc, 2**128, 1), DEADLINE)
    with pytest.raises(AbiError):
        permit2.approve_router(UNISWAP, RouterVersion.V2_0, UNISWAP.usdc, TEN, 2**48)


def test_permit2_must_outlive_the_deadline() -> None:
    assert suffices(Allowed(TEN, DEADLINE), TEN, DEADLINE)
    assert not suffices(Allowed(TEN - 1, DEADLINE), TEN, DEADLINE)
    assert not suffices(Allowed(TEN, DEADLINE - 1), TEN, DEADLINE)
