"""Which pools a token is bought in, in which steps, and what is refused before anything is sent."""

from dataclasses import dataclass

import pytest
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from tests.venue.uniswap.support import DEADLINE, HOOK, KEY, STRANGER, TEN, TOKEN, WALLET, WETH_KEY
from venue.chain.abi import AbiError
from venue.chain.erc20 import APPROVE, TRANSFER, TRANSFERRED
from venue.uniswap.addresses import DEAD, UNISWAP, RouterVersion
from venue.uniswap.contracts import PERMIT2_APPROVE
from venue.uniswap.permit2 import Allowed
from venue.uniswap.plan import Planner, Standing, StepName, Terms
from venue.uniswap.receipts import bought
from venue.uniswap.route import Limits, RouteCode, RouteRefused, V3Hop, V4Hop, check, drain, least, route
from venue.uniswap.v4 import PoolKey

LIMITS = Limits()
OLD = 10**6
OTHER = to_checksum_address(f"0x{'aa' * 20}")
PLANNER = Planner(UNISWAP, RouterVersion.V2_0, LIMITS, WALLET)
TERMS = Terms(TEN, 1000, 990, DEADLINE)


@dataclass(frozen=True)
class Logged:
    """One log."""

    address: ChecksumAddress
    topics: tuple[bytes, ...]
    data: bytes


def moved(token: ChecksumAddress, sender: ChecksumAddress, receiver: ChecksumAddress, amount: int) -> Logged:
    topics = (TRANSFERRED.topic, *(bytes(12) + bytes.fromhex(each[2:]) for each in (sender, receiver)))
    return Logged(token, topics, amount.to_bytes(32, "big"))


def test_the_pool_says_the_way() -> None:
    assert route(UNISWAP, LIMITS, TOKEN, KEY, OLD) == (V4Hop(KEY, UNISWAP.usdc),)
    assert route(UNISWAP, LIMITS, TOKEN, WETH_KEY, OLD) == (
        V3Hop(UNISWAP.usdc, UNISWAP.weth, 500),
        V4Hop(WETH_KEY, UNISWAP.weth),
    )
    assert drain(UNISWAP, LIMITS, TOKEN, WETH_KEY, OLD) == V4Hop(WETH_KEY, UNISWAP.weth)
    assert V4Hop(WETH_KEY, UNISWAP.weth).token_out == TOKEN


@pytest.mark.parametrize(
    ("key", "token", "age", "code"),
    [
        (PoolKey(TOKEN, OTHER, 0x800000, 200, HOOK), TOKEN, OLD, RouteCode.UNKNOWN_PAIR),
        (KEY, OTHER, OLD, RouteCode.OTHER_POOL),
        (KEY, TOKEN, LIMITS.least_age_s - 1, RouteCode.TOO_NEW),
        (KEY, TOKEN, None, RouteCode.TOO_NEW),
    ],
)
def test_no_way_is_guessed(key: PoolKey, token: ChecksumAddress, age: int | None, code: RouteCode) -> None:
    with pytest.raises(RouteRefused) as refused:
        route(UNISWAP, LIMITS, token, key, age)
    assert refused.value.code is code


def test_weth_only_goes_straight_to_the_token() -> None:
    with pytest.raises(RouteRefused) as refused:
        drain(UNISWAP, LIMITS, TOKEN, KEY, OLD)
    assert refused.value.code is RouteCode.UNKNOWN_PAIR


@pytest.mark.parametrize(
    ("amount", "quote", "least", "code"),
    [
        (0, 1000, 990, RouteCode.ZERO_AMOUNT),
        (TEN, 1000, 0, RouteCode.ZERO_MINIMUM),
        (TEN, 0, 0, RouteCode.ZERO_MINIMUM),
        (TEN, 1000, 940, RouteCode.SLIPPAGE_TOO_HIGH),
        (TEN, 10**24, 1, RouteCode.SLIPPAGE_TOO_HIGH),
    ],
)
def test_nothing_is_swapped_for_anything(amount: int, quote: int, least: int, code: RouteCode) -> None:
    with pytest.raises(RouteRefused) as refused:
        PLANNER.plan(V4Hop(KEY, UNISWAP.usdc), Terms(amount, quote, least, DEADLINE), Standing(0))
    assert refused.value.code is code


@pytest.mark.parametrize("quote", [1_000, 999, 21, 10**24 + 7])
def test_the_widest_slippage_is_allowed_however_it_is_rounded(quote: int) -> None:
    check(LIMITS, 1, quote, least(quote, LIMITS.most_slippage_ppm))


def test_a_v4_hop_needs_both_allowances_of_exactly_the_amount() -> None:
    plan = PLANNER.plan(V4Hop(KEY, UNISWAP.usdc), TERMS, Standing(TEN - 1))
    assert [step.name for step in plan.steps] == [StepName.APPROVE, StepName.APPROVE_ROUTER, StepName.SWAP]
    first, second, swap = plan.steps
    assert (first.call.to, APPROVE.decode(first.call.data)) == (UNISWAP.usdc, (UNISWAP.permit2.lower(), TEN))
    token, spender, amount, expires = PERMIT2_APPROVE.decode(second.call.data)
    assert (token, spender) == (UNISWAP.usdc.lower(), UNISWAP.universal[RouterVersion.V2_0].lower())
    assert amount == TEN
    assert DEADLINE < expires < DEADLINE + 3600
    assert (first.buys, second.buys, swap.buys) == (None, None, TOKEN)


def test_what_is_allowed_already_is_not_asked_again() -> None:
    standing = Standing(TEN, Allowed(TEN, DEADLINE))
    assert [step.name for step in PLANNER.plan(V4Hop(KEY, UNISWAP.usdc), TERMS, standing).steps] == [StepName.SWAP]
    expired = Standing(TEN, Allowed(TEN, DEADLINE - 1))
    names = [step.name for step in PLANNER.plan(V4Hop(KEY, UNISWAP.usdc), TERMS, expired).steps]
    assert names == [StepName.APPROVE_ROUTER, StepName.SWAP]


def test_a_v3_hop_allows_its_router() -> None:
    hop = V3Hop(UNISWAP.usdc, UNISWAP.weth, 500)
    approve, swap = PLANNER.plan(hop, TERMS, Standing(0)).steps
    assert APPROVE.decode(approve.call.data) == (UNISWAP.v3_router.lower(), TEN)
    assert swap.buys == UNISWAP.weth
    assert len(PLANNER.plan(hop, TERMS, Standing(TEN)).steps) == 1


def test_burning_is_a_transfer_and_never_of_money() -> None:
    step = PLANNER.burn(TOKEN, 5)
    assert (step.call.to, TRANSFER.decode(step.call.data)) == (TOKEN, (DEAD.lower(), 5))
    for token, amount in ((UNISWAP.usdc, 5), (UNISWAP.weth, 5), (TOKEN, 0)):
        with pytest.raises(RouteRefused):
            PLANNER.burn(token, amount)


def test_what_was_bought_is_what_the_wallet_has_more() -> None:
    logs = [
        moved(UNISWAP.usdc, WALLET, UNISWAP.pool_manager, TEN),
        moved(TOKEN, UNISWAP.pool_manager, WALLET, 700),
        moved(TOKEN, UNISWAP.pool_manager, STRANGER, 900),
        moved(TOKEN, WALLET, STRANGER, 50),
        moved(TOKEN, WALLET, WALLET, 9),
        moved(OTHER, UNISWAP.pool_manager, WALLET, 10**9),
    ]
    assert bought(logs, TOKEN, WALLET) == 650
    assert bought(logs, UNISWAP.usdc, WALLET) == -TEN
    assert bought([], TOKEN, WALLET) == 0
    with pytest.raises(AbiError):
        bought([Logged(TOKEN, (TRANSFERRED.topic,), b"")], TOKEN, WALLET)
