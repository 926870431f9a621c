"""Values as text: exact, unambiguous, and never wider than their column."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.hostile import HOSTILE
from tests.tui.scripted import NOW, WAD, usd
from tui import format as fmt


@pytest.mark.parametrize(
    ("amount", "width", "text"),
    [
        (None, None, "?"),
        (0, None, "0.00"),
        (usd(1204.5), None, "1,204.50"),
        (usd(-1204.505), None, "-1,204.51"),
        (usd(0.004), None, "0.00"),
        (usd(-0.004), None, "0.00"),
        (usd(1_234_567.89), 10, "1,234,568"),
        (usd(12_345_678_901.0), 10, "12.34B"),
        (10**60, 10, "1e+42"),
    ],
)
def test_money(amount: int | None, width: int | None, text: str) -> None:
    assert fmt.money(amount, width) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, "?"), (0, "0.00"), (usd(30.66), "+30.66"), (usd(-35.11), "-35.11"), (usd(-0.001), "0.00")],
)
def test_a_gain_or_loss_always_has_its_sign(amount: int | None, text: str) -> None:
    assert fmt.signed(amount) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (usd(64_120), "64,120.00"),
        (usd(142.31), "142.31"),
        (usd(31.2), "31.2000"),
        (usd(0.41231), "0.412310"),
        (None, "?"),
    ],
)
def test_prices_have_the_decimals_that_tell_them_apart(amount: int | None, text: str) -> None:
    assert fmt.price(amount) == text


def test_half_a_cent_is_rounded_away_from_zero() -> None:
    assert fmt.money(5 * 10**15) == "0.01"
    assert fmt.money(-5 * 10**15) == "-0.01"
    assert fmt.money(5 * 10**15 - 1) == "0.00"


@given(st.integers(-(10**45), 10**45), st.integers(7, 14))
def test_a_number_always_fits_and_is_never_cut(amount: int, width: int) -> None:
    for text in (fmt.money(amount, width), fmt.signed(amount, width), fmt.price(amount, width)):
        assert len(text) <= width
        assert "…" not in text


@pytest.mark.parametrize(
    ("value", "places", "sign", "text"),
    [
        (None, 1, False, "?"),
        (float("nan"), 1, False, "?"),
        (float("inf"), 1, False, "?"),
        (0.089, 1, False, "8.9%"),
        (0.0025, 2, True, "+0.25%"),
        (-0.0011, 2, True, "-0.11%"),
        (-0.000001, 2, True, "0.00%"),
    ],
)
def test_percent(value: float | None, places: int, sign: bool, text: str) -> None:
    assert fmt.percent(value, places, sign) == text


def test_small_units() -> None:
    assert fmt.basis_points(0.0001) == "+1bp"
    assert fmt.basis_points(-0.0001) == "-1bp"
    assert fmt.basis_points(0.0) == "0bp"
    assert fmt.leverage(10.0) == "10x"
    assert fmt.leverage(2.5) == "2.5x"
    assert fmt.leverage(None) == "?"
    assert fmt.count(48_211) == "48,211"
    assert fmt.clock(NOW) == "14:03:22"
    assert fmt.clock(10**30) == "??:??:??"
    assert fmt.spread(usd(18.4), usd(64_410), 8) == "±18.40"


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "?"),
        (-5, "0.0s"),
        (200, "0.2s"),
        (14_900, "14s"),
        (190_000, "3m"),
        (7_300_000, "2h"),
        (200_000_000, "2d"),
    ],
)
def test_age(ms: int | None, text: str) -> None:
    assert fmt.age(ms) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "    "), (0.5, "██  "), (0.28, "█▏  "), (1.0, "████"), (7.0, "████"), (-1.0, "    "), (None, "?   ")],
)
def test_gauge(share: float | None, text: str) -> None:
    assert fmt.gauge(share, 4) == text


def test_a_gauge_that_grows_from_the_right() -> None:
    assert fmt.gauge_left(0.375, 4) == "  ▐█"


def test_a_token_shows_four_characters_of_its_address_however_long_its_name() -> None:
    assert fmt.token("PEPE", "0x3f2a00") == "PEPE·3f2a"
    assert fmt.token("X" * 10_000, "0x3f2a00") == "XXXXXXXX…·3f2a"
    assert fmt.token("PEPE", "0x91c000") != fmt.token("PEPE", "0x3f2a00")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_exactly_as_wide_as_its_column_and_controls_nothing(text: str) -> None:
    for width in (0, 1, 2, 5, 14, 40):
        shown = fmt.fit(text, width)
        assert cell_len(shown) == width
        assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown)
        assert not any(char in "\u202e\u2066\u2069\u200b\u200d\ufeff" for char in shown)


@given(st.text(max_size=50), st.integers(0, 30), st.booleans())
def test_any_text_fits(text: str, width: int, right: bool) -> None:
    assert cell_len(fmt.fit(text, width, right)) == width


def test_combining_characters_do_not_pile_up() -> None:
    assert fmt.clean("e" + "\u0301" * 50) == "e\u0301\u0301"


def test_a_unit_is_one() -> None:
    assert fmt.money(WAD) == "1.00"
