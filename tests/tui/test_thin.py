"""An attached screen says what the engine's own does: every cell and page, of rows that came in fewer digits.

Figures that are in a row are the same to the last character and in the same tone, at every width. Those that are
computed of several (a price from a share of another price, a difference, a quotient) may differ by one in the last
place, bars and axes by one of their steps: what they are computed of ends on a boundary of rounding now and then,
whatever the number of digits.
"""

import re
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from engine import wire
from engine.desk_rows import SeenMarket
from engine.exchange_rows import Side
from engine.snapshot import DeskPhase, DeskRow, ExitQuote, FeedHealth, LiquidationRow, MarketRow, QueueState
from engine.thin import short
from tests.tui.scripted import desk, liquidation, market, plan
from tui import format as fmt
from tui.desk_figures import desk_lines
from tui.figures import position_lines, trigger
from tui.life_figures import plan_lines
from tui.market_figures import SIZES, cost, curve_lines, filled, market_lines
from tui.orders import SHARES, WHOLE, worst_price
from tui.panes import desks, liquidations, markets
from tui.table import Table, row_line
from tui.tones import Line

Row = TypeVar("Row")
CENT = 10**16
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""A row that fails says enough as it is; making it smaller takes minutes."""
BARS = {" ": 0, "▏": 1, "▎": 2, "▍": 3, "▌": 4, "▋": 5, "▊": 6, "▉": 7, "█": 8, "▐": 4}
FIGURE = r"([-+]?\d[\d,.]*)"
COMPUTED = re.compile(
    rf"(?:\bnet|liquidation|to buy back) +{FIGURE}"
    rf"|  {FIGURE}% of collateral"
    rf"|take-profit {FIGURE}%"
    rf"|imbalance +{FIGURE}%"
    rf"|±\S+ +{FIGURE}bp"
    rf"|^ +[\d,]+ +{FIGURE} +{FIGURE} +{FIGURE}%$"  # what a position would cost now
)


# --- rows as they come ------------------------------------------------------------------------------------------------


def near(unit: int, most: int) -> st.SearchStrategy[int]:
    """Amounts on and beside the boundaries where digits are rounded."""
    return st.builds(
        lambda times, by: max(times * unit // 2 + by, 0), st.integers(0, 2 * most // unit), st.integers(-2, 2)
    )


def usd(most: int) -> st.SearchStrategy[int]:
    """Up to so many USD."""
    amounts = (st.integers(0, most * 10**power) for power in (12, 15, 18))
    return st.one_of(*amounts, near(CENT, most * fmt.WAD), near(fmt.WAD, most * fmt.WAD))


def held(most: int) -> st.SearchStrategy[int]:
    """Nothing, or a dollar and more: nobody holds dust, and a quotient of dust is nothing anybody reads."""
    return usd(most).map(lambda amount: amount + fmt.WAD) | st.just(0)


def either(amounts: st.SearchStrategy[int]) -> st.SearchStrategy[int]:
    return st.builds(lambda amount, sign: amount * sign, amounts, st.sampled_from((1, -1)))


def gains(collateral: int) -> st.SearchStrategy[int]:
    """Up to ten times what was put in."""
    return signed(share(10)).map(lambda part: round(collateral * part)) | st.sampled_from((0, 1, -1))


PRICES = st.builds(
    lambda digits, power: digits * 10**power,
    st.integers(10**9, 10**10 - 1),
    st.sampled_from((6, 8, 10, 11, 12, 13, 14)),
) | st.integers(10**18, 200_000 * 10**18)


def share(most: float, step: int = 20_000) -> st.SearchStrategy[float]:
    """Up to `most`; more often than not tiny, or beside a multiple of a part in `step`."""
    return st.one_of(
        st.integers(0, int(most * 10**12)).map(lambda parts: parts / 10**12),
        st.integers(0, 10**8).map(lambda parts: parts / 10**12),
        st.builds(
            lambda at, by: max(at / step + by / 10**11, 0.0), st.integers(0, int(most * step)), st.integers(-2, 2)
        ),
        st.just(0.0),
    )


def signed(shares: st.SearchStrategy[float]) -> st.SearchStrategy[float]:
    return st.builds(lambda size, sign: size * sign, shares, st.sampled_from((1, -1)))


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values | values | values | st.none()


@st.composite
def desk_rows(draw: st.DrawFn) -> DeskRow:
    mark = draw(PRICES)
    collateral = draw(maybe(held(10**7)))
    changes: dict[str, Any] = {
        "phase": draw(st.sampled_from((DeskPhase.OPEN, DeskPhase.CLOSING))),
        "side": draw(st.sampled_from(Side)),
        "leverage": draw(st.integers(100, 20_000).map(lambda parts: parts / 100) | share(120)),
        "mark": draw(maybe(st.just(mark))),
        "entry": draw(maybe(share(1).map(lambda by: round(mark * (0.5 + by))))),
        "take_profit": draw(maybe(share(1).map(lambda by: round(mark * (0.5 + by))))),
        "liq_move": draw(maybe(share(1))),
        "exit": draw(maybe(st.builds(ExitQuote, st.just(mark), signed(share(0.1)), usd(10**6)))),
        "notional": draw(maybe(held(10**7))),
        "collateral": collateral,
        "pnl": draw(maybe(either(usd(10**6)) if collateral is None else gains(collateral))),
        **{name: draw(maybe(either(usd(10**6)))) for name in ("pnl_price", "pnl_carry")},
        **{name: draw(usd(10**9)) for name in ("pending", "min_deploy", "fees_total", "realised", "reserve")},
        **{name: draw(usd(10**9)) for name in ("deployed", "creator", "bought_back")},
        "trading_fees": draw(usd(10**5)),
        "won": draw(either(usd(10**6))),
    }
    return desk(0, **changes)


@st.composite
def market_rows(draw: st.DrawFn) -> MarketRow:
    index = draw(PRICES)
    conf = draw(st.integers(0, 10**4))
    longs, shorts = draw(maybe(held(10**9))), draw(maybe(held(10**9)))
    # Which side has more is said of less than a tenth of a cent too, and then it may not be.
    assume(longs is None or shorts is None or longs == shorts or abs(longs - shorts) >= CENT)
    changes: dict[str, Any] = {
        "health": draw(st.sampled_from(FeedHealth)),
        "age_ms": draw(maybe(st.integers(0, 10**6))),
        "index": draw(maybe(st.just(index))),
        "conf": draw(maybe(st.just(index * conf // 10**6) | share(0.01).map(lambda part: round(index * part)))),
        "change": draw(maybe(signed(share(0.2)))),
        "mark": draw(maybe(share(1).map(lambda by: round(index * (0.5 + by))))),
        "basis": draw(maybe(signed(share(0.1)))),
        "carry_per_hour": draw(maybe(signed(share(0.01, 2_000_000)))),
        "open_fee": draw(maybe(share(0.01, 200_000))),
        "long_oi": longs,
        "short_oi": shorts,
        "depth": draw(maybe(usd(10**9).map(lambda more: more + 2 * 10**6 * fmt.WAD))),
    }
    return market(0, **changes)


@st.composite
def liquidation_rows(draw: st.DrawFn) -> LiquidationRow:
    changes: dict[str, Any] = {
        "side": draw(st.sampled_from(Side)),
        "notional": draw(usd(10**7)),
        "leverage": draw(share(120, 20)),
        "loss_share": draw(share(1.2, 200)),
        "move": draw(share(0.5)),
        "fee": draw(maybe(usd(10**5))),
        "state": draw(st.sampled_from(QueueState)),
        "entry": draw(maybe(PRICES)),
    }
    return liquidation(0, **changes)


# --- what is compared -------------------------------------------------------------------------------------------------


def crossed(row: Row) -> Row:
    """The row as the other side has it."""
    there: Row = wire.read_field(type(row), wire.loads(wire.dumps(short(row))), "row")
    return there


def said(line: Line) -> str:
    return "".join(text for text, _ in line)


def off_by_one_at_most(mine: str, theirs: str) -> bool:
    """In the last place of the coarser of two figures."""
    places = min(len(text.partition(".")[2]) for text in (mine, theirs))
    apart = abs(Decimal(mine.replace(",", "")) - Decimal(theirs.replace(",", "")))
    return apart <= Decimal(1).scaleb(-places)


def apart(line: str) -> tuple[str, list[str]]:
    """A line without the figures that are computed, and these."""
    figures = [figure for found in COMPUTED.finditer(line) for figure in found.groups() if figure]
    return COMPUTED.sub("#", line), figures


def same_bar(mine: str, theirs: str) -> bool:
    """Bars may differ by their smallest step: an eighth of a cell, or half of one."""
    if len(mine) != len(theirs):
        return False
    pairs = [(one, other) for one, other in zip(mine, theirs, strict=True) if one != other]
    if any(char not in BARS for pair in pairs for char in pair):
        return False
    steps = 4 if "▐" in mine + theirs else 1
    return abs(sum(BARS[one] - BARS[other] for one, other in pairs)) <= steps


def same_axis(mine: str, theirs: str) -> bool:
    """Letters may differ by a cell; one that is under another is not seen."""
    if set(mine + theirs) - set(" ─TEML"):
        return False
    return all(abs(mine.index(letter) - theirs.index(letter)) <= 1 for letter in set(mine) & set(theirs) & set("TEML"))


def check_lines(mine: list[Line], theirs: list[Line]) -> None:
    assert len(mine) == len(theirs)
    for one, other in zip(map(said, mine), map(said, theirs), strict=True):
        if one == other:
            continue
        (text, figures), (their_text, their_figures) = apart(one), apart(other)
        assert len(figures) == len(their_figures), (one, other)
        assert all(map(off_by_one_at_most, figures, their_figures)), (one, other)
        assert text == their_text or same_bar(text, their_text) or same_axis(text, their_text), (one, other)


def check_cells(table: Table[Row], row: Row) -> None:
    there = crossed(row)
    for column in table.columns:
        for width in {column.width, column.width + 5, max(column.width - 3, 4)}:
            mine, theirs = column.cell(row, width), column.cell(there, width)
            assert mine == theirs or (mine[1] is theirs[1] and same_bar(mine[0], theirs[0])), column.name
    for width in (80, 120, 200):
        fitting = table.fitting(width)
        check_lines([row_line(table, row, fitting, "  ")], [row_line(table, there, fitting, "  ")])


# --- the same on both ends --------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None, phases=PHASES)
@given(desk_rows())
def test_a_desk_is_the_same_in_its_pane_and_on_its_page(row: DeskRow) -> None:
    there = crossed(row)
    check_cells(desks.TABLE, row)
    for width, height in ((78, 20), (58, 40), (98, 60)):
        check_lines(desk_lines(row, width, height), desk_lines(there, width, height))
    for of in (worst_price, _left):
        mine, theirs = fmt.price(of(row)), fmt.price(of(there))
        assert mine == theirs or off_by_one_at_most(mine, theirs)
    if row.exit and there.exit:
        for part in SHARES:
            mine, theirs = (fmt.money(quote.payout * part // WHOLE) for quote in (row.exit, there.exit))
            assert off_by_one_at_most(mine, theirs)


def _left(row: DeskRow) -> int | None:
    """What the question about a half closes, as it stands there."""
    return None if row.notional is None else row.notional - row.notional * SHARES[1] // WHOLE


@settings(max_examples=80, deadline=None, phases=PHASES)
@given(market_rows())
def test_a_market_is_the_same_in_its_pane_and_on_its_page(row: MarketRow) -> None:
    check_cells(markets.TABLE, row)
    for width, height in ((78, 12), (58, 40)):
        check_lines(market_lines(row, width, height), market_lines(crossed(row), width, height))
        check_lines(curve_lines(row, width), curve_lines(crossed(row), width))


@settings(max_examples=80, deadline=None, phases=PHASES)
@given(liquidation_rows(), share(1))
def test_a_position_is_the_same_in_its_pane_and_on_its_page(row: LiquidationRow, by: float) -> None:
    check_cells(liquidations.TABLE, row)
    pair = market(0, mark=None if row.entry is None else round(row.entry * (0.5 + by)))
    for width in (58, 98):
        check_lines(position_lines(row, pair, False, width), position_lines(crossed(row), crossed(pair), False, width))


@given(
    st.lists(
        st.builds(SeenMarket, st.just("ETH"), maybe(PRICES), maybe(signed(share(0.2))), maybe(share(0.2)), st.just(50))
    )
)
def test_a_plan_is_the_same_with_all_it_has_seen(seen: list[SeenMarket]) -> None:
    row = plan(0, seen=tuple(seen))
    check_lines(plan_lines(row, 78, 60), plan_lines(crossed(row), 78, 60))


# --- the cases it was wrong in ----------------------------------------------------------------------------------------


def test_the_price_that_liquidates_is_the_same() -> None:
    row = desk(1, side=Side.LONG, mark=94_712_340_000_000_000_000_000, liq_move=0.04531498)
    there = crossed(row)
    exact, seen = (trigger(each.mark, each.liq_move, each.side) for each in (row, there))
    assert fmt.price(exact) == fmt.price(seen) == "90,420.45"


@pytest.mark.parametrize("move", [0.00004, 1e-12])
def test_what_is_near_is_not_now(move: float) -> None:
    row = crossed(liquidation(0, move=move, state=QueueState.NEAR))
    assert row.move > 0
    assert liquidations.move(row) == "0.00%"
    assert crossed(liquidation(0, move=0.0)).move == 0


def test_carry_has_its_four_places_and_a_fee_costs_what_it_costs() -> None:
    row = market(0, carry_per_hour=0.0000373, open_fee=0.00084731)
    there = crossed(row)
    assert fmt.percent(there.carry_per_hour, 4, True) == "+0.0037%"
    assert abs(_loss(row) - _loss(there)) <= CENT


def _loss(row: MarketRow) -> int:
    """What opening a position of a million costs."""
    assert row.mark is not None
    assert row.depth is not None
    assert row.open_fee is not None
    average = filled(row.mark, row.depth, Side.LONG, SIZES[-1])
    assert average is not None
    return cost(row.mark, average, SIZES[-1], row.open_fee)
