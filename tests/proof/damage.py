"""What can happen to the files of a state directory, and the directories it happens to."""

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine.stills.make import make
from engine.stills.world import Still
from store.chain import Entry
from store.reader import entries
from tests.engine.stills import folded
from tests.proof.zygote import born

PAGE: Final = 4_096
FILES: Final = ("perpdesk.db", "perpdesk.db-wal", "perpdesk.db-shm", "perpdesk.head", "index.db", "index.db-wal")
LIVED: Final = "3s"


@dataclass(frozen=True)
class State:
    """A directory that is never touched, and what is right in it."""

    path: Path
    rows: tuple[Entry, ...]
    still: Still
    stills: tuple[str, ...] = field(default=())

    @property
    def seq(self) -> int:
        return len(self.rows)

    def copied(self, to: Path) -> Path:
        """What an engine needs of it, for something to happen to."""
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir()
        for name in (*FILES, *self.stills):
            if (self.path / name).exists():
                shutil.copyfile(self.path / name, to / name)
                (to / name).chmod(0o600)
        return to


def state(path: Path) -> State:
    """Of a directory that nobody has open; opening it here changes nothing that counts."""
    kept = path.with_name(f"{path.name}-kept")
    shutil.copytree(path, kept, ignore=lambda _, names: [name for name in names if name.endswith((".sock", ".lock"))])
    rows = tuple(entries(path))
    _, still = folded(path)
    return State(kept, rows, still, tuple(each.name for each in kept.glob("perpdesk.still-*")))


def lived(folder: Path, name: str, seed: int, *, killed: bool) -> State:
    """A demo of its own, which has made a snapshot on the way; killed, its newest entries are in the log only."""
    path = folder / name
    arguments = ("demo", "--headless", "--seed", str(seed), "--state", str(path))
    assert born(folder, *arguments, "--for", LIVED).status() == 0
    make(path, lambda _: None)
    life = born(folder, *arguments, "--for", "60s" if killed else LIVED)
    if killed:
        assert not life.ended(float(LIVED[:-1]))
        life.kill()
    else:
        assert life.status() == 0, life.words()
    found = state(path)
    assert (found.path / "perpdesk.db-wal").exists() == killed
    assert found.stills
    return found


Damage = Callable[[random.Random, Path, State], None]
"""Does something to a file; the state is another's."""


def flip(rng: random.Random, file: Path, _other: State) -> None:
    content = bytearray(file.read_bytes())
    for _ in range(rng.choice((1, 1, 1, 1, 8, 300))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    file.write_bytes(content)


def zero(rng: random.Random, file: Path, _other: State) -> None:
    content = bytearray(file.read_bytes())
    at = rng.randrange(0, len(content), PAGE)
    content[at : at + PAGE] = bytes(len(content[at : at + PAGE]))
    file.write_bytes(content)


def garbage(rng: random.Random, file: Path, _other: State) -> None:
    content = bytearray(file.read_bytes())
    at = rng.randrange(0, len(content), 512)
    content[at : at + PAGE] = rng.randbytes(len(content[at : at + PAGE]))
    file.write_bytes(content)


def cut(rng: random.Random, file: Path, _other: State) -> None:
    with file.open("r+b") as held:
        held.truncate(rng.choice((0, rng.randrange(file.stat().st_size), rng.randrange(file.stat().st_size))))


def gone(_rng: random.Random, file: Path, _other: State) -> None:
    file.unlink()


def swapped(rng: random.Random, file: Path, other: State) -> None:
    """Another's file of that name, or another file of one's own."""
    theirs = [other.path / each for each in FILES if (other.path / each).exists()]
    same = other.path / (other.stills[0] if "still" in file.name else file.name)
    shutil.copyfile(same if same in theirs and rng.random() < 0.6 else rng.choice(theirs), file)


def moved(rng: random.Random, file: Path, _other: State) -> None:
    """Two pieces have changed places."""
    content = bytearray(file.read_bytes())
    one, two = (rng.randrange(0, len(content), 512) for _ in range(2))
    size = min(PAGE, len(content) - max(one, two))
    content[one : one + size], content[two : two + size] = content[two : two + size], content[one : one + size]
    file.write_bytes(content)


OTHERS: Final[tuple[Damage, ...]] = (zero, garbage, cut, gone, swapped, moved)
