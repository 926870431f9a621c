"""One desk whose venue raises, contradicts itself or talks nonsense: it is set aside or left unknown, and the 99 others
trade. And nothing is begun before all of it has been looked at."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

import pytest

from engine.desks.reconcile import FRESH_S
from engine.replay import world_of
from engine.snapshot import DeskPhase
from engine.sound import faults
from tests.engine.house import enrolled, kept, listed, settled
from tests.engine.trading import money, moved
from tests.proof.on_paper import Awake, Blurred, Loops
from venue.perp import CloseOrder, Declined, Ended, Filled, OpenOrder, OrderOutcome, PerpPosition, PositionRef, Resized

MANY: Final = [f"0x{number:040x}" for number in range(1, 101)]
SICK: Final = MANY[41]
FEES: Final = 100_000_000
REF: Final = PositionRef("ETH", True, 0, 1)


def _raises(_: str) -> Any:
    raise OSError("no route to host")


def _filled(**said: object) -> Callable[[str], Any]:
    return lambda order_id: replace(Filled(order_id, REF, 2_000 * 10**18, 10**9, 0, 0), **said)  # type: ignore[arg-type]


POISONS: Final[dict[str, Callable[[str], Any]]] = {
    "raises": _raises,
    "another order": lambda _: Declined("other", "NO", "no"),
    "another market": _filled(ref=replace(REF, market="DOGE")),
    "another side": _filled(ref=replace(REF, is_long=False)),
    "paid for an opening": _filled(payout=10**9),
    "paid less than nothing": _filled(payout=-(10**9)),
    "half a micro-dollar": _filled(fee=0.5),
    "no number": _filled(price=float("nan")),
    "a word for a number": _filled(notional="much"),
    "no position": _filled(ref=None),
    "nothing": lambda _: None,
    "words": lambda _: "filled",
}


class Poisoned(Blurred):
    """Answers one desk with poison, whatever is asked."""

    poison: Callable[[str], Any] | None = None
    sent: dict[str, str]
    """Whose each order is."""
    ref: PositionRef | None = None

    async def open(self, order: OpenOrder) -> OrderOutcome:
        if self._sick(order.account, order.order_id):
            return self._outcome(order.order_id)
        return await super().open(order)

    async def close(self, order: CloseOrder) -> OrderOutcome:
        if self._sick(order.account, order.order_id):
            return self._outcome(order.order_id)
        return await super().close(order)

    async def outcome(self, order_id: str) -> OrderOutcome:
        if self._sick(self.sent.get(order_id, ""), order_id):
            return self._outcome(order_id)
        return await super().outcome(order_id)

    async def ended(self, ref: PositionRef) -> Ended | None:
        if ref == self.ref:
            return cast(Ended, self._answer(""))
        return await super().ended(ref)

    def _sick(self, account: str, order_id: str) -> bool:
        self.sent[order_id] = account
        return self.poison is not None and account == SICK

    def _outcome(self, order_id: str) -> OrderOutcome:
        return cast(OrderOutcome, self._answer(order_id))

    def _answer(self, order_id: str) -> Any:
        assert self.poison is not None
        return self.poison(order_id)


async def _house(settlement: Any, clock: Awake, addresses: list[str]) -> tuple[Poisoned, Loops]:
    await listed(settlement, "ETH")
    for address in addresses:
        await enrolled(settlement, FEES, address)
    venue = Poisoned(settlement, clock)
    venue.sent = {}
    loops = Loops(settlement, clock, venue)
    await loops.reconciler.pass_once()
    return venue, loops


@pytest.mark.parametrize("poison", POISONS)
async def test_one_poisoned_desk_blocks_no_other(tmp_path: Path, poison: str) -> None:
    clock = Awake()
    async with settled(tmp_path, clock) as settlement:
        venue, loops = await _house(settlement, clock, MANY)
        venue.poison = POISONS[poison]
        for _ in range(5):
            await loops.turn()
            await kept(settlement, loops.manager)
        phases = await loops.phases()
        sick = phases.pop(SICK)
        assert set(phases.values()) == {DeskPhase.OPEN}
        assert sick in (DeskPhase.QUARANTINED, DeskPhase.UNKNOWN, DeskPhase.OPENING), sick
        assert not await settlement.read(lambda world: list(faults(world)))
        closes = (loops.manager.courier.close(address, None, "ops") for address in MANY[:5])
        await asyncio.gather(*closes)
        await kept(settlement, loops.manager)
        phases = await loops.phases()
        assert [phases[address] for address in MANY[:5]] == [DeskPhase.CLOSED] * 5
    assert not list(faults(world_of(tmp_path))), "the journal cannot be read back"


@pytest.mark.parametrize("end", [_raises, lambda _: Ended(REF, -5), lambda _: Ended(REF, 1.5), lambda _: "gone"])  # type: ignore[arg-type]
async def test_nonsense_about_the_end_of_a_position_ends_none(tmp_path: Path, end: Callable[[str], Any]) -> None:
    clock = Awake()
    async with settled(tmp_path, clock) as settlement:
        venue, loops = await _house(settlement, clock, MANY[:3])
        await moved(settlement, loops.manager)
        ref = venue.ref = await settlement.read(lambda world: world.house.desks[MANY[0]].ref)
        venue.poison = lambda _: _of(end(""), ref)
        for _ in range(2):
            await loops.turn()
        phases = await loops.phases()
        assert phases.pop(MANY[0]) in (DeskPhase.OPEN, DeskPhase.QUARANTINED)
        assert set(phases.values()) == {DeskPhase.OPEN}
    assert not list(faults(world_of(tmp_path))), "the journal cannot be read back"


def _of(end: Any, ref: PositionRef | None) -> Any:
    return replace(end, ref=ref) if ref and isinstance(end, Ended) else end


async def test_a_position_that_was_resized_sets_its_desk_aside(tmp_path: Path) -> None:
    clock = Awake()
    async with settled(tmp_path, clock) as settlement:
        venue, loops = await _house(settlement, clock, MANY[:2])
        await moved(settlement, loops.manager)
        ref = await settlement.read(lambda world: world.house.desks[MANY[0]].ref)

        def resized(_: str) -> Any:
            raise Resized("ETH 1: 50 USDC at 20x is not what our orders left there")

        venue.poison, venue.ref = resized, ref
        await loops.turn()
        assert await loops.phases() == {MANY[0]: DeskPhase.QUARANTINED, MANY[1]: DeskPhase.OPEN}
        why = await settlement.read(lambda world: world.house.desks[MANY[0]].quarantine)
        assert why == "ETH 1: 50 USDC at 20x is not what our orders left there"


class Silent(Blurred):
    """Lists nothing while it is silent."""

    silent = True

    async def positions(self) -> dict[PositionRef, PerpPosition]:
        if self.silent:
            raise TimeoutError
        return await super().positions()


async def test_nothing_is_begun_before_a_whole_look(tmp_path: Path) -> None:
    clock = Awake()
    async with settled(tmp_path, clock) as settlement:
        await listed(settlement, "ETH")
        await enrolled(settlement, FEES, MANY[0])
        venue, unseen = Silent(settlement, clock), ["nobody has seen them yet"]
        loops = Loops(settlement, clock, venue, unseen=lambda: unseen[0])
        await loops.reconciler.first()
        await loops.manager.manage_all()
        assert loops.reconciler.why_not() == "positions were not held against the venue yet: nobody has seen them yet"
        assert "in_flight" not in await money(settlement, MANY[0])
        assert not loops.reconciler.alarms()
        clock.advance(FRESH_S + 1)
        assert loops.reconciler.alarms() == (loops.reconciler.why_not(),)
        venue.silent = False
        await loops.reconciler.first()
        assert loops.reconciler.why_not(), "the venue itself does not know"
        unseen[0] = ""
        await loops.reconciler.first()
        assert loops.reconciler.why_not() == ""
        clock.advance(FRESH_S + 1)
        assert loops.reconciler.why_not() == "positions were last held against the venue 31 s ago"
        await loops.manager.manage_all()
        assert "in_flight" not in await money(settlement, MANY[0])
        await loops.reconciler.pass_once()
        await loops.manager.manage_all()
        assert "in_flight" in await money(settlement, MANY[0])


async def test_who_does_not_write_compares_nothing(tmp_path: Path) -> None:
    clock = Awake()
    async with settled(tmp_path, clock) as settlement:
        loops = Loops(settlement, clock, Silent(settlement, clock), writes=False)
        await loops.reconciler.first()
        clock.advance(FRESH_S + 1)
        assert loops.reconciler.why_not()
        assert loops.reconciler.alarms() == ()
