"""Many positions leaving one curve: each is quoted behind those before it, and none is refused for the others' sake."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from engine.exchange_rows import Side
from engine.snapshot import ExitQuote
from tests.tui.scripted import WAD, desk, market, snapshot
from tui.leaving import Leaving, in_line

DEPTH = 5_000_000 * WAD
MARK = 2_000 * WAD


def crowd(sizes: list[int], side: Side, depth: int | None = DEPTH) -> list[Leaving]:
    """Positions of so many USD at mark, on one market."""
    rows = tuple(
        desk(
            number,
            market="ETH",
            side=side,
            mark=MARK,
            notional=size * WAD,
            exit=ExitQuote(exact([size], side)[0], -0.001, size * WAD // 10),
        )
        for number, size in enumerate(sizes)
    )
    markets = (replace(market(0), symbol="ETH", depth=depth, mark=MARK),)
    return in_line(snapshot(desks=rows, markets=markets))


def exact(sizes: list[int], side: Side) -> list[int]:
    """Average exit prices, closed one after the other on the exact curve."""
    base, reserve, prices = DEPTH * WAD // MARK, DEPTH, []
    for usd in sizes:
        size = usd * WAD * WAD // MARK
        left = base + size if side is Side.LONG else base - size
        after = reserve * base // left
        prices.append(abs(reserve - after) * WAD // size)
        base, reserve = left, after
    return prices


@given(st.lists(st.integers(100, 20_000), min_size=1, max_size=20), st.sampled_from(Side))
def test_the_quotes_are_those_of_the_curve_and_nobody_in_the_line_is_refused(sizes: list[int], side: Side) -> None:
    line = crowd(sizes, side)
    for each, price in zip(line, exact(sorted(sizes, reverse=True), side), strict=True):
        assert abs(each.price / price - 1) < 0.002
        assert each.worst <= price if side is Side.LONG else each.worst >= price


def test_twenty_equal_ones_get_less_and_less() -> None:
    line = crowd([2_500] * 20, Side.LONG)
    assert [each.price for each in line] == sorted((each.price for each in line), reverse=True)
    assert line[0].payout > line[-1].payout
    assert line[-1].impact < line[0].impact


def test_where_there_is_no_curve_each_is_quoted_alone() -> None:
    alone = exact([2_500], Side.LONG)[0]
    assert {each.price for each in crowd([2_500] * 3, Side.LONG, None)} == {alone}


def test_the_largest_goes_first() -> None:
    rows = tuple(desk(number, notional=(number + 1) * WAD) for number in range(4))
    assert [each.desk.address for each in in_line(snapshot(desks=rows))] == [row.address for row in reversed(rows)]
