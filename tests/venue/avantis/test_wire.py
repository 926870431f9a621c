import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from tests.venue.avantis.support import Refuses, fields
from venue.avantis.units import TEN, USDC, scaled, written
from venue.avantis.wire import REMEDIES, AvantisCode, AvantisError, Fields, cleaned


def test_every_code_has_a_remedy() -> None:
    assert set(REMEDIES) == set(AvantisCode)
    for code in AvantisCode:
        assert AvantisError(code, "x").remedy.strip()
        assert code.value == code.name


@pytest.mark.parametrize("value", [None, [], "x", 3, True])
def test_what_is_no_object_is_refused(value: JsonValue) -> None:
    with Refuses(AvantisCode.WRONG_SHAPE, "answer.a", "an object"):
        fields({"a": value}).inner("a")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0), (7, 7), ("7", 7), ("007", 7), (str(2**256 - 1), 2**256 - 1)],
)
def test_integers_come_as_numbers_and_as_text(value: JsonValue, expected: int) -> None:
    assert fields({"a": value}).integer("a") == expected


@pytest.mark.parametrize(
    "value",
    [None, True, 1.0, 1.5, "1.0", "", "-", "--1", "1e6", "٣", " 1", "1_0", "0x1", -1, "-1", str(2**256), [], {}],
)
def test_what_is_no_integer_is_refused(value: JsonValue) -> None:
    with Refuses(AvantisCode.WRONG_SHAPE, "answer.a", "an integer from 0"):
        fields({"a": value}).integer("a")


@pytest.mark.parametrize(
    ("value", "steps", "down", "up"),
    [
        (0.0003, TEN, 3_000_000, 3_000_000),
        (12255327.784000002, USDC, 12_255_327_784_000, 12_255_327_784_001),
        (100, USDC, 100_000_000, 100_000_000),
        ("2000.5", TEN, 20_005_000_000_000, 20_005_000_000_000),
        (0.0000001, USDC, 0, 1),
        (0, USDC, 0, 0),
    ],
)
def test_decimals_are_scaled_without_a_float(value: JsonValue, steps: int, down: int, up: int) -> None:
    assert fields({"a": value}).human("a", steps=steps) == down
    assert fields({"a": value}).human("a", steps=steps, up=True) == up


@pytest.mark.parametrize(
    "value", [None, False, "", "x", "NaN", "1e5", "1.2.3", ".", "-0.1", -0.5, 1e18, 10**18, [], {}]
)
def test_what_is_no_decimal_is_refused(value: JsonValue) -> None:
    with Refuses(AvantisCode.WRONG_SHAPE, "answer.a", "a number of at least 0"):
        fields({"a": value}).human("a", steps=USDC)


def test_more_digits_than_arithmetic_keeps_are_refused() -> None:
    """0.99…9 with 31 nines times 1e10 would round up to 1."""
    with Refuses(AvantisCode.WRONG_SHAPE):
        Fields({"a": Decimal("0." + "9" * 31)}, "answer").human("a", steps=TEN)


@given(st.decimals(min_value=0, max_value=10**9, places=9), st.sampled_from([USDC, TEN]))
def test_scaling_never_gives_more_than_there_is(amount: Decimal, steps: int) -> None:
    low = Fields({"a": amount}, "x").human("a", steps=steps)
    high = Fields({"a": amount}, "x").human("a", steps=steps, up=True)
    assert Decimal(low) / steps <= amount <= Decimal(high) / steps
    assert high - low <= 1


@given(st.integers(0, 10**17), st.sampled_from([USDC, TEN]))
def test_units_written_are_units_read(amount: int, steps: int) -> None:
    assert scaled(Decimal(written(amount, steps)), steps) == amount
    assert Fields({"a": written(amount, steps)}, "x").human("a", steps=steps) == amount


@given(st.integers(-(10**30), 10**30))
def test_an_integer_survives_as_text(value: int) -> None:
    assert fields({"a": str(value)}).integer("a", least=-(10**30)) == value


@pytest.mark.parametrize("value", [0, 1, "true", None])
def test_a_flag_is_true_or_false(value: JsonValue) -> None:
    with Refuses(AvantisCode.WRONG_SHAPE, "true or false"):
        fields({"a": value}).flag("a")


@pytest.mark.parametrize("value", ["0x12", "", None, 5, "0x" + "g" * 40])
def test_an_address_is_one(value: JsonValue) -> None:
    with Refuses(AvantisCode.WRONG_SHAPE, "an address"):
        fields({"a": value}).address("a")


def test_an_older_name_will_do() -> None:
    assert fields({"is_open": True}).flag("isOpen", "is_open")
    assert fields({"isOpen": None, "is_open": True}).flag("isOpen", "is_open")


@given(st.text())
def test_text_of_a_server_stays_on_one_short_line(text: str) -> None:
    shown = cleaned(text)
    assert len(shown) <= 160
    assert shown.isprintable()


def test_rows_say_where_they_stand() -> None:
    with Refuses(AvantisCode.WRONG_SHAPE, "answer.rows[1] is 3"):
        fields(json.loads('{"rows": [{}, 3]}')).rows("rows")
    with Refuses(AvantisCode.WRONG_SHAPE, "answer.rows is an object", "a list"):
        fields({"rows": {}}).rows("rows")
