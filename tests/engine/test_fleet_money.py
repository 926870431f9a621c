"""The money of several wallets: counted together, earned and spent each by itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.buyback import BuybackEngine
from engine.desks.commands import IntendBuyback
from engine.fees import Earned
from engine.live.fleet_money import FleetFees, FleetPurse, FleetSwaps, homes_of, owned
from engine.sections import Buybacks
from engine.settlement import Settlement
from engine.wallet import Balances
from tests.engine.fleet import (
    DOLLAR,
    FIRST,
    SECOND,
    ScriptedPurse,
    ScriptedSwaps,
    desk,
    intended,
    pair,
)
from tests.engine.house import OTHER, TOKEN, done, settled
from venue.exchange.fixed import WAD
from venue.swap import PROTOCOL_TOKEN, SwapDeclined, SwapOrder, Swapped, SwapUnsettled

FEES = 1000 * DOLLAR
OWN = 665 * DOLLAR
"""Of the fees of a desk: what is pending and its creator leg; the rest is the protocol's and intelligence's."""


class Fleet:
    """Two wallets with a desk each, and what they hold."""

    def __init__(self, settlement: Settlement, first: int, second: int) -> None:
        self.settlement = settlement
        self.buyers: dict[str, ScriptedSwaps] = {FIRST: ScriptedSwaps(), SECOND: ScriptedSwaps()}
        self.purses: dict[str, ScriptedPurse] = {FIRST: ScriptedPurse(first), SECOND: ScriptedPurse(second)}
        self.purse = FleetPurse(self.purses)
        self.swaps = FleetSwaps(self.buyers, self.purse, settlement)
        ids = iter(f"b{number}" for number in range(100))
        self.engine = BuybackEngine(settlement, self.swaps, Buybacks(), new_id=lambda: next(ids))

    def bought(self, wallet: str) -> list[tuple[str, int]]:
        return [(order.token, order.amount) for order in self.buyers[wallet].bought]


@asynccontextmanager
async def fleet(directory: Path, first: int = FEES, second: int = FEES) -> AsyncIterator[Fleet]:
    async with settled(directory) as settlement:
        await pair(settlement, FEES)
        yield Fleet(settlement, first, second)


async def test_wallets_are_counted_together_or_not_at_all() -> None:
    purses: dict[str, ScriptedPurse] = {FIRST: ScriptedPurse(5, WAD), SECOND: ScriptedPurse(7, None)}
    purse = FleetPurse(purses)
    assert await purse.balances() == Balances(12, WAD)
    before = dict(purse.counted)
    purses[FIRST].usdc, purses[SECOND].broken = 100, True
    with pytest.raises(TimeoutError):
        await purse.balances()
    assert purse.counted == before == {FIRST: Balances(5, WAD), SECOND: Balances(7, None)}


async def test_what_a_wallet_holds_for_its_desks(tmp_path: Path) -> None:
    async with fleet(tmp_path) as two:
        await desk(two.settlement, "0x" + "c3" * 20, "", FEES)
        await intended(two.settlement, TOKEN, collateral=100 * DOLLAR)
        assert await two.settlement.read(lambda world: owned(world.house)) == {FIRST: OWN - 100 * DOLLAR, SECOND: OWN}


class Source:
    """Launches of one wallet."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.asked: list[dict[str, str]] = []

    async def claim_pooled_fees(self, last: dict[str, str]) -> tuple[Earned, ...]:
        self.asked.append(last)
        if self.fault:
            raise self.fault
        return tuple(Earned(token, "f2", 1) for token in last)


async def test_fees_are_asked_of_the_wallet_they_arrive_in(tmp_path: Path) -> None:
    async with fleet(tmp_path) as two:
        stray = "0x" + "c3" * 20
        await desk(two.settlement, stray)
        first, second = Source(), Source()
        fees = FleetFees({FIRST: first, SECOND: second}, lambda: two.settlement.read(homes_of))
        found = await fees.claim_pooled_fees({TOKEN: "f1", OTHER: "", stray: ""})
        assert found == (Earned(TOKEN, "f2", 1), Earned(OTHER, "f2", 1))
        assert (first.asked, second.asked) == ([{TOKEN: "f1"}], [{OTHER: ""}])
        assert await fees.claim_pooled_fees({stray: ""}) == ()
        assert len(first.asked) == len(second.asked) == 1


async def test_one_wallets_fault_keeps_no_fees_from_the_others(tmp_path: Path) -> None:
    async with fleet(tmp_path) as two:
        first, second = Source(TimeoutError()), Source()
        fees = FleetFees({FIRST: first, SECOND: second}, lambda: two.settlement.read(homes_of))
        assert await fees.claim_pooled_fees({TOKEN: "", OTHER: ""}) == (Earned(OTHER, "f2", 1),)
        with pytest.raises(TimeoutError):
            await fees.claim_pooled_fees({TOKEN: ""})


async def test_a_launch_is_bought_back_from_its_own_wallet(tmp_path: Path) -> None:
    async with fleet(tmp_path) as two:
        assert await two.engine.run_creator_buyback_cycle() == "2 of 2 bought back"
        assert two.bought(FIRST) == [(TOKEN, 95 * DOLLAR)]
        assert two.bought(SECOND) == [(OTHER, 95 * DOLLAR)]
        assert await two.swaps.most(TOKEN) is None


async def test_a_launch_without_a_wallet_is_not_bought_back(tmp_path: Path) -> None:
    async with fleet(tmp_path) as two:
        stray = "0x" + "c3" * 20
        await desk(two.settlement, stray, "", FEES)
        assert await two.swaps.quote(stray, DOLLAR) is None
        outcome = await two.swaps.swap_usdc_for_token(SwapOrder("x", stray, DOLLAR, 1))
        assert isinstance(outcome, SwapDeclined)
        assert outcome.code == "NO_WALLET"
        assert two.bought(FIRST) == two.bought(SECOND) == []


@pytest.mark.parametrize(
    ("first", "second", "spent"),
    [
        (FEES, FEES, [(FIRST, 100)]),
        (OWN, OWN + 70 * DOLLAR, [(SECOND, 70)]),
        (OWN + 30 * DOLLAR, OWN + 70 * DOLLAR, [(SECOND, 70), (FIRST, 30)]),
        (OWN, OWN, []),
        (OWN - 50 * DOLLAR, OWN + DOLLAR // 4, []),
    ],
)
async def test_the_protocols_leg_is_spent_where_most_is_free_and_never_what_is_the_desks(
    tmp_path: Path, first: int, second: int, spent: list[tuple[str, int]]
) -> None:
    async with fleet(tmp_path, first, second) as two:
        found: list[tuple[str, int]] = []
        for _ in range(4):
            seen = {wallet: len(two.bought(wallet)) for wallet in two.buyers}
            await two.engine.run_buyback_cycle()
            for wallet in two.buyers:
                for token, amount in two.bought(wallet)[seen[wallet] :]:
                    assert token == PROTOCOL_TOKEN
                    found.append((wallet, amount // DOLLAR))
                    two.purses[wallet].usdc -= amount
        assert found == spent
        assert all(two.purses[wallet].usdc >= min(OWN, start) for wallet, start in ((FIRST, first), (SECOND, second)))


async def test_what_an_order_may_still_take_is_not_free(tmp_path: Path) -> None:
    async with fleet(tmp_path, FEES, 0) as two:
        await intended(two.settlement, TOKEN, collateral=300 * DOLLAR)
        assert await two.swaps.most(PROTOCOL_TOKEN) == FEES - OWN
        await done(two.settlement, IntendBuyback(TOKEN, "b", 90 * DOLLAR, 1))
        assert await two.swaps.most(PROTOCOL_TOKEN) == FEES - OWN
        two.purses[FIRST].usdc = OWN + DOLLAR
        late = await two.swaps.swap_usdc_for_token(SwapOrder("p", PROTOCOL_TOKEN, 2 * DOLLAR, 1))
        assert isinstance(late, SwapDeclined)
        assert late.code == "NOT_FREE"


async def test_one_wallet_spends_what_it_is_told(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await desk(settlement, TOKEN, "", FEES)
        buyer = ScriptedSwaps()
        swaps = FleetSwaps({FIRST: buyer}, FleetPurse({FIRST: ScriptedPurse(0)}), settlement)
        assert await swaps.most(PROTOCOL_TOKEN) is None
        for token in (PROTOCOL_TOKEN, TOKEN):
            assert isinstance(await swaps.swap_usdc_for_token(SwapOrder(f"x{token}", token, 9, 1)), Swapped)
        assert [order.amount for order in buyer.bought] == [9, 9]


@pytest.mark.parametrize("whose", [FIRST, SECOND])
async def test_what_became_of_a_swap_is_said_by_the_wallet_that_signed_it(tmp_path: Path, whose: str) -> None:
    async with fleet(tmp_path) as two:
        never = await two.swaps.outcome("x")
        assert isinstance(never, SwapDeclined)
        assert never.code == "NEVER_SIGNED"
        for outcome in (
            SwapDeclined("x", "REVERTED", "swap: the contract refused it"),
            SwapUnsettled("x"),
            Swapped("x", 5, burned=False),
        ):
            two.buyers[whose].outcomes["x"] = outcome
            assert await two.swaps.outcome("x") == outcome
