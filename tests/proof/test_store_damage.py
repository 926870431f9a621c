"""Whatever has happened to the files of a state directory: a start refuses with its code, or recovers what is right."""

import asyncio
import json
import random
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from engine.audit import audit
from engine.replay import fold
from engine.sound import faults
from engine.stills.world import Still
from store import stills
from store.chain import GENESIS, chain
from store.errors import StoreError
from store.head import Head, HeadFile
from store.reader import Reader
from tests.engine.stills import folded, started
from tests.proof.damage import OTHERS, Damage, State, flip, lived
from tests.proof.places import in_memory
from tests.proof.zygote import born
from tests.scale import SEED, scaled
from tests.store.test_journal import edit

FLIPS: Final = scaled(100, 1_000, 1_000)
OTHER_DAMAGE: Final = scaled(60, 500, 3_000)
PROGRAMS: Final = scaled(6, 60, 400)
STEP: Final = 512
TAIL: Final = 64 * 1024
TORN_EVERY: Final = scaled(8, 1, 1)
CODES: Final = {"JOURNAL_DAMAGED", "NOT_A_JOURNAL", "JOURNAL_BEHIND", "NEWER_SCHEMA", "STATE_UNUSABLE"}
WEIGHTS: Final = {"perpdesk.db": 5, "perpdesk.db-wal": 5, "perpdesk.db-shm": 1, "perpdesk.head": 2}


@pytest.fixture
def folder(tmp_path: Path) -> Generator[Path, None, None]:
    with in_memory(tmp_path) as quick:
        yield quick


@dataclass(frozen=True)
class States:
    """One that was killed, and one that was stopped in order; of different demos."""

    killed: State
    stopped: State

    def chosen(self, rng: random.Random) -> tuple[State, State]:
        """One, and the other."""
        return rng.choice(((self.killed, self.stopped), (self.stopped, self.killed)))


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> States:
    folder = tmp_path_factory.mktemp("states")
    return States(lived(folder, "killed", 5, killed=True), lived(folder, "stopped", 6, killed=False))


def done(rng: random.Random, of: State, other: State, damage: Damage, to: Path) -> str:
    """Damages a file of a copy; which."""
    weights = WEIGHTS | dict.fromkeys(of.stills, 1)
    files = sorted(name for name in weights if (of.path / name).exists() and (of.path / name).stat().st_size)
    (name,) = rng.choices(files, [weights[each] for each in files])
    damage(rng, of.copied(to) / name, other)
    return f"{damage.__name__} {name} of {of.path.name}"


async def wrong(directory: Path, right: State, *, at_least: int | None = None) -> str:
    """What a start makes of a directory that should not be so; nothing if it refuses or recovers what is right.

    With `at_least`, newer entries may be missing: nobody has been told of them.
    """
    try:
        found = await started(directory)
    except StoreError as error:
        return "" if error.code in CODES else f"refused as {error.code}: {error}"
    except Exception as error:
        return f"fell over: {error!r}"
    least = right.seq if at_least is None else at_least
    if not least <= found.seq <= right.seq:
        return f"recovered {found.seq} of {right.seq} entries, {least} at least were acknowledged"
    still = right.still if found.seq == right.seq else folded_to(right, directory.with_name("prefix"), found.seq)
    if found.world != still.world or found.told != still.told:
        return f"recovered another world than the one behind entry {found.seq}"
    return ""


def folded_to(right: State, to: Path, seq: int) -> Still:
    return folded(right.copied(to), seq)[1]


def audited(directory: Path, right: State) -> str:
    """What an audit gets wrong: it has to find every damage that would matter."""
    try:
        report = audit(directory)
    except StoreError:
        return ""
    except Exception as error:
        return f"the audit fell over: {error!r}"
    if report.ok and (report.mark.seq != right.seq or report.world != right.still.world):
        return f"the audit finds nothing wrong with entry {report.mark.seq} of {right.seq}"
    return ""


async def judged(directory: Path, right: State) -> str:
    """An audit, a start, and a second one, which must not be content with what the first has left."""
    return audited(directory, right) or await wrong(directory, right) or await wrong(directory, right)


async def test_what_is_behind_the_damage_of_a_log_is_left_for_whoever_can_save_it(states: States, folder: Path) -> None:
    directory = states.killed.copied(folder / "damaged")
    log = directory / "perpdesk.db-wal"
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)
    before = {name: (directory / name).read_bytes() for name in ("perpdesk.db", "perpdesk.db-wal", "perpdesk.head")}
    for _ in range(2):
        with pytest.raises(StoreError, match="are missing"):
            await started(directory)
    assert {name: (directory / name).read_bytes() for name in before} == before
    content[len(content) // 2] ^= 1
    log.write_bytes(content)
    assert (await started(directory)).world == states.killed.still.world


@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("damages", "count"), [((flip,), FLIPS), (OTHERS, OTHER_DAMAGE)], ids=["flips", "others"])
async def test_damage_is_found_or_harmless(
    states: States, folder: Path, damages: tuple[Damage, ...], count: int, tried: Callable[[int], None]
) -> None:
    for number in range(count):
        rng = random.Random(f"{SEED}:{number}")
        of, other = states.chosen(rng)
        what = done(rng, of, other, damages[number % len(damages)], folder / "damaged")
        told = await judged(folder / "damaged", of)
        assert not told, f"seed {SEED}, case {number}, {what}: {told}"
    tried(count)


@pytest.mark.timeout(7200)
async def test_a_torn_log_is_cut_where_nobody_was_told(
    states: States, folder: Path, tried: Callable[[int], None]
) -> None:
    """At every sector of its end; with the witness as it is, and with one that a power loss has left behind."""
    of, rng = states.killed, random.Random(SEED)
    size = (of.path / "perpdesk.db-wal").stat().st_size
    ends = range(max(0, size - TAIL) // STEP * STEP, size, STEP * TORN_EVERY)
    hashes = marks(of)
    for end in ends:
        for least in (of.seq, rng.randint(1, of.seq)):
            directory = of.copied(folder / "torn")
            with (directory / "perpdesk.db-wal").open("r+b") as log:
                log.truncate(end)
            witness = HeadFile(directory)
            witness.write(Head(least, hashes[least]))
            witness.close()
            told = await wrong(directory, of, at_least=least)
            assert not told, f"seed {SEED}, log cut to {end} of {size}, witness of {least}: {told}"
    tried(2 * len(ends))


def marks(of: State) -> dict[int, bytes]:
    """The hash of each entry."""
    found = {0: GENESIS}
    for row in of.rows:
        found[row.seq] = chain(found[row.seq - 1], row.seq, row.at_ms, row.kind, row.payload)
    return found


@pytest.mark.parametrize(
    ("half", "code"),
    [
        ("PRAGMA user_version = 2", "NEWER_SCHEMA"),
        ("PRAGMA application_id = 1", "NOT_A_JOURNAL"),
        ("PRAGMA application_id = 0; PRAGMA user_version = 0", "NOT_A_JOURNAL"),
        ("DROP TABLE meta", "JOURNAL_DAMAGED"),
        ("DELETE FROM meta", "JOURNAL_DAMAGED"),
        ("ALTER TABLE meta RENAME COLUMN value TO was", "JOURNAL_DAMAGED"),
        ("ALTER TABLE journal RENAME TO journal_old", "JOURNAL_DAMAGED"),
        ("ALTER TABLE journal RENAME COLUMN payload TO body", "JOURNAL_DAMAGED"),
        ("CREATE TABLE other (x); DROP TABLE journal", "JOURNAL_DAMAGED"),
    ],
)
def test_half_a_migration_is_refused(states: States, tmp_path: Path, half: str, code: str) -> None:
    directory = states.stopped.copied(tmp_path / "half")
    edit(directory, *half.split("; "))
    life = born(tmp_path, "demo", "--headless", "--for", "0s", "--state", str(directory))
    assert life.status() == 66
    assert len(said(life.words())) == 1
    with pytest.raises(StoreError) as caught:
        asyncio.run(started(directory))
    assert caught.value.code == code


def shortened(of: State, to: Path) -> Path:
    """An older copy of the journal and no witness, below what a snapshot remembers."""
    directory = of.copied(to)
    edit(
        directory,
        "DROP TRIGGER journal_is_never_cut",
        f"DELETE FROM journal WHERE seq >= {min(map(stills.seq_of, stills.found(directory)))}",  # noqa: S608
    )
    (directory / "perpdesk.head").unlink()
    return directory


def test_a_journal_that_ends_before_its_snapshot_is_not_traded_on(states: States, tmp_path: Path) -> None:
    kept = states.stopped.copied(tmp_path / "kept")
    assert born(tmp_path, "backup", str(kept), str(tmp_path / "backup")).status() == 0
    for way_out in ("restore", "delete"):
        directory = shortened(states.stopped, tmp_path / way_out)
        run = ("demo", "--headless", "--for", "0s", "--state", str(directory))
        life = born(tmp_path, *run)
        assert life.status() == 66
        (words,) = said(life.words())
        checked = born(tmp_path, "verify", str(directory))
        assert checked.status() == 66
        assert words.removeprefix("perpdesk: ") in checked.out.read_text()
        (still,) = stills.found(directory)
        if way_out == "restore":
            assert born(tmp_path, "restore", str(tmp_path / "backup"), str(directory), "--replace").status() == 0
            assert not stills.found(directory)
            assert not (directory / "index.db").exists()
        else:
            assert words.endswith(f"delete {still}")
            still.unlink()
        life = born(tmp_path, *run)
        assert life.status() == 0, life.words()


async def test_nobody_else_would_notice(states: States, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reader, "last", lambda _: 2**63)
    assert "recovered" in await wrong(shortened(states.stopped, tmp_path / "older"), states.stopped)


def said(err: str) -> list[str]:
    """What is no line of the log."""
    return [line for line in err.splitlines() if not line.startswith("timestamp=")]


@pytest.mark.timeout(7200)
def test_the_program_says_so_in_one_line(states: States, tmp_path: Path, tried: Callable[[int], None]) -> None:
    """Its index among the files; where it starts, everything is as it was and goes on."""
    for number in range(PROGRAMS):
        rng = random.Random(f"{SEED}:program {number}")
        of, other = states.chosen(rng)
        directory, damage = of.copied(tmp_path / "damaged"), rng.choice((flip, *OTHERS))
        name = rng.choice([each.name for each in sorted(directory.iterdir()) if each.stat().st_size])
        damage(rng, directory / name, other)
        life = born(tmp_path, "demo", "--headless", "--for", "0s", "--state", str(directory))
        told = program_wrong(life.status(), life.words(), life.out.read_text(), directory, of)
        assert not told, f"seed {SEED}, case {number}, {damage.__name__} {name} of {of.path.name}: {told}"
    tried(PROGRAMS)


def program_wrong(status: int, err: str, out: str, directory: Path, of: State) -> str:
    words = said(err)
    if status in (66, 74):
        return "" if len(words) == 1 and words[0].startswith("perpdesk: ") and not out else f"it said {err!r}"
    if status:
        return f"exit status {status}: {err[-500:]}"
    if words or json.loads(out)["facts"] < of.seq:
        return f"it went on from {out}{words}"
    return went_on(directory, of)


def went_on(directory: Path, of: State) -> str:
    """What is wrong with a world that begins where the right one ended. What a snapshot stands for is not read."""
    mark, still = folded(of.path)
    with Reader(directory) as reader:
        if not reader.knows(mark):
            return f"it has another entry {mark.seq}"
        reader.go_to(mark)
        for entry in reader.read(reader.last() - mark.seq):
            fold(still.world, entry)
    found = asyncio.run(started(directory))
    return next(faults(found.world), "") if found.world == still.world else "it went on in another world"


def deaf(patch: pytest.MonkeyPatch) -> None:
    """The chain is not checked."""
    patch.setattr("store.chain.chain", lambda *_: Always())


class Always:
    """Equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


def forgetful(patch: pytest.MonkeyPatch) -> None:
    """Nobody asks the witness."""
    patch.setattr("store.head._said", lambda _: None)


@pytest.mark.parametrize(
    ("plant", "damage", "found"),
    [(deaf, flip, "recovered another world|refused as|fell over"), (forgetful, OTHERS[2], "recovered [0-9]+ of")],
    ids=["no chain", "no witness"],
)
async def test_what_is_planted_is_found(
    states: States,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
    damage: Damage,
    found: str,
) -> None:
    plant(monkeypatch)
    for number in range(400):
        rng = random.Random(number)
        of, other = states.chosen(rng)
        done(rng, of, other, damage, folder / "damaged")
        if told := await wrong(folder / "damaged", of):
            assert re.match(found, told)
            return
    raise AssertionError("nobody noticed")
