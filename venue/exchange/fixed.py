"""Fixed-point integers of 18 decimals. Every division names its direction; Python's floors toward minus infinity."""

from decimal import ROUND_DOWN, Decimal, InvalidOperation, localcontext

WAD = 10**18
MICRO = 10**12
"""One step of USDC (1e-6) in units of 1e-18."""
PPM = 1_000_000
"""Shares and fractions of 1e-6."""
MAX_DIGITS = 60
"""Longest number text accepted: far beyond any amount of money, far below what would slow a parser down."""


def down(numerator: int, denominator: int) -> int:
    """The quotient, rounded toward minus infinity."""
    return numerator // denominator


def up(numerator: int, denominator: int) -> int:
    """The quotient, rounded toward plus infinity."""
    return -(-numerator // denominator)


def toward_zero(numerator: int, denominator: int) -> int:
    """The quotient, its magnitude rounded down."""
    quotient = abs(numerator) // denominator
    return quotient if numerator >= 0 else -quotient


def to_text(value: int, scale: int = WAD) -> str:
    """`value / scale` as a decimal string with exactly 18 decimals, truncated toward zero."""
    wads = toward_zero(value * WAD, scale)
    sign = "-" if wads < 0 else ""
    whole, fraction = divmod(abs(wads), WAD)
    return f"{sign}{whole}.{fraction:018d}"


def wad(text: str | int | Decimal) -> int:
    """An exact decimal number as an integer of 1e-18, digits beyond the grid cut off toward zero.

    Raises ValueError for anything that is not a plain finite decimal of at most `MAX_DIGITS` characters.
    """
    if isinstance(text, int):
        return text * WAD
    if len(str(text)) > MAX_DIGITS:
        raise ValueError(f"number of more than {MAX_DIGITS} characters")
    with localcontext() as context:
        context.prec = 2 * MAX_DIGITS
        try:
            number = Decimal(text)
            if not number.is_finite():
                raise ValueError(f"{text!r} is not a finite number")
            return int((number * WAD).to_integral_value(rounding=ROUND_DOWN))
        except InvalidOperation as error:
            raise ValueError(f"{text!r} is not a decimal number") from error
