"""Changes between pictures: what is put together again is what was taken apart, and a wrong one is noticed."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import wire
from engine.delta import Mismatch, diff, patch
from engine.port import EVERYTHING
from engine.snapshot import Snapshot
from engine.thin import DECIMALS, Thin, picture, short
from tests.tui.scripted import market, snapshot

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers().map(str) | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcde"), inner, max_size=4),
    max_leaves=12,
)

NUMBERS = st.integers(-(10**24), 10**24).map(str) | st.integers(-(10**9), 10**9).map(lambda each: each / 10**5)
ROW = st.fixed_dictionaries(
    {
        "address": st.sampled_from(["0xa", "0xb", "0xc", "0xd", "7"]),
        "mark": NUMBERS | st.none() | st.sampled_from(["007", "-0", "1e5", "٣", 0.1 + 0.2, 1e300]),
        "exit": st.none() | st.fixed_dictionaries({"price": NUMBERS, "word": st.text(max_size=3)}),
        "token": st.text(max_size=3) | NUMBERS,
    },
    optional={"more": VALUES},
)
ROWS = st.lists(ROW, max_size=5, unique_by=lambda row: str(row["address"]))


def sent(value: Any) -> Any:
    """As it is on the other side."""
    return wire.loads(wire.dumps(value))


def said(value: Any) -> str:
    """Exactly, whatever the order of keys."""
    return json.dumps(value, sort_keys=True)


@given(VALUES, VALUES)
def test_a_change_makes_the_new_of_the_old_and_leaves_the_old_alone(old: Any, new: Any) -> None:
    before = said(old)
    assert said(patch(old, sent(diff(old, new)))) == said(new)
    assert said(old) == before


@given(ROWS, ROWS)
def test_rows_that_move_and_change_are_put_together_again(old: Any, new: Any) -> None:
    before = said(old)
    change = sent(diff({"rows": old}, {"rows": new}))
    assert said(patch({"rows": old}, change)) == said({"rows": new})
    assert said(old) == before


@given(ROWS, ROWS, st.integers(0, 10**6), st.sampled_from([None, -2, 99, "x", [], {}, 1.5, True]))
def test_rows_that_do_not_fit_are_refused_whatever_they_are(old: Any, new: Any, where: int, what: Any) -> None:
    change = sent(diff(old, new))
    places = list(_places(change))
    if not places:
        return
    holder, key = places[where % len(places)]
    holder[key] = what
    try:
        patch(old, change)
    except Mismatch:
        return


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Everything in a change that can be replaced."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def test_a_number_that_moves_costs_its_step() -> None:
    rows = [{"symbol": name, "mark": str(10**21 + place)} for place, name in enumerate("abc")]
    moved = [row | {"mark": str(int(row["mark"]) + 7 * 10**15)} for row in rows]
    assert diff(rows, moved) == [3, None, [], {}, {"mark": [[0, 1, 2], [7, 7, 7], 15]}]
    assert diff(rows, [rows[2], rows[0]]) == [3, [2, 0], [], {}, {}]


@given(VALUES)
def test_nothing_changed_is_no_change(value: Any) -> None:
    assert diff(value, sent(value)) is None


@pytest.mark.parametrize(
    "change",
    [
        *(
            3,
            "x",
            [],
            [0],
            [3, 1],
            [4, 1],
            [3, None, [], {}, {"m": [[0], [1], 0]}],
            [1, []],
            [1, {"a": 7}],
            [2, 1],
            [2, -1, {}],
            [2, 10**9, {}],
            [2, 1, {"5": [0, 1]}],
        ),
        *([2, 1, {"x": [0, 1]}], [2, 1, {"-1": [0, 1]}], [1, {"b": [1, {}]}]),
    ],
)
@pytest.mark.parametrize("old", [{"a": "1"}, ["1"], "1", None])
def test_a_change_that_does_not_fit_is_refused_whatever_it_is(old: Any, change: Any) -> None:
    try:
        patch(old, change)
    except Mismatch:
        return
    assert (old, change) in (({"a": "1"}, [1, {}]), (["1"], [2, 1, {}]))


def test_the_first_is_whole_and_what_nobody_looks_at_is_not_sent_again() -> None:
    thin, first = Thin(), snapshot()
    raw = patch({}, sent(thin.change(first, EVERYTHING, whole=False)))
    assert raw.keys() == EVERYTHING
    assert wire.read(Snapshot, raw).desks[0].token == first.desks[0].token
    assert thin.change(first, EVERYTHING, whole=False) is None
    second = snapshot(seq=first.seq + 1, markets=first.markets[1:], desks=first.desks[1:])
    raw = patch(raw, sent(thin.change(second, ("desks",), whole=False)))
    assert raw["desks"] == sent(short(second.desks))
    assert seen(raw).markets == seen(sent(short_picture(first))).markets
    raw = patch(raw, sent(thin.change(second, ("markets",), whole=False)))
    assert seen(raw) == seen(sent(short_picture(second)))


def short_picture(whole: Snapshot) -> Any:
    """All of it, as the first picture is sent."""
    return patch({}, Thin().change(whole, EVERYTHING, whole=True))


def seen(raw: Any) -> Snapshot:
    """As the other side has it."""
    kinds = get_type_hints(Snapshot)
    return picture({name: wire.read_field(kinds[name], value, name) for name, value in raw.items()})


def test_an_age_is_exact_and_costs_nothing_while_no_price_comes() -> None:
    thin, first = Thin(), snapshot()
    raw = patch({}, sent(thin.change(first, EVERYTHING, whole=False)))
    assert [row.age_ms for row in seen(raw).markets] == [row.age_ms for row in first.markets]
    for age_ms in (450, 13_777, 13_777):
        markets = tuple(replace(row, age_ms=age_ms) for row in first.markets)
        markets = (replace(markets[0], age_ms=None), *markets[1:])
        second = replace(first, at_ms=seen(raw).at_ms + 250, markets=markets)
        raw = patch(raw, sent(thin.change(second, ("markets",), whole=False)))
        assert [row.age_ms for row in seen(raw).markets] == [row.age_ms for row in markets]
    older = tuple(row if row.age_ms is None else replace(row, age_ms=row.age_ms + 250) for row in markets)
    change = thin.change(replace(second, at_ms=second.at_ms + 250, markets=older), ("markets",), whole=False)
    assert change == diff({"at_ms": str(second.at_ms)}, {"at_ms": str(second.at_ms + 250)})


def test_digits_that_nobody_sees_are_left_out() -> None:
    row = short(replace(market(0), index=1975776177410812617822, long_oi=1234567890123456789012, change=0.00123456))
    assert (row["index"], row["long_oi"], row["change"]) == (
        "1975776100000000000000",
        "1234567000000000000000",
        0.00123,
    )
    assert short((1795270156665, 1234567890123456789)) == ["1795270156665", "1234567890120000000"]
    assert short((20.074832310049203, -0.000001, "1" * 20, True, None)) == [20.07483, -0.00001, "1" * 20, True, None]


@given(st.integers(-(10**24), 10**24), st.integers(0, 3))
def test_what_is_left_rounds_as_the_whole_does(amount: int, fewer: int) -> None:
    shown = int(short(replace(market(0), long_oi=amount))["long_oi"])
    assert (shown > 0, shown < 0) == (amount > 0, amount < 0)
    half, unit = 5 * 10 ** (15 + fewer), 10 ** (16 + fewer)
    assert (abs(shown) + half) // unit == (abs(amount) + half) // unit
    assert (abs(shown) > unit) == (abs(amount) > unit)


@given(st.integers(-(10**15), 10**15).map(lambda parts: parts / 10**15), st.integers(0, 3))
def test_a_ratio_is_printed_as_the_whole_one_and_is_never_nought(ratio: float, places: int) -> None:
    shown = short(replace(market(0), carry_per_hour=ratio))["carry_per_hour"]
    assert (shown > 0, shown < 0) == (ratio > 0, ratio < 0)
    assert f"{shown:.{places + 3}f}" == f"{ratio:.{places + 3}f}"
    assert f"{short(ratio):.4f}" == f"{ratio:.4f}"


@given(st.floats())
def test_a_float_is_sent_whatever_it_is(value: float) -> None:
    shown = short(value)
    assert shown == value or abs(shown - value) <= 10**-DECIMALS or math.isnan(value)


@given(st.lists(st.floats(-(10**4), 10**4).map(short), min_size=2, max_size=2))
def test_ratios_are_sent_as_steps(two: list[float]) -> None:
    rows = [[{"symbol": "a", "move": value}] for value in two]
    change = diff(*rows)
    assert patch(rows[0], sent(change)) == rows[1]
    assert change is None or abs(max(two, key=abs)) >= 10**4 or list(change[4]) == ["move"]


def test_a_name_of_digits_stays_as_it_is() -> None:
    name = "12345678901234567890"
    assert short(replace(market(0), symbol=name))["symbol"] == name


@given(st.integers(-(10**30), 10**30))
def test_a_price_is_off_by_less_than_it_takes_to_be_another_one(index: int) -> None:
    shown = int(short(replace(market(0), index=index))["index"])
    assert abs(shown - index) <= abs(index) / 10**7
    assert (shown < 0) == (index < 0) or shown == 0
