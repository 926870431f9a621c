"""The curve's arithmetic: rounding always favours the pool, slippage behaves at the extremes."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venue.exchange import curve
from venue.exchange.fixed import WAD, down, to_text, toward_zero, up, wad

RESERVES = st.integers(1, 10**30)


@given(base=RESERVES, quote=RESERVES, amount=st.integers(1, 10**30))
def test_a_long_gets_no_more_and_a_close_pays_no_more_than_the_exact_curve(base: int, quote: int, amount: int) -> None:
    bought = curve.base_out(base, quote, amount)
    assert bought <= Fraction(base * amount, quote + amount) < bought + 1
    after_base, after_quote = curve.trade(base, quote, True, bought, amount)
    assert after_base * after_quote >= base * quote
    if bought:
        back = curve.quote_out(after_base, after_quote, bought)
        assert back <= amount


@given(base=RESERVES, quote=st.integers(2, 10**30), share=st.floats(0.0, 0.999))
def test_a_short_owes_no_less_than_the_exact_curve(base: int, quote: int, share: float) -> None:
    amount = max(1, min(quote - 1, int(quote * share)))
    sold = curve.base_in(base, quote, amount)
    assert sold - 1 < Fraction(base * amount, quote - amount) <= sold
    after_base, after_quote = curve.trade(base, quote, False, sold, amount)
    assert after_base * after_quote >= base * quote
    assert curve.quote_in(after_base, after_quote, sold) >= amount


@pytest.mark.parametrize("is_long", [True, False])
def test_larger_orders_fill_at_worse_average_prices(is_long: bool) -> None:
    base = quote = wad(100_000)
    averages = []
    for notional in (WAD, wad(1_000), wad(50_000), wad(99_999)):
        size = curve.base_out(base, quote, notional) if is_long else curve.base_in(base, quote, notional)
        averages.append(Fraction(notional, size))
    assert averages == sorted(averages, reverse=not is_long)
    assert averages[0] == pytest.approx(1, rel=1e-4)


def test_slippage_at_the_extremes() -> None:
    """A tiny order on a deep curve pays mark; an order as large as the reserve pays twice it; dust buys nothing."""
    deep = wad(10**12)
    assert Fraction(WAD, curve.base_out(deep, deep, WAD)) == pytest.approx(1, rel=1e-11)
    thin = wad(1)
    assert Fraction(thin, curve.base_out(thin, thin, thin)) == 2
    assert curve.base_out(10**30, 1, 10**30) == 10**30 - 1
    assert curve.base_out(1, 10**30, 1) == 0
    assert curve.base_in(1, 10**30, 1) == 1


@given(base=st.integers(WAD, 10**27), quote=st.integers(WAD, 10**27), target=st.integers(10**15, 10**24))
def test_the_quote_to_reach_a_mark_reaches_it(base: int, quote: int, target: int) -> None:
    missing = curve.quote_to_reach(base, quote, target)
    new_quote = quote + missing
    reached = Fraction(new_quote * new_quote, base * quote)
    assert float(reached) == pytest.approx(target / WAD, rel=1e-6)


@given(st.integers(-(10**40), 10**40), st.integers(1, 10**30))
def test_each_rounding_is_what_its_name_says(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    assert down(numerator, denominator) <= exact <= up(numerator, denominator)
    assert up(numerator, denominator) - down(numerator, denominator) <= 1
    assert abs(toward_zero(numerator, denominator)) <= abs(exact)


@given(st.integers(-(10**40), 10**40))
def test_text_is_exact_both_ways(value: int) -> None:
    assert wad(to_text(value)) == value


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e", "", "abc", "1,5", "9" * 61])
def test_what_is_no_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        wad(text)
