"""Several wallets as one venue: whose a desk is, and that nothing reaches the wallet of another."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from engine.belonging import belongs, locked_away
from engine.desks.commands import Code, PinDesk, RecordOutcome
from engine.desks.facts import DeskPinned, OrderFilled
from engine.live.doors import claims_of
from engine.live.fleet_venue import FleetVenue
from engine.live.pinning import PER_PASS, Pinning
from engine.settlement import Settlement
from engine.world import World
from tests.engine.fleet import (
    BARE,
    FIRST,
    SECOND,
    THIRD,
    Paid,
    ScriptedVenue,
    desk,
    filled,
    intended,
    opening,
    pair,
)
from tests.engine.house import OTHER, TOKEN, done, settled
from tests.engine.test_manager_waits import code
from tests.engine.trading import ScriptedAgent, manager
from venue.chain.machine import Adopt
from venue.chain.wallets import Of
from venue.exchange.commands import Rejection
from venue.perp import CloseOrder, Declined, Ended, Filled, PerpVenue, Quote, ReduceOrder, Unsettled

IN_FIRST, IN_SECOND = replace(BARE, wallet=FIRST), replace(BARE, wallet=SECOND)


class Fleet:
    """Two wallets, of which `poor` have too little gas."""

    def __init__(self, settlement: Settlement, *poor: str, gas: bool = True) -> None:
        self.first, self.second = ScriptedVenue(gas=gas), ScriptedVenue(gas=gas)
        self.poor = set(poor)
        wallets: dict[str, PerpVenue] = {FIRST: self.first, SECOND: self.second}
        self.venue = FleetVenue(wallets, settlement.read, lambda wallet: "too little" if wallet in self.poor else "")


@asynccontextmanager
async def fleet(directory: Path, *poor: str, gas: bool = True) -> AsyncIterator[tuple[Settlement, Fleet]]:
    async with settled(directory) as settlement:
        await pair(settlement)
        yield settlement, Fleet(settlement, *poor, gas=gas)


async def test_an_order_goes_to_the_wallet_of_its_desk_and_the_reference_says_whose_it_is(tmp_path: Path) -> None:
    async with fleet(tmp_path) as (_, two):
        assert await two.venue.open(opening(OTHER)) == replace(filled("o"), ref=IN_SECOND)
        await two.venue.open(opening(OTHER, "grow", increase=IN_SECOND))
        assert await two.venue.reduce(ReduceOrder("r", OTHER, IN_SECOND, 500_000)) == replace(
            filled("r"), ref=IN_SECOND
        )
        assert await two.venue.close(CloseOrder("c", TOKEN, IN_FIRST)) == replace(filled("c"), ref=IN_FIRST)
        assert isinstance(await two.venue.quote(CloseOrder("q", TOKEN, IN_FIRST)), Quote)
        assert [order.order_id for order in two.second.asked] == ["o", "grow", "r"]
        assert two.second.asked[1] == opening(OTHER, "grow", increase=BARE)
        assert two.first.asked == [CloseOrder("c", TOKEN, BARE), CloseOrder("q", TOKEN, BARE)]


async def test_the_same_pair_and_index_in_two_wallets_are_two_positions(tmp_path: Path) -> None:
    async with fleet(tmp_path) as (_, two):
        found = await two.venue.positions()
        assert {*found} == {IN_FIRST, IN_SECOND}
        assert all(position.ref == ref for ref, position in found.items())
        two.second.gone = Ended(BARE, 5)
        assert await two.venue.ended(IN_SECOND) == Ended(IN_SECOND, 5)
        assert await two.venue.ended(IN_FIRST) is None
        assert await two.venue.ended(replace(BARE, wallet=THIRD)) is None


async def test_the_wallet_of_an_order_is_asked_what_became_of_it(tmp_path: Path) -> None:
    async with fleet(tmp_path) as (settlement, two):
        await intended(settlement, OTHER)
        two.first.outcomes["o"] = Declined("o", "WRONG", "not its order")
        two.second.outcomes["o"] = filled("o")
        outcome = await two.venue.outcome("o")
        assert isinstance(outcome, Filled)
        assert outcome.ref == IN_SECOND


async def test_a_desk_without_a_wallet_sends_nothing_and_its_order_is_not_given_up(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await desk(settlement, TOKEN, "", 10**9)
        two = Fleet(settlement)
        for answer in (await two.venue.open(opening(TOKEN)), await two.venue.quote(opening(TOKEN))):
            assert isinstance(answer, Declined)
            assert answer.code == "NO_WALLET"
        await desk(settlement, OTHER, THIRD)
        closing = await two.venue.close(CloseOrder("c", OTHER, BARE))
        assert isinstance(closing, Declined)
        assert f"the keystore of {THIRD} is not open" in closing.detail
        await intended(settlement, TOKEN)
        assert await two.venue.outcome("o") == Unsettled("o"), "an earlier process may have sent it"
        await done(settlement, PinDesk(TOKEN, FIRST))
        two.first.outcomes["o"] = filled("o")
        assert await two.venue.outcome("o") == replace(filled("o"), ref=IN_FIRST)
        assert (two.first.asked, two.second.asked) == ([], [])


async def test_a_wallet_with_little_gas_opens_nothing_and_leaves_what_it_has(tmp_path: Path) -> None:
    async with fleet(tmp_path, SECOND) as (_, two):
        for order in (opening(OTHER), opening(OTHER, increase=IN_SECOND)):
            for answer in (await two.venue.open(order), await two.venue.quote(order)):
                assert isinstance(answer, Declined)
                assert answer.code == "LOW_GAS"
        assert two.second.asked == []
        assert isinstance(await two.venue.open(opening(TOKEN)), Filled)
        assert isinstance(await two.venue.reduce(ReduceOrder("r", OTHER, IN_SECOND, 1)), Filled)
        assert isinstance(await two.venue.close(CloseOrder("c", OTHER, IN_SECOND)), Filled)


async def test_orders_that_cost_no_gas_are_not_held_up(tmp_path: Path) -> None:
    async with fleet(tmp_path, SECOND, gas=False) as (_, two):
        assert isinstance(await two.venue.open(opening(OTHER)), Filled)


async def test_the_manager_asks_nobody_for_a_desk_whose_wallet_has_no_gas(tmp_path: Path) -> None:
    async with fleet(tmp_path, SECOND) as (settlement, two):
        agent = ScriptedAgent()
        desks = manager(settlement, agent, venue=two.venue, gas_low=lambda home: "low" if home in two.poor else "")
        await desks.manage_all()
        assert agent.asked == 1
        assert [order.order_id != "" for order in two.first.asked] == [True]
        assert await code(settlement, OTHER) == "LOW_GAS"
        assert two.second.asked == []


async def test_a_desk_is_pinned_once_and_for_good(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await desk(settlement, TOKEN)
        assert await done(settlement, PinDesk(TOKEN, FIRST)) == (DeskPinned(TOKEN, FIRST),)
        assert await done(settlement, PinDesk(TOKEN, FIRST)) == ()
        refused = await settlement.submit(PinDesk(TOKEN, SECOND))
        assert isinstance(refused, Rejection)
        assert refused.code == Code.ALREADY_PINNED
        unknown = await settlement.submit(PinDesk(OTHER, FIRST))
        assert isinstance(unknown, Rejection)
        assert unknown.code == Code.UNKNOWN_DESK
    async with settled(tmp_path) as settlement:
        assert await settlement.read(lambda world: world.house.desks[TOKEN].wallet) == FIRST


@pytest.mark.parametrize("first", ["pinned", "filled"])
async def test_a_position_is_known_by_its_wallet_whenever_that_was_found(tmp_path: Path, first: str) -> None:
    async with settled(tmp_path) as settlement:
        await desk(settlement, TOKEN, FIRST if first == "pinned" else "", 10**9)
        await intended(settlement, TOKEN)
        facts = await done(settlement, RecordOutcome(TOKEN, replace(filled("o"), ref=IN_FIRST)))
        assert any(isinstance(fact, OrderFilled) for fact in facts)
        await done(settlement, PinDesk(TOKEN, FIRST))
    async with settled(tmp_path) as settlement:
        assert await settlement.read(lambda world: world.house.desks[TOKEN].ref) == IN_FIRST
        (claim,) = await settlement.read(lambda world: claims_of(world, FIRST))
        assert (claim.account, claim.ref) == (TOKEN, BARE)
        assert await settlement.read(lambda world: claims_of(world, SECOND)) == ()


async def test_a_run_has_the_keys_of_all_wallets_a_journal_knows(tmp_path: Path) -> None:
    def look(*opened: str) -> str:
        wrong = locked_away(world, opened)
        return f"{wrong.code} {wrong}" if wrong else ""

    world = World()
    assert look() == ""
    async with settled(tmp_path) as settlement:
        await desk(settlement, TOKEN, SECOND)
        await done(settlement, Of(FIRST, Adopt(FIRST, 0)))
        world = await settlement.read(lambda found: found)
        assert look(FIRST, SECOND, THIRD) == ""
        assert FIRST in look(SECOND)
        assert SECOND in look(FIRST), "its desk's money lies there, whether it ever sent or not"
        assert look().startswith("OTHER_WALLET the journal also sends from")
        assert belongs(world, demo=False, live=True) is None
        wrong = belongs(world, demo=False, live=False)
        assert wrong is not None
        assert wrong.code == "LIVE"


async def _homes(settlement: Settlement) -> dict[str, str]:
    return await settlement.read(lambda world: {each.address: each.wallet for each in world.house.desks.values()})


def _token(number: int) -> str:
    return f"0xf{number:039x}"


async def test_one_wallet_has_every_desk_at_once_and_nobody_is_asked(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        for number in range(2 * PER_PASS + 1):
            await desk(settlement, _token(number))
        launches = Paid()
        pinning = Pinning(settlement, (FIRST,), launches)
        await pinning.pass_once()
        assert {*(await _homes(settlement)).values()} == {FIRST}
        assert launches.asked == []
        assert pinning.homeless == {}


async def test_a_desk_is_pinned_to_the_first_wallet_that_its_launch_pays(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        for number in range(4):
            await desk(settlement, _token(number))
        launches = Paid(
            {
                _token(0): ((THIRD, 4000), (SECOND, 6000)),
                _token(1): ((SECOND, 9000), (FIRST, 1000)),
                _token(2): ((THIRD, 10_000), (FIRST, 0)),
            }
        )
        pinning = Pinning(settlement, (FIRST, SECOND), launches)
        assert await pinning.pass_once() == "2 desks without a wallet"
        assert await _homes(settlement) == {_token(0): SECOND, _token(1): FIRST, _token(2): "", _token(3): ""}
        assert {*pinning.homeless} == {_token(2), _token(3)}
        launches.shares[_token(3)] = ((FIRST, 10_000),)
        await pinning.pass_once()
        assert {*pinning.homeless} == {_token(2)}
        again = Pinning(settlement, (SECOND, FIRST), launches)
        await again.pass_once()
        assert (await _homes(settlement))[_token(1)] == FIRST, "what is pinned stays, whatever the order now"


async def test_many_take_turns_and_one_that_cannot_be_read_holds_nobody_up(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        tokens = [_token(number) for number in range(2 * PER_PASS + 3)]
        for token in tokens:
            await desk(settlement, token)
        launches = Paid(unreadable=tokens[0])
        pinning = Pinning(settlement, (FIRST, SECOND), launches)
        for _ in range(3):
            await pinning.pass_once()
        assert {*launches.asked} == {*tokens}
        assert len(launches.asked) == 3 * PER_PASS
        assert {*pinning.homeless} == {*tokens}
