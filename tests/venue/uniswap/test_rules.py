"""The allow-list lets our plans through and nothing that moves money elsewhere."""

from dataclasses import replace

import pytest

from tests.venue.uniswap.support import DEADLINE, HOOK, KEY, STRANGER, TEN, TOKEN, WALLET, WETH_KEY
from venue.chain.call import Call
from venue.chain.erc20 import APPROVE, TRANSFER
from venue.chain.guard import Guard, GuardCode, Refused
from venue.uniswap import permit2, v3, v4
from venue.uniswap.addresses import DEAD, UNISWAP, RouterVersion
from venue.uniswap.contracts import PERMIT2_APPROVE
from venue.uniswap.plan import Planner, Standing, Terms
from venue.uniswap.route import Limits, V3Hop, V4Hop
from venue.uniswap.rules import Caps, rules
from venue.uniswap.v4 import PoolKey

OLD, NEW = RouterVersion.V2_0, RouterVersion.V2_1_1
V3 = v3.V3Swap(UNISWAP.usdc, UNISWAP.weth, 500, WALLET, TEN, 1)
V4 = v4.V4Swap(KEY, UNISWAP.usdc, TEN, 1)
MONEY_KEY = PoolKey(UNISWAP.weth, UNISWAP.usdc, 500, 10, HOOK)


async def survives(_: Call) -> str:
    return ""


def guard(version: RouterVersion = OLD) -> Guard:
    return Guard(rules(WALLET, [TOKEN], version), survives)


@pytest.mark.parametrize("version", RouterVersion)
def test_every_step_of_every_plan_is_allowed(version: RouterVersion) -> None:
    planner = Planner(UNISWAP, version, Limits(), WALLET)
    steps = [planner.burn(TOKEN, 5)]
    for hop in (V3Hop(UNISWAP.usdc, UNISWAP.weth, 500), V4Hop(KEY, UNISWAP.usdc), V4Hop(WETH_KEY, UNISWAP.weth)):
        steps += planner.plan(hop, Terms(TEN, 1000, 990, DEADLINE), Standing(0)).steps
    for step in steps:
        guard(version).allow(step.call)


def refused(call: Call) -> GuardCode:
    with pytest.raises(Refused) as error:
        guard().allow(call)
    return error.value.code


@pytest.mark.parametrize(
    "call",
    [
        v3.swap(UNISWAP, replace(V3, recipient=STRANGER), DEADLINE),
        v3.swap(UNISWAP, replace(V3, least_out=0), DEADLINE),
        v3.swap(UNISWAP, replace(V3, amount_in=0), DEADLINE),
        v3.swap(UNISWAP, replace(V3, amount_in=Caps().usdc + 1), DEADLINE),
        v3.swap(UNISWAP, replace(V3, token_out=TOKEN), DEADLINE),
        v4.swap(UNISWAP, OLD, replace(V4, least_out=0), DEADLINE),
        v4.swap(UNISWAP, OLD, replace(V4, amount_in=0), DEADLINE),
        v4.swap(UNISWAP, OLD, replace(V4, amount_in=Caps().usdc + 1), DEADLINE),
        v4.swap(UNISWAP, OLD, replace(V4, token_in=TOKEN), DEADLINE),
        v4.swap(UNISWAP, OLD, replace(V4, key=MONEY_KEY), DEADLINE),
        replace(v4.swap(UNISWAP, NEW, V4, DEADLINE), to=UNISWAP.universal[OLD]),
        permit2.approve(UNISWAP.usdc, STRANGER, TEN),
        permit2.approve(UNISWAP.usdc, UNISWAP.permit2, 2**256 - 1),
        permit2.approve(UNISWAP.weth, UNISWAP.universal[OLD], TEN),
        permit2.approve_router(UNISWAP, OLD, UNISWAP.usdc, 2**160 - 1, DEADLINE),
        permit2.approve_router(UNISWAP, OLD, UNISWAP.usdc, TEN, 2**48 - 1),
        permit2.approve_router(UNISWAP, NEW, UNISWAP.usdc, TEN, DEADLINE),
        permit2.approve_router(UNISWAP, OLD, TOKEN, TEN, DEADLINE),
        Call(UNISWAP.permit2, PERMIT2_APPROVE.encode(UNISWAP.usdc, STRANGER, TEN, DEADLINE)),
        Call(TOKEN, TRANSFER.encode(STRANGER, TEN)),
        Call(TOKEN, TRANSFER.encode(DEAD, 0)),
    ],
)
def test_arguments_that_are_forbidden(call: Call) -> None:
    assert refused(call) is GuardCode.FORBIDDEN_ARGUMENT


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (Call(UNISWAP.usdc, TRANSFER.encode(DEAD, TEN)), GuardCode.NOT_ALLOWED),
        (Call(TOKEN, APPROVE.encode(UNISWAP.permit2, TEN)), GuardCode.NOT_ALLOWED),
        (v4.swap(UNISWAP, NEW, V4, DEADLINE), GuardCode.NOT_ALLOWED),
        (replace(v4.swap(UNISWAP, OLD, V4, DEADLINE), value=1), GuardCode.VALUE_TOO_HIGH),
    ],
)
def test_calls_that_are_not_on_the_list(call: Call, code: GuardCode) -> None:
    assert refused(call) is code


def test_an_allowance_can_be_taken_back() -> None:
    guard().allow(permit2.approve(UNISWAP.usdc, UNISWAP.permit2, 0))


def test_money_is_not_bought_back() -> None:
    with pytest.raises(ValueError, match="not bought back"):
        rules(WALLET, [UNISWAP.weth], OLD)
