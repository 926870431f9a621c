"""What somebody here looks at is found without walking over what they do not."""

from pathlib import Path

from engine.codec import decode
from engine.watched import Watched
from engine.world import World, evolve
from store.reader import entries
from tests.engine.journals import write
from venue.exchange.paper import everybody


def ours(account: str) -> bool:
    return account.endswith(("1", "7"))


async def test_after_every_fact_it_has_what_a_walk_over_everybody_finds(tmp_path: Path) -> None:
    await write(tmp_path, 1_500)
    world, seen, most = World(), 0, 0
    watched = Watched(world.exchange, ours)
    for entry in entries(tmp_path):
        fact = decode(entry.kind, entry.payload)
        evolve(world, fact, entry.seq, entry.at_ms)
        watched.follow(world.exchange, fact)
        expected = {each.id: each for each in everybody(world.exchange) if ours(each.user_id)}
        found = {each.id: each for each in watched.of(world.exchange)}
        assert found.keys() == expected.keys()
        assert all(found[number] is position for number, position in expected.items())
        seen, most = seen + len(found), max(most, len(found))
    assert most > 3
    again = Watched(world.exchange, ours)
    assert {each.id for each in again.of(world.exchange)} == {each.id for each in watched.of(world.exchange)}
