"""The world of a journal: exact at every entry, with bounded work, and in a copy of its own."""

import pickle
import random
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from engine import reel
from engine.reel import Reel
from engine.replay import fold
from engine.replica import replica
from engine.world import Fact, World
from store.chain import Entry
from store.reader import entries
from venue.exchange.state import PositionStatus


def worlds(directory: Path) -> Iterator[World]:
    """The world behind each entry, folded from the beginning."""
    world = World()
    for entry in entries(directory):
        fold(world, entry)
        yield world


def test_the_world_is_exact_at_every_entry_in_both_directions(state: Path, tight: None) -> None:
    folded = [pickle.loads(pickle.dumps(world)) for world in worlds(state)]  # noqa: S301 - our own, a moment ago
    tape = Reel(state)
    assert len(folded) == tape.newest >= 400
    order = [*range(tape.newest, 0, -1), *range(1, tape.newest + 1)]
    order += [random.Random(3).randint(1, tape.newest) for _ in range(150)]
    for seq in order:
        assert tape.seek(seq) == folded[seq - 1], seq
        assert tape.seq == seq
    assert len(tape._stills) <= reel.STILLS
    assert tape._distance > reel.SHORTEST, "they have been thinned out"
    assert len(tape._near) <= reel.NEAR
    tape.close()


def test_a_copy_is_equal_and_its_own() -> None:
    world = World()
    world.exchange.requests.keepers["k"] = True
    world.wallets.pins["a"] = None  # type: ignore[assignment]
    copied = replica(world)
    assert copied == world
    for name in (field.name for field in fields(World)):
        assert getattr(copied, name) is not getattr(world, name)
    copied.exchange.requests.keepers["k"] = False
    copied.house.at_risk["ETH"] += 5
    copied.intents.nonces.add(1)
    assert world.exchange.requests.keepers == {"k": True}
    assert (world.house.at_risk["ETH"], world.intents.nonces) == (0, set())
    assert type(copied.house.at_risk) is type(world.house.at_risk)


def test_what_is_one_thing_is_one_thing_in_the_copy(state: Path) -> None:
    *_, world = worlds(state)
    copied = replica(world).exchange
    assert copied.open_positions
    for number, position in copied.open_positions.items():
        assert copied.positions[number] is position
        assert world.exchange.positions[number] is not position
    ended = [each for each in world.exchange.positions.values() if each.status is not PositionStatus.OPEN]
    assert ended
    assert all(copied.positions[each.id] is each for each in ended)


def test_a_kind_of_state_nobody_thought_of_is_refused() -> None:
    world = World()
    world.house.fee_refs = {"a": object()}  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="holds a object"):
        replica(world)


def test_reading_says_how_far_it_is(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reel, "REPORT", 100)
    told: list[tuple[int, int]] = []
    tape = Reel(state, lambda read, newest: told.append((read, newest)))
    assert told == [(read, tape.newest) for read in (100, 200, 300, 400)] + [(tape.newest, tape.newest)]
    tape.close()


def test_the_work_of_a_step_is_bounded(state: Path, tight: None, monkeypatch: pytest.MonkeyPatch) -> None:
    folded = 0

    def counted(world: World, entry: Entry) -> Fact:
        nonlocal folded
        folded += 1
        return fold(world, entry)

    tape = Reel(state)
    monkeypatch.setattr(reel, "fold", counted)
    for seq in range(tape.newest - 1, 0, -1):
        folded = 0
        tape.seek(seq)
        assert folded <= tape._distance
    for seq in range(2, tape.newest):
        folded = 0
        tape.seek(seq)
        assert folded == 1
    tape.seek(tape._distance * 2 - 1)
    folded = 0
    tape.seek(tape._distance * 2 - 2)
    assert folded < reel.SHORTEST, "near the cursor there is a still closer than the next"
    tape.close()
