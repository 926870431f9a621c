"""A command whose answer was lost is sent again, to a program that has been started since: it is not done twice."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from engine.clearing import commands as clearing
from engine.clearing.commands import ClearingCommand
from engine.clearing.counter import Counter
from engine.requests.commands import CreditPaper
from engine.requests.counter import RequestCounter
from engine.settlement import Settlement
from tests.engine.house import FixedPrices, ManualClock, done, keeper, listed, settled
from venue.exchange.commands import Deposit, Rejection
from venue.exchange.fixed import WAD, wad

SAID: dict[str, Any] = {"id": "x1", "who": "alice", "seen_seq": 0, "expires_at_ms": 0}


async def facts(settlement: Settlement, command: ClearingCommand | CreditPaper, clock: ManualClock) -> int:
    """How many a command has made, sent once more."""
    before = settlement.seq
    if isinstance(command, CreditPaper):
        by_hand = keeper(settlement, FixedPrices(clock))
        ok, _, text = await RequestCounter(settlement, by_hand, clock, (), {}).serve(command)
        assert ok
        assert text.startswith("created before") == (settlement.seq == before)
    else:
        answer = await Counter(settlement, (), {}).serve(command)
        assert isinstance(answer, Rejection) == (settlement.seq == before)
    return settlement.seq - before


@pytest.mark.parametrize(
    "command",
    [
        clearing.Deposit(user="alice", amount=5 * WAD, **SAID),
        clearing.Withdraw(user="alice", amount=5 * WAD, **SAID),
        clearing.OpenPosition(user="alice", market="ETH", is_long=True, total=WAD, leverage=Fraction(2), **SAID),
        clearing.ClosePosition(user="alice", position_id=1, part=Fraction(1, 3), **SAID),
        CreditPaper(account="alice", token="USDC", amount=Decimal(5), **SAID),
        CreditPaper(account="alice", token="USD", amount=Decimal(5), **SAID),
    ],
    ids=lambda command: type(command).__name__,
)
async def test_it_is_done_once(tmp_path: Path, command: ClearingCommand | CreditPaper) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        await listed(settlement, "ETH")
        await done(settlement, Deposit("alice", wad(1_000)))
        opened = clearing.OpenPosition(
            user="alice", market="ETH", is_long=True, total=100 * WAD, leverage=Fraction(2), **SAID | {"id": "x0"}
        )
        assert await facts(settlement, opened, clock)
        assert await facts(settlement, command, clock)
    async with settled(tmp_path, clock) as settlement:
        assert not await facts(settlement, command, clock)
