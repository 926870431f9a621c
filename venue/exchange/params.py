"""What a market is configured with (seed vamm-clearinghouse, "Configuration Parameters").

Reserves are integers of 1e-18; rates, ratios and leverages are exact rationals, so that 1/3 is 1/3.
"""

from dataclasses import dataclass
from fractions import Fraction

from venue.exchange.fixed import WAD, down, wad

SEED_BUCKETS = (
    (Fraction(10), Fraction("0.1")),
    (Fraction(20), Fraction("0.2")),
    (Fraction(30), Fraction("0.3")),
)


@dataclass(frozen=True, slots=True)
class MarketParams:
    """One market's constants; the defaults are the seed's, plus the open-move limit that keeps it solvent."""

    initial_base: int = wad(100_000)
    initial_quote: int = wad(100_000)
    min_leverage: Fraction = Fraction(1)
    max_leverage: Fraction = Fraction(30)
    open_fee: Fraction = Fraction("0.001")
    skew_multiplier: Fraction = Fraction(1)
    liquidation_fee: Fraction = Fraction("0.005")
    carry_per_block: Fraction = Fraction("0.0001")
    carry_sensitivity: Fraction = Fraction(1)
    fee_to_insurance: Fraction = Fraction("0.5")
    min_reserve: Fraction = Fraction("0.1")
    """Share of each initial reserve that an open must leave."""
    max_open_move: Fraction | None = Fraction(1, 30)
    """Farthest one open may move mark, as a fraction; None is the literal seed, which two accounts can drain in two
    steps. It bounds a step, not a block: many opens may still add up."""
    buckets: tuple[tuple[Fraction, Fraction], ...] = SEED_BUCKETS
    """(leverage up to and including, buffer ratio), ascending; beyond the last one its ratio applies."""

    @property
    def index_scale(self) -> int:
        """The carry index is an exact integer of 1 / this, because it sums imbalance (1e-18) x rate x sensitivity."""
        return WAD * self.carry_per_block.denominator * self.carry_sensitivity.denominator

    @classmethod
    def anchored(cls, price: int, quote_depth: int, max_leverage: Fraction = Fraction(30)) -> "MarketParams":
        """A curve of `quote_depth` on the quote side whose first mark is `price` (both 1e-18)."""
        return cls(
            initial_base=down(quote_depth * WAD, price),
            initial_quote=quote_depth,
            max_leverage=max_leverage,
            max_open_move=1 / max_leverage,
        )
