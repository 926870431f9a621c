"""Filters: all words, any case; words and figures of one field; their opposites; and what is said of a wrong one."""

from dataclasses import replace

import pytest

from tests.tui.operator import watching
from tests.tui.scripted import ScriptedPort, events, snapshot, usd
from tui.filters import Texts, parse, plain, why_bad
from tui.panes import PANES, Pane, desks, markets, pools
from tui.table import View, arranged

ROWS = snapshot().desks
EVERYONE = [row.token for row in ROWS]


def found(text: str) -> list[str]:
    return [row.token for row in arranged(desks.TABLE, ROWS, View(filter=text))]


def bad(text: str) -> str:
    return why_bad(text, desks.TABLE.fields, desks.TABLE.numbers)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("token:pep", ["PEPE"]),
        ("TOKEN:PEP SIDE:short", ["PEPE"]),
        ("side:short market:btc", ["MOG"]),
        ("by halted", ["CAT"]),
        ("phase:deciding", ["MFER"]),
        ("side:long side:short", []),
        ("13:58", ["CAT"]),
        ("bogus:x", []),
    ],
)
def test_all_words_must_occur_each_in_its_field(text: str, tokens: list[str]) -> None:
    assert found(text) == tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("lev>25", ["MOG", "TOSHI", "DOGINME"]),
        ("lev>=25x side:short", ["MOG"]),
        ("pnl<0", ["PEPE", "BONK", "CAT"]),
        ("pnl<=-12", ["BONK"]),
        ("pnl=-6.06", ["PEPE"]),
        ("pnl=-6", ["PEPE", "CAT"]),
        ("liq<=2.2% pnl>300", ["DOGINME"]),
        ("liq<2", ["TOSHI"]),
        ("notional>60k", ["DOGINME"]),
        ("notional>=.07230m", ["DOGINME"]),
        ("notional=48k", ["TOSHI"]),
        ("collateral=1,084.5", ["HIGHER"]),
        ("pending>88 lev<1", []),
    ],
)
def test_figures_are_compared_as_their_columns_show_them(text: str, tokens: list[str]) -> None:
    assert found(text) == tokens


def test_what_is_unknown_is_neither_more_nor_less() -> None:
    known = [row.token for row in ROWS if row.pnl is not None]
    assert len(known) == len(ROWS) - 3
    assert sorted(found("pnl>=0") + found("pnl<0")) == sorted(known)
    assert [token for token in EVERYONE if token not in known] == found("-pnl>=0 -pnl<0")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("-side:long -side:short", ["WIF", "MFER"]),
        ("side:short -pepe -token:mog", ["BRETT"]),
        ("-lev>10 -halted side:long", ["HIGHER"]),
        ("-long -short", ["WIF", "MFER"]),
    ],
)
def test_a_minus_means_not(text: str, tokens: list[str]) -> None:
    assert found(text) == tokens


@pytest.mark.parametrize("text", ["token:", "lev>", "lev>=", "pnl<-", "pnl<.", "-", "-side:", "-lev=", "  "])
def test_what_is_not_typed_to_its_end_hides_nothing(text: str) -> None:
    assert found(text) == EVERYONE


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("pep side:long lev>2", ""),
        ("lev>ten", "lev>ten: ten is not a number"),
        ("lev>20q", "lev>20q: 20q is not a number"),
        ("pnl>2%", "pnl>2%: pnl is an amount"),
        ("liq<2x", "liq<2x: liq is in percent"),
        ("lev>5bp", "lev>5bp: lev is times"),
        ("side>5", "side is text: side:word"),
        ("lev:20", "lev is a figure: lev>20, lev<=20 or lev=20"),
        (
            "-bogus:x",
            "no field bogus here; fields: token, market, side, phase, lev, collateral, entry, mark, pnl, liq,",
        ),
    ],
)
def test_a_wrong_query_finds_nothing_and_says_why(text: str, why: str) -> None:
    assert bad(text).startswith(why) if why else bad(text) == ""
    assert not why or found(text) == []


def test_percents_and_basis_points_of_markets() -> None:
    rows = snapshot().markets
    for text in ("carry>0.0039%", "carry<0.0041", "basis=1bp", "basis=1", "fee=0.08%", "fee=0.08", "long>800k"):
        assert [row.symbol for row in arranged(markets.TABLE, rows, View(filter=text))] == ["ETH", "BTC"], text
    assert [row.symbol for row in arranged(markets.TABLE, rows, View(filter="move>=0.2%"))] == ["ETH", "BTC"]


def test_a_name_may_be_text_and_a_figure() -> None:
    rows = snapshot().pools
    assert [row.symbol for row in arranged(pools.TABLE, rows, View(filter="token:wbtc"))] == ["BTC-USD"]
    assert [row.symbol for row in arranged(pools.TABLE, rows, View(filter="token=1.03"))] == ["ETH-USD", "BTC-USD"]


@pytest.mark.parametrize("pane", PANES, ids=lambda pane: pane.id)
def test_every_field_of_every_pane_can_be_searched(pane: Pane) -> None:
    rows = pane.rows(snapshot())
    table = pane.table
    assert table.fields
    for name in (*table.fields, *table.numbers):
        assert name == "".join(filter(str.isalpha, name)).lower()  # or it could not be typed
    for name in table.fields:
        assert len(arranged(table, rows, View(filter=f"{name}:"))) == len(rows)
        assert not arranged(table, rows, View(filter=f"{name}:nobody-has-this"))
    for name, number in table.numbers.items():
        known = [row for row in rows if number.of(row) is not None]
        both = [
            row for sign in ("<", ">=") for row in arranged(table, rows, View(filter=f"{name}{sign}1{number.unit}"))
        ]
        assert len(both) == len(known), name


def test_words_are_looked_for_in_a_text_that_is_made_once_per_row() -> None:
    made: list[str] = []

    def text_of(row: object) -> str:
        made.append(str(row))
        return f"Row {row}"

    texts = Texts(text_of)
    rows = ("a", "b", "c")
    assert texts(rows) == ["row a", "row b", "row c"]
    assert texts(rows) == ["row a", "row b", "row c"]
    assert made == ["a", "b", "c"]
    assert texts(("d", rows[2], rows[0])) == ["row d", "row c", "row a"]
    assert made == ["a", "b", "c", "d"]


def test_the_same_rows_are_found_with_texts_that_were_kept() -> None:
    kept = Texts(desks.TABLE.haystack)
    changed = (replace(ROWS[0], token="OTHER", pnl=usd(1)), *ROWS[1:])
    for rows in (ROWS, changed, tuple(reversed(changed)), ROWS):
        for text in ("pep", "-pep", "other", "side:long o", "pnl>0 -by"):
            fresh = parse(text, desks.TABLE.fields, desks.TABLE.numbers).select(
                rows, lambda some: [plain(desks.TABLE.haystack(row)) for row in some]
            )
            assert arranged(desks.TABLE, rows, View(filter=text), kept) == fresh


async def test_the_screen_says_which_fields_there_are() -> None:
    async with watching(ScriptedPort(history=events(20))) as operator:
        await operator.press("7", "slash", *"sauce:venice")
        assert operator.sees("no field sauce here; fields: token, source, kind, text")
        await operator.press("escape", "slash", *"token:pepe source:venice kind:halt")
        assert operator.sees("filter: token:pepe source:venice kind:halt_ (0 of 20)")
        assert operator.sees("nothing matches the filter; escape clears it")
        await operator.press("escape", "slash", *"token:pepe source:venice kind:liq", "enter")
        assert operator.sees("(1 of 20)")
        assert operator.sees("line 5 of the story")


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_a_wrong_figure_is_explained_in_full_where_the_rows_were(size: tuple[int, int]) -> None:
    async with watching(size=size) as operator:
        await operator.press("slash", *"lev>2")
        assert operator.sees("filter: lev>2_ (10 of 12)")
        await operator.press("z", "enter")
        assert operator.sees("lev>2z: 2z is not a number")
        assert operator.sees("filter: lev>2z (0 of 12)")
        await operator.press("escape", "slash", *"bogus:1")
        assert operator.sees("no field bogus here; fields: token, market, side, phase")
        assert operator.sees("notional, pending")
