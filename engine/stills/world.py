"""A world as the body of a snapshot, and back.

The body is a pickle, because only that keeps what is one thing in the world one thing, and is fast enough. It is read
by an unpickler that knows the classes a world is made of and no others. Before it stands a fingerprint of the code that
folded it: the shape alone would not say that a fold has been corrected since.
See docs/decisions/0013-snapshots-are-made-elsewhere.md.
"""

import gc
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, partial
from hashlib import blake2b
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from operator import attrgetter
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import structlog

from engine.chronicle import Chronicle, Remembered
from engine.settlement import Start
from engine.world import World
from store import stills
from store.backup import DB
from store.chain import Mark
from store.errors import Damaged
from store.reader import Reader

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
_FINGERPRINT = 32
_BUILT_IN = ("builtins", "types")
"""Modules whose values a pickle spells without a class, or not at all."""
_FOLDERS = ("engine", "venue")
"""Packages whose code a world depends on."""


@dataclass(frozen=True, slots=True)
class Still:
    """Everything a recovery needs of the entries up to one."""

    at_ms: int
    """When that entry was written."""
    world: World
    told: Remembered


class Unreadable(ValueError):
    """A body that this perpdesk has not made, or cannot read."""


class Foreign(Unreadable):
    """Made by a perpdesk of other code: of no use to this one, and nothing is wrong with it."""


def freeze(still: Still) -> bytes:
    """The body of a snapshot."""
    file = BytesIO()
    file.write(fingerprint())
    pickler = pickle.Pickler(file, 5)
    pickler.dispatch_table = _spellings()
    pickler.dump(still)
    return file.getvalue()


def thaw(body: bytes) -> Still:
    """What `freeze` was given. Raises Foreign, or Unreadable, whatever is wrong with it."""
    if body[:_FINGERPRINT] != fingerprint():
        raise Foreign("made by another perpdesk")
    file = BytesIO(body)
    file.seek(_FINGERPRINT)
    try:
        with _no_collector():
            still = _Reader(file).load()
    except Exception as error:  # an unpickler raises anything
        raise Unreadable(f"cannot be read: {error!r}") from error
    if not isinstance(still, Still):
        raise Unreadable(f"holds a {type(still).__name__}, expected a snapshot")
    return still


def newest(directory: Path, reader: Reader, unfit: Callable[[str], None]) -> tuple[Mark, Still] | None:
    """The newest snapshot of the journal that `reader` reads; each newer one that is of no use is told to `unfit`.

    Raises StoreError when the journal or the directory cannot be read, Damaged when a snapshot remembers entries that
    the journal has not got.
    """
    for path in stills.found(directory):
        try:
            file = stills.read(path)
            if reader.knows(file.mark):
                return file.mark, thaw(file.body)
            if file.mark.seq > (last := reader.last()):
                raise behind(directory, path, file.mark, last)
            unfit(f"{path}: of another journal; it is not used")
        except stills.Unfit as error:
            unfit(str(error))
        except Unreadable as error:
            unfit(f"{path}: {error}; it is not used")
    return None


def behind(directory: Path, path: Path, mark: Mark, last: int) -> Damaged:
    """What a snapshot says of a journal that ends before it. It is made of entries that are durable, so none can be
    newer than a journal that is whole: they were lost, or it is an older copy."""
    return Damaged(
        "JOURNAL_BEHIND",
        f"{directory / DB}: ends with entry {last}, and {path.name} was made behind entry {mark.seq}: entries were "
        "lost, or an older copy was put there; perpdesk will not trade on it: restore a backup with --replace, or, "
        f"if that copy is what you want, delete {path}",
    )


def begin(directory: Path, chronicle: Chronicle) -> Start | None:
    """Where the recovery of a journal begins, which the chronicle has been told of; None is at its first entry.

    Raises what `newest` does.
    """
    with Reader(directory) as reader:
        found = newest(directory, reader, lambda why: log.warning("snapshot refused", why=why))
    if found is None:
        return None
    mark, still = found
    chronicle.go_on(still.told)
    log.info("snapshot", seq=mark.seq)
    return Start(mark, still.at_ms, still.world)


class _Reader(pickle.Unpickler):
    """Finds nothing but what a snapshot is made of."""

    def find_class(self, module: str, name: str) -> type:
        known = _classes().get((module, name))
        if known is None:
            raise Unreadable(f"{module}.{name} is no part of a world")
        return known


@cache
def _spellings() -> dict[type, Callable[[object], tuple[type, tuple[object, ...]]]]:
    """Dataclasses as calls with all their fields: those are read twice as fast as fields that are set one by one."""
    return {
        kind: partial(_call, attrgetter(*(field.name for field in fields(kind))))
        for kind in reachable(Still)
        if is_dataclass(kind) and len(fields(kind)) > 1 and all(f.init and not f.kw_only for f in fields(kind))
    }


def _call(values: Callable[[object], tuple[object, ...]], of: object) -> tuple[type, tuple[object, ...]]:
    return type(of), values(of)


@cache
def _classes() -> dict[tuple[str, str], type]:
    named = {(kind.__module__, kind.__qualname__): kind for kind in reachable(Still)}
    return {name: kind for name, kind in named.items() if name[0] not in _BUILT_IN}


def reachable(root: type) -> set[type]:
    """The classes that the annotations of a dataclass lead to, itself and plain built-ins among them."""
    seen: set[type] = set()
    waiting: list[object] = [root]
    while waiting:
        hint = waiting.pop()
        waiting += get_args(hint)
        kind = get_origin(hint) or hint
        if not isinstance(kind, type) or kind in seen:
            continue
        seen.add(kind)
        if is_dataclass(kind):
            hints = get_type_hints(kind)
            waiting += [hints[field.name] for field in fields(kind)]
        else:
            waiting += get_type_hints(kind).values() if issubclass(kind, tuple) else ()
    return seen


@cache
def fingerprint() -> bytes:
    """Of this perpdesk: its version and its code."""
    digest = blake2b(version("perpdesk").encode(), digest_size=_FINGERPRINT)
    for folder in _FOLDERS:
        for name, text in _sources(folder, files(folder)):
            digest.update(f"{name}|{len(text)}|".encode())
            digest.update(text)
    return digest.digest()


def _sources(name: str, folder: Traversable) -> Iterator[tuple[str, bytes]]:
    for each in sorted(folder.iterdir(), key=lambda one: one.name):
        if each.is_dir():
            yield from _sources(f"{name}/{each.name}", each)
        elif each.name.endswith(".py"):
            yield f"{name}/{each.name}", each.read_bytes()


@contextmanager
def _no_collector() -> Iterator[None]:
    """Nothing that is read is garbage, and looking through it again and again takes longer than reading it."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
