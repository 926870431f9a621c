"""What a market is configured with (seed vamm-clearinghouse, "Configuration Parameters"). All numbers are 1e-18."""

from dataclasses import dataclass

from venue.exchange.fixed import WAD, down, wad

SEED_BUCKETS = ((wad(10), wad("0.1")), (wad(20), wad("0.2")), (wad(30), wad("0.3")))


@dataclass(frozen=True, slots=True)
class MarketParams:
    """One market's constants; the defaults are the seed's, plus the open-move limit that keeps it solvent."""

    initial_base: int = wad(100_000)
    initial_quote: int = wad(100_000)
    min_leverage: int = WAD
    max_leverage: int = wad(30)
    open_fee: int = wad("0.001")
    skew_multiplier: int = WAD
    liquidation_fee: int = wad("0.005")
    carry_per_block: int = wad("0.0001")
    carry_sensitivity: int = WAD
    fee_to_insurance: int = wad("0.5")
    min_reserve: int = wad("0.1")
    """Share of each initial reserve that an open must leave."""
    max_open_move: int | None = down(WAD * WAD, wad(30))
    """Farthest one open may move mark, as a fraction; None is the literal seed, which two accounts can drain."""
    buckets: tuple[tuple[int, int], ...] = SEED_BUCKETS
    """(leverage up to and including, buffer ratio), ascending; beyond the last one its ratio applies."""

    @classmethod
    def anchored(cls, price: int, quote_depth: int, max_leverage: int = wad(30)) -> "MarketParams":
        """A curve of `quote_depth` on the quote side whose first mark is `price`."""
        return cls(
            initial_base=down(quote_depth * WAD, price),
            initial_quote=quote_depth,
            max_leverage=max_leverage,
            max_open_move=down(WAD * WAD, max_leverage),
        )
