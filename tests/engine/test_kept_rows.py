"""Rows that are kept from one picture to the next say what rows made afresh would say, after every fact."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import TypeVar, get_args

import pytest

from engine.codec import decode
from engine.desk_view import DeskRows
from engine.desks import facts
from engine.desks.state import Desk
from engine.desks.terms import Terms
from engine.funds_view import FundsView
from engine.sections import Buybacks, Risk
from engine.wallet import Balances
from engine.world import World, evolve
from store.reader import entries
from tests.engine.journals import write
from tests.simulation.day import START_MS, play
from tests.simulation.test_days import NEVER
from venue.exchange.commands import ListMarket, OpenPosition, Rejection
from venue.exchange.fixed import MICRO, WAD, wad
from venue.exchange.machine import decide
from venue.exchange.machine import evolve as fold
from venue.exchange.paper import PositionViews
from venue.exchange.params import MarketParams
from venue.exchange.state import Exchange
from venue.perp import MarketTerms, PerpPosition, PositionRef, Profit

SEEDS = (2, 7, 8)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Count:
    """Of a wallet nobody has looked into."""

    counted: Balances | None = None
    counted_at_ms: int | None = None
    books: int = 0


def _position(desk: Desk, mark: int) -> PerpPosition:
    assert desk.ref is not None
    profit = Profit(mark // MICRO, -1)
    return PerpPosition(desk.ref, desk.address, 10**7, 10**8, 10 * WAD, 2000 * WAD, mark, profit, 0.1, mark - 1, 10**7)


class _Kept:
    """Two views of one world: one that looks all the time, and one that has never looked before."""

    def __init__(self) -> None:
        self.world = World()
        self.terms = Terms(Risk(), 75)
        self.positions: dict[PositionRef, PerpPosition] = {}
        self.rows, self.funds = self._views()

    def _views(self) -> tuple[DeskRows, FundsView]:
        return DeskRows(self.terms), FundsView(self.terms.caps, Buybacks(), _Count(), "", lambda _: ())

    def look(self, seq: int) -> None:
        rows, funds = self._views()
        assert self.rows.build(self.world.house, self.positions) == rows.build(self.world.house, self.positions)
        assert self.funds.build(self.world, seq, START_MS) == funds.build(self.world, seq, START_MS)


def _day(kept: _Kept, seed: int) -> Iterator[str]:
    """Folds a day of desks, fact by fact; positions move now and then, and the venue's terms."""
    rng = random.Random(seed)
    for seq, (at_ms, *text) in enumerate(play(seed).story(), 1):
        fact = decode(*text)
        evolve(kept.world, fact, seq, at_ms)
        desks = kept.world.house.desks.values()
        if rng.random() < 0.2:
            kept.positions = {desk.ref: _position(desk, rng.randrange(1, 9) * WAD) for desk in desks if desk.ref}
        if rng.random() < 0.02:
            most = rng.randrange(5, 30) * WAD
            kept.terms.learn({"ETH": MarketTerms("ETH", most, 10**8, True)})
        yield type(fact).__name__


def test_whatever_happens_to_desks() -> None:
    seen = set()
    for seed in SEEDS:
        kept = _Kept()
        for seq, kind in enumerate(_day(kept, seed), 1):
            kept.look(seq)
            seen.add(kind)
    assert not {kind.__name__ for kind in get_args(facts.Fact)} - NEVER - seen


def test_what_nothing_has_happened_to_is_the_same_object() -> None:
    kept = _Kept()
    list(_day(kept, SEEDS[0]))
    house = kept.world.house
    kept.positions = {desk.ref: _position(desk, WAD) for desk in house.desks.values() if desk.ref}
    before = kept.rows.build(house, kept.positions)
    afresh = {ref: replace(position) for ref, position in kept.positions.items()}
    assert _changed(before[0], kept.rows.build(house, afresh)[0]) == []
    assert _changed(before[1], kept.rows.build(house, afresh)[1]) == []
    moved = next(iter(afresh))
    afresh[moved] = replace(afresh[moved], mark=2 * WAD)
    (changed,) = _changed(before[0], kept.rows.build(house, afresh)[0])
    assert (changed.market, changed.mark) == (moved.market, 2 * WAD)


def _changed(before: Sequence[T], now: Sequence[T]) -> list[T]:
    return [row for was, row in zip(before, now, strict=True) if row is not was]


async def test_whatever_happens_to_positions(tmp_path: Path) -> None:
    await write(tmp_path, 1_200)
    world, views, same = World(), PositionViews("sim:"), 0
    for entry in entries(tmp_path):
        before = views.of(world.exchange)
        evolve(world, decode(entry.kind, entry.payload), entry.seq, entry.at_ms)
        now = views.of(world.exchange)
        assert now == PositionViews("sim:").of(world.exchange)
        same += sum(now[ref] is position for ref, position in before.items() if ref in now)
    assert same > 1_000


def _exchange() -> Exchange:
    """One position, with nothing about it at zero."""
    exchange = Exchange()
    for command in (
        ListMarket("ETH", MarketParams.anchored(wad("2000"), wad("1000000"))),
        OpenPosition(
            user="sim:a", market="ETH", is_long=True, total=wad("100"), leverage=Fraction(5), deposit=wad("100")
        ),
    ):
        answer = decide(exchange, command)
        assert not isinstance(answer, Rejection)
        for fact in answer:
            fold(exchange, fact)
    return exchange


@pytest.mark.parametrize("what", ["position", "market"])
def test_whatever_moves_under_a_position(what: str) -> None:
    """Every number of either, one after the other."""
    exchange = _exchange()
    views = PositionViews("sim:")
    thing = exchange.open_positions[1] if what == "position" else exchange.markets["ETH"]
    for field in fields(thing):
        value = getattr(thing, field.name)
        if type(value) is int and field.name != "id":
            views.of(exchange)
            setattr(thing, field.name, value + 10**18)
            assert views.of(exchange) == PositionViews("sim:").of(exchange), field.name
