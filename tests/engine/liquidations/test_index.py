"""The index answers as the full exact scan does, over long histories, and looks at few positions to do so."""

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest

from engine.liquidations.index import LiquidationIndex
from tests.engine.liquidations.books import DEEP, HARSH, UNSTEADY, anyone, carry, market, move, position, ranked, scan
from venue.exchange.commands import Code, Refused
from venue.exchange.fixed import WAD, wad
from venue.exchange.params import MarketParams
from venue.exchange.state import Market, Position

OPEN = 120
Step = tuple[Market, LiquidationIndex, dict[int, Position], list[int]]


def history(seed: int, params: MarketParams, dust: float) -> Iterator[Step]:
    """A market that wanders, owes and jumps while positions come, change and end; each step as it has been asked."""
    random = Random(seed)
    here = market(params)
    book = {number: anyone(random, here, number, dust) for number in range(OPEN)}
    index = LiquidationIndex(book.values())
    number = OPEN
    for step in range(300):
        move(here, random.gauss(1, random.choice((0.0005, 0.0005, 0.004, 0.03))))
        carry(here, random.gauss(0.0002, 0.001) if step % 50 else random.uniform(-0.2, 0.2))
        due = index.due(here)
        yield here, index, book, due
        for each in due[: len(due) // 2 + 1]:
            index.remove(each)
            del book[each]
        while len(book) < OPEN:
            book[number] = anyone(random, here, number, dust)
            index.put(book[number])
            number += 1
        changed = random.choice(list(book.values()))
        changed.margin += random.randint(-(changed.margin // 2), changed.margin)
        index.put(changed)
        assert len(index) == len(book)


@pytest.mark.parametrize("params", [DEEP, UNSTEADY, HARSH], ids=["rising", "unsteady", "harsh"])
@pytest.mark.parametrize("seed", range(4))
def test_a_long_history_misses_nobody_and_takes_nobody_too_early(params: MarketParams, seed: int) -> None:
    ended = 0
    for here, _, book, due in history(seed, params, dust=0.1):
        assert due == scan(here, book)
        ended += len(due)
    assert ended > 100


@pytest.mark.parametrize("params", [DEEP, UNSTEADY], ids=["rising", "unsteady"])
def test_the_nearest_are_those_of_the_full_scan(params: MarketParams) -> None:
    for here, index, book, _ in history(5, params, dust=0):
        nearest = [each.id for each, _ in index.nearest(here, 10, most=len(book))]
        assert nearest == ranked(here, book, 10)


def quiet(here: Market, count: int) -> list[Position]:
    """Positions of 2 to 5 times leverage, so that a percent of price is far from all of them."""
    leverages = [Fraction(2 * 100 + 300 * number // count, 100) for number in range(count)]
    return [position(here, number, number % 2 == 0, wad(10), leverages[number]) for number in range(count)]


def test_positions_that_nothing_comes_near_are_looked_at_once() -> None:
    here, random = market(), Random(1)
    index = LiquidationIndex(quiet(here, 2_000))
    assert index.due(here) == []
    assert index.looked == 2_000
    for _ in range(200):
        move(here, random.gauss(1, 0.0005))
        carry(here, 0.00005)
        assert index.due(here) == []
    assert index.looked == 2_000


def test_a_rank_asks_of_few_positions() -> None:
    here = market()
    index = LiquidationIndex(quiet(here, 2_000))
    book = {each.id: each for each in quiet(here, 2_000)}
    move(here, 0.95)
    assert [each.id for each, _ in index.nearest(here, 20, most=200)] == ranked(here, book, 20)
    assert [each.id for each, _ in index.nearest(here, 20)] == ranked(here, book, 20)
    assert index.nearest(here, 0) == []


def test_at_the_bound_a_rank_still_has_all_that_is_due() -> None:
    here = market()
    book = {number: position(here, number, True, wad(10), Fraction(20)) for number in range(50)}
    index = LiquidationIndex(book.values())
    for number in range(5):
        book[number].margin //= 4
        index.put(book[number])
    move(here, 0.985)
    due = index.due(here)
    assert len(due) == 5
    assert sorted(each.id for each, _ in index.nearest(here, 10, most=0)) == sorted(due)


def test_who_is_due_stays_due_until_removed_and_not_beyond() -> None:
    here = market()
    held = position(here, 7, True, wad(10), Fraction(25))
    index = LiquidationIndex([held])
    assert index.due(here) == []
    move(here, 0.96)
    assert index.due(here) == index.due(here) == [7]
    assert index.near == 1
    move(here, 1 / 0.96)
    assert index.due(here) == []
    move(here, 0.96)
    index.remove(7)
    index.remove(7)
    assert index.due(here) == []
    assert len(index) == 0


@pytest.mark.parametrize("is_long", [True, False])
def test_carry_alone_makes_a_position_due(is_long: bool) -> None:
    here = market()
    book = {1: position(here, 1, is_long, wad(10), Fraction(20))}
    index = LiquidationIndex(book.values())
    owing = 0.0005 if is_long else -0.0005
    steps = 0
    while not index.due(here):
        assert scan(here, book) == []
        carry(here, owing)
        steps += 1
    assert scan(here, book) == [1]
    assert 70 < steps < 90


def test_a_smaller_k_than_regions_were_made_at_is_noticed() -> None:
    here = market()
    book = {1: position(here, 1, True, wad(20_000_000), Fraction(5), away=0.99)}
    index = LiquidationIndex(book.values())
    assert index.due(here) == []
    here.base_reserve //= 50
    here.quote_reserve //= 50
    assert index.due(here) == scan(here, book) == [1]


def test_a_price_so_high_that_carry_outweighs_a_large_long_is_noticed() -> None:
    here = market(replace(DEEP, buckets=((Fraction(30), Fraction("0.1")),)))
    book = {1: position(here, 1, True, wad(50_000_000), Fraction(2), owed=0.3)}
    index = LiquidationIndex(book.values())
    assert index.due(here) == scan(here, book) == []
    move(here, 5_000)
    assert index.due(here) == scan(here, book) == [1]
    move(here, 1 / 5_000)
    assert index.due(here) == []


def test_another_market_of_the_same_name_is_noticed() -> None:
    here = market()
    book = {1: position(here, 1, True, wad(10), Fraction(8))}
    index = LiquidationIndex(book.values())
    assert index.due(here) == []
    stricter = MarketParams(here.params.initial_base, here.params.initial_quote, buckets=((Fraction(30), Fraction(1)),))
    there = copy(here)
    there.params = stricter
    move(there, 0.9999)
    assert index.due(there) == scan(there, book) == [1]


def test_a_short_that_the_curve_cannot_close_is_refused_as_the_exchange_refuses_it() -> None:
    here = market()
    held = position(here, 1, False, wad(10), Fraction(5))
    held.base_size = here.base_reserve
    with pytest.raises(Refused) as refused:
        LiquidationIndex([held]).due(here)
    assert refused.value.rejection.code is Code.BASE_EXHAUSTED


def test_memory_of_what_ended_is_given_back() -> None:
    here = market()
    index = LiquidationIndex()
    for number in range(20_000):
        index.put(position(here, number, True, WAD, Fraction(5)))
        index.due(here)
        index.remove(number)
    assert index.held < 20_000
