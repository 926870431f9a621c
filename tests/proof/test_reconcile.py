"""Journal and venue fall apart in every way there is; the engine's own loops bring them together, once, and trade on
nothing that they are not sure of."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Final

import pytest

from engine.desks import commands
from engine.desks.courier import Courier
from engine.snapshot import DeskPhase
from engine.sound import faults
from tests.proof import on_avantis, on_paper
from tests.proof.on_avantis import AvantisHouse
from tests.proof.on_paper import DESKS, PaperHouse
from tests.scale import SEED, scaled
from venue.avantis.adapter import AvantisVenue
from venue.avantis.claims import PositionWatch
from venue.perp import Declined, Ended, PositionRef

HOUSES: Final = scaled(12, 130, 400)
PATIENCE: Final = 10
EACH: Final = 8
"""Divergences of a house, of each venue."""


async def test_desks_on_paper_come_to_what_the_exchange_has(tmp_path: Path, tried: Callable[[int], None]) -> None:
    await on_paper.opened(tmp_path / "base")
    for seed in range(SEED, SEED + HOUSES):
        luck = Random(f"{seed}:paper")
        async with on_paper.awakened(tmp_path / "base", tmp_path / str(seed), luck) as house:
            what = {address: luck.choice(on_paper.HAPPENS) for address in luck.sample(DESKS, EACH)}
            for address, happened in sorted(what.items(), key=lambda each: each[1] == "waiting"):  # no keeper after it
                await house.happens(happened, address)
            await _settled(house, f"seed {seed}: {what}")
            house.heal()
            await _settled(house, f"seed {seed}: {what}, healed")
            said = "".join(house.loops.reconciler.alarms())
            assert ("nobody's position" in said) is bool(house.strays), f"seed {seed}: {what}: {said}"
    tried(HOUSES * EACH)


async def _settled(house: PaperHouse, where: str) -> None:
    newest = await house.loops.turns()
    assert house.loops.settlement.seq == newest, f"{where}: a second pass changed something"
    assert house.loops.numbered == 0, f"{where}: an order was begun"
    assert await house.loops.phases() == dict.fromkeys(DESKS, DeskPhase.OPEN) | house.expected, where
    state = await house.bench.look()
    assert {number: state.open_positions[number].base_size for number in house.strays} == house.strays, where
    assert not await house.loops.settlement.read(lambda world: list(faults(world))), where


async def test_desks_at_avantis_come_to_what_the_chain_has(tmp_path: Path, tried: Callable[[int], None]) -> None:
    for seed in range(SEED, SEED + HOUSES):
        await _at_avantis(tmp_path, seed)
    tried(HOUSES * EACH)


async def _at_avantis(directory: Path, seed: int) -> None:
    luck = Random(f"{seed}:avantis")
    async with on_avantis.awakened(directory / str(seed), luck) as house:
        what = {address: luck.choice(on_avantis.HAPPENS) for address in luck.sample(DESKS, EACH)}
        if "half" in what.values():  # what a chain and a server both have lost is gone
            what = {address: "missing" if each == "reorged" else each for address, each in what.items()}
        where = f"seed {seed}: {what}"
        if luck.random() < 0.5 or set(what.values()) & {"shrunk"}:  # it has been seen before, as it was
            await house.loops.turn()
        await _happened(house, what)
        await _together(house, house.expected, where)
        house.heal()
        await _together(house, house.healed, f"{where}, healed")
        assert bool(house.alarms()) is bool(house.strays), f"{where}: {house.alarms()}"


async def _happened(house: AvantisHouse, what: dict[str, str]) -> None:
    for address, happened in what.items():
        if happened in on_avantis.ORDERED:
            await house.settlement.submit(commands.IntendClose(address, f"o-{address}", None, "ops", None))
        house.happens(happened, address)


async def _together(house: AvantisHouse, expected: dict[str, DeskPhase], where: str) -> None:
    newest = await house.loops.turns()
    assert house.settlement.seq == newest, f"{where}: a second pass changed something"
    assert await house.loops.phases() == dict.fromkeys(DESKS, DeskPhase.OPEN) | expected, where
    assert not house.route.sent, f"{where}: an order was sent"
    assert not await house.settlement.read(lambda world: list(faults(world))), where


# The net is shown to catch fish


def missing_is_flat(patch: pytest.MonkeyPatch) -> None:
    async def ended(venue: AvantisVenue, ref: PositionRef) -> Ended | None:
        return None if ref in venue._watch.known.held else Ended(ref, 0)

    patch.setattr(AvantisVenue, "ended", ended)


def size_does_not_matter(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PositionWatch, "_compared", lambda _, __, known, ___: known)


def declined_while_under_way(patch: pytest.MonkeyPatch) -> None:
    async def settle(courier: Courier, address: str, order_id: str) -> bool:
        await courier.record(address, Declined(order_id, "LOST", "no answer"))
        return True

    patch.setattr(Courier, "settle", settle)


def strays_are_kept_quiet(patch: pytest.MonkeyPatch) -> None:
    look = PositionWatch.look

    async def looked(watch: PositionWatch) -> str:
        told = await look(watch)
        watch.known = replace(watch.known, orphans=())
        return told

    patch.setattr(PositionWatch, "look", looked)


@pytest.mark.parametrize(
    "plant", [missing_is_flat, size_does_not_matter, declined_while_under_way, strays_are_kept_quiet]
)
async def test_a_loop_that_believes_too_much_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    plant(monkeypatch)
    for seed in range(PATIENCE):
        try:
            await _at_avantis(tmp_path, seed)
        except AssertionError:
            return
    raise AssertionError(f"not found in {PATIENCE} houses")
