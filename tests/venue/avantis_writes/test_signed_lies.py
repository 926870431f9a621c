"""A relay that lies: what it says of an intent, its refusal as well, has no effect beside the chain."""

from dataclasses import replace
from typing import Any

import pytest

from tests.venue.avantis_writes import relay_server as told
from tests.venue.avantis_writes.intent_house import TIMES, trade
from tests.venue.avantis_writes.relay_stand import NOW, OPENED
from tests.venue.avantis_writes.signed_stand import CLOSING, DUE_MS, EXECUTED, FILLED, GIVEN_BACK, LIFE, ended, housing
from venue.avantis.asked import Order
from venue.avantis.direct import Done, NoEffect, Unclear, UnderWay
from venue.avantis.registered import Cancellation

LIES: dict[str, Any] = {
    "payout": EXECUTED.payload | {"usdcSentToTrader": "999000000"},
    "price": EXECUTED.payload | {"price": "1"},
    "index": EXECUTED.payload | {"t": trade(OPENED, 8)},
    "collateral": EXECUTED.payload | {"t": trade(OPENED, 3) | {"initialPosToken": "1"}},
    "trader": EXECUTED.payload | {"t": trade(OPENED, 3, "0x" + "22" * 20)},
    "order": EXECUTED.payload | {"orderId": 43},
    "nothing": {},
}


@pytest.mark.parametrize("asked", [OPENED, CLOSING])
async def test_400_is_no_end_until_the_chain_says_never(asked: Order) -> None:
    async with housing([]) as house:
        house.stand.server.status = 400
        assert await house.send(asked) is None
        waits = f"the relay gave up: RELAY_REJECTED; the chain decides, it may be taken until {DUE_MS} ms"
        for at_ms in (NOW, DUE_MS - TIMES.margin_ms + 1_000, DUE_MS):
            house.chain.time_ms = at_ms
            assert await house.looked() == Unclear(waits)
            assert await house.send(asked) is None
            assert await house.route.waiting_until(silent=True) == {"a": DUE_MS}
        house.chain.time_ms = DUE_MS + 1_000
        never = NoEffect("REJECTED", "the relay said RELAY_REJECTED; the contract did not take it in time")
        assert await house.looked() == never == await house.send(asked)
        assert house.posts() == 1


@pytest.mark.parametrize("asked", [OPENED, CLOSING])
async def test_400_and_executed_all_the_same_is_executed(asked: Order) -> None:
    async with housing([]) as house:
        house.stand.server.status = 400
        await house.send(asked)
        house.chain.use()
        assert await house.looked() == Done(asked, FILLED)
        house.chain.time_ms = DUE_MS + 1_000
        assert await house.looked() == Done(asked, FILLED)
        assert house.posts() == 1


@pytest.mark.parametrize("asked", [OPENED, CLOSING])
@pytest.mark.parametrize("lie", LIES)
async def test_what_the_relay_says_of_an_execution_has_no_effect(lie: str, asked: Order) -> None:
    async with housing([*LIFE[:3], replace(EXECUTED, payload=LIES[lie])]) as house:
        await house.send(asked)
        await ended(house)
        assert isinstance(await house.looked(), UnderWay)
        house.chain.use(replace(FILLED, paid=5))
        assert await house.looked() == Done(asked, replace(FILLED, paid=5))


async def test_what_the_relay_calls_canceled_and_stands_is_done() -> None:
    async with housing([*LIFE[:3], told.CANCELED]) as house:
        await house.send()
        await ended(house)
        house.chain.use()
        assert await house.looked() == Done(OPENED, FILLED)


async def test_what_the_relay_calls_executed_and_was_given_back_is_not() -> None:
    async with housing([*LIFE]) as house:
        await house.send()
        await ended(house)
        house.chain.use(Cancellation(90))
        assert await house.looked() == GIVEN_BACK
