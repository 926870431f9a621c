"""`python -m engine.stills.make DIR`: the next snapshot of a journal, in a process of its own, whoever writes there.

It begins at the newest usable snapshot, folds what has been written since with the code the engine recovers with, and
reads what it has made back before that is put in its place. One JSON object on stdout; status 0 for made or nothing
new, 1 with a line on stderr.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.chronicle import Chronicle
from engine.replay import fold
from engine.settlement import Recorded
from engine.stills.world import Still, freeze, newest, thaw
from engine.world import World
from store.chain import Mark
from store.errors import StoreError
from store.reader import Reader
from store.stills import alone

POLITE = 19


@dataclass(frozen=True, slots=True)
class Made:
    """The newest snapshot there is now, and how many facts had to be folded for it."""

    seq: int
    folded: int


def make(directory: Path, say: Callable[[str], None]) -> Made:
    """Makes the next snapshot of the journal in a directory. `say` is told why one that is there is of no use.

    Raises StoreError when the journal cannot be trusted, when another process is at it, or when the disk refuses.
    """
    with Reader(directory) as reader, alone(directory) as draft:
        mark, still = newest(directory, reader, say) or (Mark(), None)
        reader.go_to(mark)
        still = _folded(reader, still)
        if still is None or reader.mark == mark:
            return Made(mark.seq, 0)
        body = freeze(still)
        if thaw(body) != still:
            raise StoreError("STILL_UNFIT", f"{directory}: a snapshot does not read back as the world it was made of")
        try:
            draft.put(reader.mark, body)
        except OSError as error:
            raise StoreError("STATE_UNUSABLE", f"{directory}: no snapshot: {error.strerror}") from error
        return Made(reader.mark.seq, reader.mark.seq - mark.seq)


def _folded(reader: Reader, begin: Still | None) -> Still | None:
    """All that is committed, from a snapshot on; None when there is nothing at all."""
    at_ms, world, chronicle = 0, World(), Chronicle(logging=False)
    if begin:
        at_ms, world = begin.at_ms, begin.world
        chronicle.go_on(begin.told)
    for entry in reader.read(reader.newest() - reader.mark.seq):
        fact = fold(world, entry)
        at_ms = entry.at_ms
        chronicle.record((Recorded(entry.seq, at_ms, fact),), replayed=True)
    return Still(at_ms, world, chronicle.remembered()) if reader.mark.seq else None


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def main(arguments: list[str]) -> int:
    """The exit status."""
    if len(arguments) != 1:
        _say("usage: python -m engine.stills.make DIR")
        return 64
    os.nice(POLITE)
    try:
        made = make(Path(arguments[0]), _say)
    except StoreError as error:
        _say(str(error))
        return 1
    sys.stdout.write(json.dumps(asdict(made)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
