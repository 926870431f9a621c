"""What a pool is configured with. Factors are integers of 1e-30, USD too, token amounts in smallest units."""

from dataclasses import dataclass

from venue.exchange.pool.units import FLOAT, factor


@dataclass(frozen=True, slots=True)
class ImpactParams:
    """Price impact: `factor * |imbalance| ** exponent`, by whether the balance gets better or worse.

    The positive factor is never used above the negative one.
    """

    positive: int
    negative: int
    positive_exponent: int = 2
    negative_exponent: int = 2


@dataclass(frozen=True, slots=True)
class FeeTier:
    """Fee factors by whether the trade improved the balance."""

    improved: int
    worsened: int

    def of(self, improved: bool) -> int:
        return self.improved if improved else self.worsened


@dataclass(frozen=True, slots=True)
class PoolParams:
    """One pool's constants."""

    deposit_fee: FeeTier = FeeTier(factor("0.0005"), factor("0.0007"))
    swap_fee: FeeTier = FeeTier(factor("0.0005"), factor("0.0007"))
    withdrawal_fee: int = factor("0.0007")
    position_fee: FeeTier = FeeTier(factor("0.0004"), factor("0.0006"))
    liquidation_fee: int = factor("0.002")
    receiver_share: int = factor("0.37")
    """Share of every fee that becomes claimable; the rest stays in the pool."""
    swap_impact: ImpactParams = ImpactParams(factor("0.0000000002"), factor("0.0000000004"))
    position_impact: ImpactParams = ImpactParams(factor("0.000000005"), factor("0.00000001"))
    max_positive_impact: int = factor("0.004")
    max_negative_impact: int = factor("0.005")
    max_pnl_deposits: int = factor("0.9")
    max_pnl_withdrawals: int = factor("0.7")
    max_pnl_traders: int = factor("0.9")
    reserve: int = factor("0.95")
    open_interest_reserve: int = factor("0.9")
    min_collateral_factor: int = factor("0.01")
    min_collateral_usd: int = FLOAT
    min_position_usd: int = FLOAT
    borrowing_per_second: int = 0
    """Factor of the reserved share of the pool that positions pay per second; 0 is off."""
    impact_distribution_per_second: int = 0
    """Index tokens (smallest units x 1e30) that the position impact pool gives to the providers per second."""
    min_impact_pool: int = 0
    """Index tokens that distribution leaves."""
    min_first_deposit: int = 0
    """Market tokens a first deposit must mint to the dead account; 0 lets anybody be first."""
    max_pool_amount: int = 10**40
    """Most of either token that the pool may hold, in smallest units."""
    max_pool_usd_for_deposit: int = 10**60
    max_open_interest: int = 10**60
    """Most USD of open interest per side."""
