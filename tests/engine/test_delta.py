"""Changes between pictures: what is put together again is what was taken apart, and a wrong one is noticed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import wire
from engine.delta import Mismatch, diff, patch
from engine.plain import plain
from engine.port import EVERYTHING
from engine.snapshot import Snapshot
from engine.thin import DIGITS, Thin, short
from tests.tui.scripted import snapshot

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers().map(str) | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcde"), inner, max_size=4),
    max_leaves=12,
)


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


@given(VALUES)
def test_nothing_changed_is_no_change(value: Any) -> None:
    assert diff(value, sent(value)) is None


@pytest.mark.parametrize(
    "change",
    [
        *(3, "x", [], [0], [3, 1], [1, []], [1, {"a": 7}], [2, 1], [2, -1, {}], [2, 10**9, {}], [2, 1, {"5": [0, 1]}]),
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
    assert raw["desks"] == sent(short(plain(second.desks)))
    assert raw["markets"] == sent(short(plain(first.markets)))
    raw = patch(raw, sent(thin.change(second, ("markets",), whole=False)))
    assert raw == sent(short(plain(second)))


def test_digits_that_nobody_sees_are_left_out_and_times_and_numbers_are_not() -> None:
    assert short({"price": "1975776177410812617822", "at_ms": "1795270156665", "n": "-123456789012345678"}) == {
        "price": "1975776177410000000000",
        "at_ms": "1795270156665",
        "n": "-123456789012000000",
    }
    assert short([20.074832310049203, "0x" + "1" * 40, True, None]) == [20.075, "0x" + "1" * 40, True, None]
    assert DIGITS == 12
