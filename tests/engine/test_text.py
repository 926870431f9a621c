"""What comes from outside reaches the screen only as harmless text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.demo.tokens import HOSTILE_NAME
from engine.text import NAME_LENGTH, clean, clean_name, money


@given(st.text())
def test_nothing_that_acts_on_a_terminal_survives(text: str) -> None:
    cleaned = clean(text)
    assert cleaned
    assert all(unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for char in cleaned)
    assert clean(cleaned) == cleaned


@given(st.text(min_size=100))
def test_length_is_bounded(text: str) -> None:
    assert len(clean_name(text)) <= NAME_LENGTH


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("PEPE", "PEPE"),
        ("\x1b[31mRED\x1b[0m", "[31mRED[0m"),
        ("a\u202eb\u200bc", "abc"),
        ("\x9b2Jx\x9dy", "2Jxy"),
        ("a\nb\t c", "a b c"),
        ("é", "é"),
        ("q" + "\u0301" * 50, "q\u0301\u0301"),
        ("\u0301\u0301", "?"),
        ("\x00\x1b", "?"),
        ("\u3164\u2800", "?"),
        ("", "?"),
    ],
)
def test_examples(raw: str, shown: str) -> None:
    assert unicodedata.normalize("NFC", clean(raw)) == unicodedata.normalize("NFC", shown)


def test_the_demos_hostile_name_loses_its_teeth() -> None:
    shown = clean_name(HOSTILE_NAME)
    assert not set(shown) & set("\x1b\x07\x9b\u202e")
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0, "0.00"), (1, "0.00"), (10_000, "0.01"), (1_234_567_890, "1,234.56"), (-19_999, "-0.01")],
)
def test_money_is_truncated_toward_zero(amount: int, shown: str) -> None:
    assert money(amount) == shown
