import json
import math
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venue.net.strict import MAX_DEPTH, NotStrict, parse


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_whatever_is_json_is_read_as_it_is(value: object) -> None:
    text = json.dumps(value)
    try:
        assert parse(text) == value
    except NotStrict:
        assert text.count("[") > MAX_DEPTH


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_numbers_are_finite_and_exact(value: float) -> None:
    if math.isfinite(value):
        read = parse(json.dumps(value))
        assert isinstance(read, Decimal)
        assert float(read) == value
    else:
        with pytest.raises(NotStrict):
            parse(json.dumps(value))


@pytest.mark.parametrize("unit", ['\\"', '"', "\\", '"\\', "[", '{"a":', '["', "\\u0000"])
@pytest.mark.parametrize("deep", [MAX_DEPTH, 256])
def test_no_text_takes_longer_than_its_length_says(unit: str, deep: int) -> None:
    """A megabyte takes some milliseconds; what grows with the square of it would take hours."""
    text = '"' + unit * (1_000_000 // len(unit))
    began = time.process_time()
    with pytest.raises(NotStrict):
        parse(text, deep)
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize("opened", ["[", '{"a":'])
def test_nothing_is_too_deep_to_be_refused(opened: str) -> None:
    with pytest.raises(NotStrict):
        parse(opened * 200_000)


def test_brackets_within_strings_are_no_depth() -> None:
    text = json.dumps(["[" * 100 + '"\\' + "{" * 100, "\\", "]"])
    assert parse(text) == json.loads(text)


def test_the_depth_allowed_is_the_depth_read() -> None:
    parse("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(NotStrict, match="deeper"):
        parse("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "text",
    [b"\xff", '{"a":1,"a":1}', "NaN", "-Infinity", "1e400", "1" * 5000, "{} {}", "\ufeff{}", "٣", "[1,]", ""],
    ids=repr,
)
def test_what_is_not_one_strict_value_is_refused(text: str | bytes) -> None:
    with pytest.raises(NotStrict):
        parse(text)
