"""The exposure caps at their exact edge, and with thirty desks asking at once."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from engine.desks import commands
from engine.desks.commands import Caps
from engine.desks.state import House
from tests.engine.driven import DAY_MS, USDC, Driven
from tests.engine.house import enrolled, listed, settled
from tests.engine.trading import ScriptedAgent, manager, moved, positions
from venue.exchange.fixed import WAD
from venue.perp import WHOLE, Ended

A, B = (f"0x{number:040x}" for number in (1, 2))
CAP = 30 * USDC


def opened(*amounts: int, pending: int = 100 * USDC) -> Driven:
    """Desks with positions of these amounts."""
    it = Driven(A, B, pending=pending)
    for address, amount in zip((A, B), amounts, strict=False):
        it.do(it.intend(amount, address))
        it.fill(address)
    return it


@pytest.mark.parametrize(
    ("caps", "asker", "code"),
    [
        (Caps(desk=CAP), A, "CAP_DESK"),
        (Caps(market=CAP), A, "CAP_MARKET"),
        (Caps(market=CAP), B, "CAP_MARKET"),
        (Caps(wallet=CAP), B, "CAP_WALLET"),
        (Caps(day=CAP), B, "CAP_DAY"),
    ],
)
def test_a_cap_takes_the_last_micro_dollar_and_not_one_more(caps: Caps, asker: str, code: str) -> None:
    it = opened(20 * USDC)
    assert it.refused(it.intend(10 * USDC + 1, asker, caps=caps)) == code
    it.do(it.intend(10 * USDC, asker, caps=caps))
    other = B if asker == A else A
    if code != "CAP_DESK":
        assert it.refused(it.intend(1, other, caps=caps)) == code


def test_a_cap_of_one_market_or_desk_says_nothing_of_another() -> None:
    it = opened(30 * USDC)
    elsewhere = replace(it.intend(30 * USDC, B, caps=Caps(desk=CAP, market=CAP)), market="BTC")
    it.do(elsewhere)


def test_an_order_in_flight_counts_and_a_declined_one_gives_everything_back() -> None:
    it = Driven(A, B, pending=100 * USDC)
    every = Caps(market=CAP, wallet=CAP, day=CAP)
    it.do(it.intend(30 * USDC, A, caps=every))
    assert it.refused(it.intend(1, B, caps=every)) == "CAP_MARKET"
    assert it.refused(it.intend(1, B, caps=Caps(day=CAP))) == "CAP_DAY"
    it.decline(A)
    assert it.house.day_spent == 0
    it.do(it.intend(30 * USDC, B, caps=every))


def test_what_leaves_a_position_frees_its_share_of_the_caps_but_not_of_the_day() -> None:
    it = opened(30 * USDC)
    it.do(commands.IntendReduce(A, "r", WHOLE // 3, None, "guard"))
    it.fill(A, payout=15 * USDC)
    cost = 30 * USDC * (WHOLE // 3) // WHOLE
    assert it.house.at_risk["ETH"] == 30 * USDC - cost
    assert it.refused(it.intend(cost + 1, B, caps=Caps(wallet=CAP))) == "CAP_WALLET"
    assert it.refused(it.intend(1, B, caps=Caps(day=CAP))) == "CAP_DAY"
    it.do(it.intend(cost, B, caps=Caps(wallet=CAP)))


@pytest.mark.parametrize("liquidated", [True, False])
def test_a_position_that_is_over_is_no_risk_any_more(liquidated: bool) -> None:
    it = opened(30 * USDC)
    ref = it.desk(A).ref
    assert ref is not None
    if liquidated:
        it.do(commands.RecordEnd(A, Ended(ref, 0)))
    else:
        it.do(commands.IntendClose(A, "c", None, "ops", None))
        it.fill(A, payout=90 * USDC)
    assert it.house.at_risk.total() == 0
    it.do(it.intend(30 * USDC, B, caps=Caps(desk=CAP, market=CAP, wallet=CAP)))


def test_the_day_begins_again_at_midnight_utc() -> None:
    it = Driven(A, B, pending=100 * USDC)
    day = Caps(day=CAP)
    it.do(it.intend(30 * USDC, A, at_ms=DAY_MS - 1, caps=day))
    assert it.refused(it.intend(1, B, at_ms=DAY_MS - 1, caps=day)) == "CAP_DAY"
    it.do(it.intend(30 * USDC, B, at_ms=DAY_MS, caps=day))
    it.decline(A)  # yesterday's allowance, which is of no use today
    assert it.house.day_spent == 30 * USDC


def test_a_desk_opens_again_at_the_end_of_the_interval_and_not_a_millisecond_earlier() -> None:
    it = Driven(A, pending=100 * USDC)
    caps = Caps(open_interval_ms=900_000)
    it.do(it.intend(USDC, A, at_ms=1_000, caps=caps))
    it.fill(A)
    it.do(it.intend(USDC, A, at_ms=1_001, caps=caps))  # growing is no opening
    it.fill(A)
    it.do(commands.IntendClose(A, "c", None, "ops", None))
    it.fill(A, payout=USDC)
    assert it.refused(it.intend(USDC, A, at_ms=900_999, caps=caps)) == "TOO_SOON"
    it.do(it.intend(USDC, A, at_ms=901_000, caps=caps))


def test_leverage_is_no_way_around_a_cap() -> None:
    it = Driven(A, pending=100 * USDC)
    wild = replace(it.intend(30 * USDC + 1, A, caps=Caps(desk=CAP)), leverage=500 * WAD)
    assert it.refused(wild) == "CAP_DESK"


DESKS = 30
EACH = 57 * USDC


def _most(house: House) -> tuple[int, int, int]:
    return house.at_risk["ETH"], house.at_risk.total(), house.day_spent


@pytest.mark.parametrize("cap", ["max_market_usdc", "max_wallet_usdc", "max_daily_usdc"])
async def test_thirty_desks_opening_at_once_stay_within_every_cap(tmp_path: Path, cap: str) -> None:
    async with settled(tmp_path) as settlement:
        await listed(settlement, "ETH")
        for number in range(DESKS):
            await enrolled(settlement, 100 * USDC, f"0x{number:040x}")
        agent = ScriptedAgent()
        agent.gate, agent.expected = asyncio.Event(), DESKS
        desks = manager(settlement, agent, **{cap: 10 * 57})  # type: ignore[arg-type]
        task = asyncio.create_task(desks.manage_all())
        await agent.all_asked.wait()
        agent.gate.set()
        assert await task == f"{DESKS} desks, 10 moved"
        assert await settlement.read(lambda world: _most(world.house)) == (10 * EACH,) * 3
        await moved(settlement, desks)
        assert await positions(settlement) == 10
        assert await settlement.read(lambda world: _most(world.house)) == (10 * EACH,) * 3
        told = await settlement.read(
            lambda world: [desk.deferred.code for desk in world.house.desks.values() if desk.deferred]
        )
        assert len(told) == DESKS - 10
        assert len(set(told)) == 1
