"""Folding journals into worlds."""

from pathlib import Path

from engine import codec, world
from engine.world import Fact, World
from store.chain import Entry
from store.errors import Damaged
from store.reader import entries
from venue.exchange.ledger import Overdrawn


def fold(state: World, entry: Entry) -> Fact:
    """Folds an entry into the world and returns its fact. Raises Damaged when it contradicts those before."""
    fact = codec.decode(entry.kind, entry.payload)
    try:
        world.evolve(state, fact, entry.seq, entry.at_ms)
    except (Overdrawn, LookupError) as error:
        raise Damaged("DOES_NOT_FOLD", f"entry {entry.seq} ({entry.kind}) contradicts the ones before") from error
    return fact


def world_of(directory: Path) -> World:
    """The world as last committed in a state directory, running or not. Raises StoreError."""
    state = World()
    for entry in entries(directory):
        fold(state, entry)
    return state
