"""A file system under a program's own calls that remembers what was synced, and loses power between any two of them.

What is in a file is durable once the file was synced, and a name once its folder was. Of the rest a power loss leaves
anything: any of the names given and taken since, a file as it was, as it is, or torn at sectors. Syncs of SQLite itself
are not seen: who wants a file of its to last must say so.
"""

import os
import random
import stat
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

SECTOR: Final = 512
KEEPS: Final = ("all", "none", "names", "contents", "some")
CALLS: Final = ("fsync", "rename", "replace", "unlink", "rmdir", "mkdir", "open", "write", "pwrite", "close")
Names = dict[str, int]
Change = dict[str, int | None]
"""One call's: names and what they are now, None where they are gone."""


@dataclass
class _File:
    durable: bytes = b""
    now: bytes = b""


@dataclass
class _Folder:
    durable: Names = field(default_factory=dict)
    now: Names = field(default_factory=dict)
    since: list[Change] = field(default_factory=list)

    def left(self, keep: str, rng: random.Random) -> Names:
        """What a power loss leaves of its names."""
        if keep in ("all", "names"):
            return self.now
        found = dict(self.durable)
        for change in self.since if keep == "some" else ():
            if rng.random() < 0.5:
                found = _with(found, change)
        return found


@dataclass
class Moment:
    """All that a power loss at one moment may find."""

    after: str
    """The call before it."""
    root: int
    files: dict[int, _File]
    folders: dict[int, _Folder]

    def put(self, directory: Path, keep: str, rng: random.Random) -> Path:
        """One of the trees it may leave, in a new folder."""
        self._put(directory, self.root, keep, rng)
        return directory

    def _put(self, directory: Path, folder: int, keep: str, rng: random.Random) -> None:
        directory.mkdir()
        for name, each in self.folders[folder].left(keep, rng).items():
            if each in self.folders:
                self._put(directory / name, each, keep, rng)
            else:
                (directory / name).write_bytes(_left(self.files[each], keep, rng))


def _with(names: Names, change: Change) -> Names:
    return {name: number for name, number in (names | change).items() if number is not None}


def _left(file: _File, keep: str, rng: random.Random) -> bytes:
    how = {"all": "now", "contents": "now", "some": rng.choice(("now", "durable", "torn"))}.get(keep, "durable")
    if how != "torn":
        return file.now if how == "now" else file.durable
    long = len(rng.choice((file.now, file.durable)))
    sources = (file.now, file.durable, file.durable)
    pieces = [rng.choice(sources)[at : at + SECTOR].ljust(SECTOR, b"\0") for at in range(0, long, SECTOR)]
    return b"".join(pieces)[:long]


class Tree:
    """A folder, all of it durable when it is met. `moments` are those between the calls of `lived`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.moments: list[Moment] = []
        self._files: dict[int, _File] = {}
        self._folders: dict[int, _Folder] = {}
        self._here = self._look(root)
        for number in (*self._folders, *self._files):
            self._synced(number)

    def _look(self, folder: Path) -> int:
        """Takes in what became of a folder, and all that is in it."""
        number = folder.stat().st_ino
        names = {}
        for each in folder.iterdir():
            found = each.lstat()
            names[each.name] = found.st_ino
            if stat.S_ISDIR(found.st_mode):
                self._look(each)
            else:
                self._files.setdefault(found.st_ino, _File()).now = each.read_bytes()
        known = self._folders.setdefault(number, _Folder())
        if known.now != names:
            gone = dict.fromkeys(known.now.keys() - names.keys())
            known.since.append(gone | {name: each for name, each in names.items() if known.now.get(name) != each})
            known.now = names
        return number

    def _synced(self, number: int) -> None:
        if number in self._folders:
            folder = self._folders[number]
            folder.durable, folder.since = folder.now, []
        elif number in self._files:
            self._files[number].durable = self._files[number].now

    def happened(self, after: str) -> None:
        """Between two calls; nothing, where they have changed nothing."""
        self._look(self.root)
        files = {number: _File(each.durable, each.now) for number, each in self._files.items()}
        folders = {number: _Folder(each.durable, each.now, list(each.since)) for number, each in self._folders.items()}
        moment = Moment(after, self._here, files, folders)
        if not self.moments or (files, folders) != (self.moments[-1].files, self.moments[-1].folders):
            self.moments.append(moment)

    @contextmanager
    def lived(self) -> Generator[None, None, None]:
        """While a program does what it does."""
        with ExitStack() as stack:
            for name in CALLS:
                stack.enter_context(patch.object(os, name, self._told(name, getattr(os, name))))
            yield
        self.happened("all of it")

    def _told(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def told(*given: Any, **named: Any) -> Any:
            number = os.fstat(given[0]).st_ino if name == "fsync" else 0
            done = call(*given, **named)
            self._look(self.root)
            self._synced(number)
            self.happened(f"{name} {given[0]}")
            return done

        return told
