"""A world from a snapshot and what follows is the world of the whole journal; rather none than a wrong one."""

import os
import pickle
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.chronicle import Chronicle, Remembered
from engine.snapshot import Event
from engine.stills import make as still
from engine.stills import world as still_world
from engine.stills.world import Still, Unreadable, fingerprint, freeze, thaw
from engine.world import World
from store import stills
from store.chain import Mark
from store.errors import Damaged
from store.stills import alone, found
from tests.engine.journals import write
from tests.engine.stills import Row, folded, journaled, started
from tests.simulation.day import play
from tests.store.test_journal import edit
from venue.exchange.state import PositionStatus


def quiet(why: str) -> None:
    raise AssertionError(why)


@pytest.fixture(scope="session")
def day() -> list[Row]:
    """Every fact of a day of desks under a hostile agent, hostile prices and crashes."""
    return play(7).story()


async def test_a_crowd_on_curves(tmp_path: Path) -> None:
    world = await write(tmp_path, 400, seed=3)
    path = tmp_path / "perpdesk.still-300"
    mark, then = folded(tmp_path, 300)
    with alone(tmp_path) as draft:
        assert draft.put(mark, freeze(then)) == path
    now = await started(tmp_path)
    assert (now.begun, now.refused) == (300, ())
    assert now.world == world
    ended = [each for each in world.exchange.positions.values() if each.status is not PositionStatus.OPEN]
    assert ended
    assert world.exchange.open_positions


async def test_a_day_of_desks_made_piece_by_piece(tmp_path: Path, day: list[Row]) -> None:
    rng, written = random.Random(1), 0
    while written < len(day):
        piece = day[written : written + rng.randint(1, len(day) // 4)]
        await journaled(tmp_path, piece)
        written += len(piece)
        assert still.make(tmp_path, quiet) == still.Made(written, len(piece))
        now, (mark, whole) = await started(tmp_path), folded(tmp_path)
        assert (now.begun, now.seq, now.last_ms) == (written, mark.seq, whole.at_ms)
        assert now.world == whole.world
        assert now.told == whole.told
    assert len(found(tmp_path)) == stills.KEPT


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 1), seed=st.integers(0, 40))
async def test_wherever_it_is_made_the_rest_leads_to_the_same(
    tmp_path_factory: pytest.TempPathFactory, cut: float, seed: int
) -> None:
    directory = tmp_path_factory.mktemp("cut")
    await write(directory, 120, seed)
    mark, whole = folded(directory)
    at, then = folded(directory, max(1, round(cut * mark.seq)))
    with alone(directory) as draft:
        draft.put(at, freeze(then))
    now = await started(directory)
    assert (now.begun, now.refused) == (at.seq, ())
    assert (now.world, now.told, now.seq, now.last_ms) == (whole.world, whole.told, mark.seq, whole.at_ms)


async def test_what_is_one_thing_stays_one_thing(tmp_path: Path) -> None:
    await write(tmp_path, 200)
    world = thaw(freeze(folded(tmp_path)[1])).world
    assert world.exchange.open_positions
    assert all(world.exchange.positions[key] is each for key, each in world.exchange.open_positions.items())
    kinds = {type(each.status) for each in world.exchange.positions.values()}
    assert kinds == {PositionStatus}


async def test_the_chronicle_goes_on_where_it_was(
    tmp_path: Path, day: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.chronicle.RING", 40)
    await journaled(tmp_path, day)
    mark, then = folded(tmp_path, len(day) // 2)
    with alone(tmp_path) as draft:
        draft.put(mark, freeze(then))
    told = (await started(tmp_path)).told
    assert told == folded(tmp_path)[1].told
    assert len(told.events) == 40
    assert told.number > 40
    assert {event.token for event in told.events} > {""}


async def test_a_snapshot_of_another_journal_is_refused_and_the_next_older_one_used(tmp_path: Path) -> None:
    (mine := tmp_path / "mine").mkdir()
    (theirs := tmp_path / "theirs").mkdir()
    await write(mine, 300, seed=1)
    await write(theirs, 300, seed=2)
    for seq, directory in ((100, mine), (200, theirs)):
        mark, then = folded(directory, seq)
        with alone(mine) as draft:
            draft.put(mark, freeze(then))
    now = await started(mine)
    assert now.begun == 100
    assert [why.rpartition(": ")[2] for why in now.refused] == ["of another journal; it is not used"]
    assert now.world == folded(mine)[1].world


async def test_a_snapshot_of_entries_that_are_not_there_says_that_they_were_lost(tmp_path: Path) -> None:
    await write(tmp_path, 100)
    mark, then = folded(tmp_path)
    with alone(tmp_path) as draft:
        future = draft.put(Mark(mark.seq + 1, mark.hash), freeze(then))
    for tries in (lambda: still.make(tmp_path, pytest.fail), lambda: still_world.begin(tmp_path, Chronicle())):
        with pytest.raises(Damaged, match=f"ends with entry {mark.seq}, and {future.name} was made") as caught:
            tries()
        assert caught.value.code == "JOURNAL_BEHIND"
        assert f"delete {future}" in str(caught.value)
    future.unlink()
    assert (await started(tmp_path)).world == then.world


async def test_it_says_so_whatever_perpdesk_it_was_made_by(tmp_path: Path) -> None:
    await write(tmp_path, 100)
    mark, then = folded(tmp_path)
    with alone(tmp_path) as draft:
        draft.put(Mark(mark.seq + 1, mark.hash), bytes(32) + freeze(then)[32:])
    with pytest.raises(Damaged, match="entries were lost"):
        await started(tmp_path)


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "version", "foreign", "nonsense", "another kind"])
async def test_a_snapshot_that_is_damaged_or_foreign_never_makes_a_wrong_world(
    tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(tmp_path, 100)
    mark, then = folded(tmp_path, 60)
    bodies = {
        "version": bytes(32) + freeze(then)[32:],
        "foreign": fingerprint() + pickle.dumps(os.system),
        "nonsense": fingerprint() + b"nonsense",
        "another kind": fingerprint() + pickle.dumps(then.world),
    }
    with alone(tmp_path) as draft:
        path = draft.put(mark, bodies.get(damage, freeze(then)))
    whole = bytearray(path.read_bytes())
    if damage == "flipped":
        whole[len(whole) // 2] ^= 1
    size = {"cut": len(whole) - 9, "empty": 0}.get(damage, len(whole))
    path.write_bytes(whole[:size])
    now = await started(tmp_path)
    assert (now.begun, len(now.refused)) == (0, 1)
    assert str(path) in now.refused[0]
    assert (now.world, now.told) == (folded(tmp_path)[1].world, folded(tmp_path)[1].told)


async def test_what_is_behind_a_snapshot_is_held_against_the_chain(tmp_path: Path) -> None:
    await write(tmp_path, 100)
    still.make(tmp_path, quiet)
    await journaled(tmp_path, [(1, "Deposited", '{"user":"a","moves":[]}')] * 3)
    newest = "(SELECT max(seq) FROM journal)"
    edit(tmp_path, "DROP TRIGGER journal_is_never_edited", f"UPDATE journal SET at_ms = 2 WHERE seq = {newest}")  # noqa: S608 - ours
    with pytest.raises(Damaged, match="does not fit"):
        await started(tmp_path)


def test_made_by_other_code(monkeypatch: pytest.MonkeyPatch) -> None:
    body = freeze(_empty())
    assert thaw(body) == _empty()
    sources = still_world._sources
    monkeypatch.setattr(still_world, "_sources", lambda name, folder: [*sources(name, folder), ("engine/new.py", b"")])
    fingerprint.cache_clear()
    try:
        with pytest.raises(Unreadable, match="another perpdesk"):
            thaw(body)
    finally:
        fingerprint.cache_clear()


def test_made_by_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    body = freeze(_empty())
    monkeypatch.setattr(still_world, "version", lambda _name: "99.0")
    fingerprint.cache_clear()
    try:
        with pytest.raises(Unreadable, match="another perpdesk"):
            thaw(body)
    finally:
        monkeypatch.undo()
        fingerprint.cache_clear()
    assert thaw(body) == _empty()


def _empty() -> Still:
    return Still(0, World(), Remembered(0, {}, ()))


@dataclass
class Mine:
    """A harmless class that is no part of a world."""

    number: int = 1


class _Calls:
    def __init__(self, call: Callable[..., object], *arguments: object) -> None:
        self._reduced = (call, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self._reduced


@pytest.mark.parametrize(
    "smuggled",
    [
        _Calls(os.system, "false"),
        _Calls(eval, "1"),
        _Calls(getattr, 1, "real"),
        _Calls(pickle.loads, b"N."),
        _Calls(Path, "/"),
        Mine(),
        Mine,
        os.system,
        print,
    ],
    ids=("system", "eval", "getattr", "loads", "path", "stranger", "class", "builtin", "print"),
)
def test_nothing_that_is_no_part_of_a_world_is_even_looked_up(smuggled: object) -> None:
    with pytest.raises(Unreadable, match="is no part of a world"):
        thaw(fingerprint() + pickle.dumps(smuggled, 5))


def test_a_dotted_name_leads_nowhere() -> None:
    body = b"\x80\x05\x8c\x0cengine.world\x8c\x0eWorld.__init__\x93."
    with pytest.raises(Unreadable, match="is no part of a world"):
        thaw(fingerprint() + body)


KINDS = [kind for _, kind in sorted(still_world._classes().items())]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_whatever_the_annotations_allow_can_be_kept(kind: type, data: st.DataObject) -> None:
    value = data.draw(st.from_type(kind))
    event = replace(Event(1, 2, "a", "k", "t"), text=value)  # a place for any value
    kept = thaw(freeze(Still(1, World(), Remembered(1, {}, (event,))))).told.events[0].text
    assert kept == value
    assert type(kept) is type(value)


def test_the_classes_are_those_a_world_is_made_of() -> None:
    known = set(still_world._classes().values())
    assert {World, Event, Still, PositionStatus} <= known
    strangers = {kind for kind in known if kind.__module__.split(".")[0] not in ("engine", "venue")}
    assert strangers == {Fraction, Counter}
