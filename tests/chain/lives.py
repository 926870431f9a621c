"""The lives of one order after each other, and what must be so when they are over."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine import codec
from engine.desks import commands
from engine.desks.facts import OrderDeclined, OrderFilled, OrderIntended
from engine.replay import world_of
from engine.sound import faults
from engine.world import Fact
from store.reader import entries
from tests.chain.fleet import Fate, lives
from tests.chain.matrix import ALLOWED, BY_HAND, FEES, Planted, Process, process
from tests.chain.paper_chain import MONEY
from tests.chain.scene import Scene
from tests.chain.stage import TRADER
from tests.engine.house import TOKEN, done
from venue.avantis.asked import Approve


async def lived(
    scene: Scene, directory: Path, signed: bool, kind: str, fate: Fate, *, first: bool, planted: Planted | None = None
) -> bool:
    """One life; whether it got to its end before it died."""
    async with process(scene, directory, signed, fate, planted) as one:

        async def work() -> None:
            if first or kind == "approve":
                await one.begin(kind)
            await one.follow(kind)

        return await lives(fate, work())


@dataclass(frozen=True)
class Ready:
    """Where an order of one kind begins."""

    kind: str
    signed: bool
    directory: Path
    facts: int
    """In its journal."""
    effects: int
    """On its chain."""

    def copied(self, to: Path) -> Path:
        shutil.copytree(self.directory, to, dirs_exist_ok=True)
        return to


async def prepared(scene: Scene, kind: str, signed: bool, directory: Path) -> Ready:
    """A desk with fees; with a position too, where the order is about one."""
    directory.mkdir()  # noqa: ASYNC240 - nobody else is on this loop
    async with process(scene, directory, signed) as one:
        await enrolled(one)
        if kind in ("grow", "reduce", "close"):
            await one.follow("open")
            assert len(await scene.held()) == 1
        if kind == "grow":
            await done(one.settlement, commands.BookFees(TOKEN, "f2", FEES, 0))
    return Ready(kind, signed, directory, len(facts_in(directory)), await scene.executed())


async def enrolled(one: Process) -> None:
    await one.sender.adopt()
    await done(one.settlement, commands.EnrollToken(TOKEN, "PEPE"))
    await done(one.settlement, commands.PinDesk(TOKEN, TRADER))
    await done(one.settlement, commands.BookFees(TOKEN, "f1", FEES, 0))


async def judged(scene: Scene, directory: Path, ready: Ready, *, again: bool) -> None:
    """What must be so when all is settled; `again`: the desk is tried as well."""
    kind, facts = ready.kind, facts_in(directory)[ready.facts :]
    filled = [each for each in facts if isinstance(each, OrderFilled)]
    ids = [each.order_id for each in facts if isinstance(each, OrderIntended)]
    ends = [each.order_id for each in facts if isinstance(each, OrderFilled | OrderDeclined)]
    assert sorted(ids) == sorted(ends), "an order has no end, or two"
    effects = await scene.executed() - ready.effects
    assert effects == len(filled), f"{effects} effects on the chain, the journal says {len(filled)}"
    assert len(filled) <= 1, f"{len(filled)} effects"
    world = world_of(directory)
    assert not list(faults(world))
    desk, held = world.house.desks[TOKEN], await scene.held()
    assert not desk.quarantine
    assert len(held) == int(desk.ref is not None), f"{len(held)} positions, the journal says {desk.ref}"
    deployed = world.house.ledger[f"deployed:{TOKEN}"]
    if scene.exact:
        assert sum(each.collateral for each in held) == deployed
        assert await scene.money() == MONEY - deployed
    assert await scene.money() == _expected(facts_in(directory)), "money is missing"
    if kind == "approve":
        assert await scene.allowance() in (ALLOWED, 0)
    elif kind not in BY_HAND:
        assert len(filled) == 1 or desk.halted_by == "sender: GIVEN_UP", desk.halted_by
    if again:
        async with process(scene, directory, ready.signed) as one:
            await _tried(one, scene)


def _expected(facts: Sequence[Fact]) -> int:
    """What the wallet has when every order had the effect that the journal says, and no other."""
    spent = {each.order_id: each.collateral for each in facts if isinstance(each, OrderIntended)}
    fills = [each for each in facts if isinstance(each, OrderFilled)]
    return MONEY - sum(spent[each.order_id] for each in fills) + sum(each.payout for each in fills)


def facts_in(directory: Path) -> list[Fact]:
    return [codec.decode(entry.kind, entry.payload) for entry in entries(directory)]


async def _tried(one: Process, scene: Scene) -> None:
    """Not stuck: what stands can be left, and what does not be opened."""
    await one.sender.adopt()
    if await scene.allowance() < FEES:
        await one.direct.send("again", Approve(TRADER, ALLOWED))
        await one.follow("approve")
    await one.watch.look()
    assert not one.watch.known.orphans
    await done(one.settlement, commands.Resume(TOKEN, "ops", ""))
    if await one.desk(lambda desk: desk.ref is None):
        await done(one.settlement, commands.BookFees(TOKEN, "f9", FEES, 0))
        await one.follow("open")
    await one.watch.look()
    answer = await one.manager.courier.close(TOKEN, None, "ops")
    await one.follow("close")
    assert await scene.held() == [], answer
    assert not scene.exact or await scene.money() == MONEY
    assert await one.desk(lambda desk: desk.ref is None)
