"""Price impact: what changing a balance costs or earns, and the pool of tokens that pays for it (deposit.execute.j).

USD and factors 1e-30, token amounts in smallest units.
"""

from venue.exchange.draft import Draft
from venue.exchange.fixed import down, up
from venue.exchange.pool.params import ImpactParams
from venue.exchange.pool.state import Pool, impact_pool
from venue.exchange.pool.units import FLOAT, TokenPrice, apply_factor


def price_impact(a: int, b: int, a_after: int, b_after: int, params: ImpactParams) -> tuple[int, bool]:
    """(USD, whether the balance improved) of moving two sides from `a`, `b` to `a_after`, `b_after`.

    The second picks the fee tier, and may be true although the impact is negative.
    """
    before, after = abs(a - b), abs(a_after - b_after)
    improved = after < before
    positive = min(params.positive, params.negative)
    if (a <= b) == (a_after <= b_after):
        by = positive if improved else params.negative
        exponent = params.positive_exponent if improved else params.negative_exponent
        size = abs(_cost(before, exponent, by) - _cost(after, exponent, by))
        return (size if improved else -size), improved
    gained = _cost(before, params.positive_exponent, positive)
    return gained - _cost(after, params.negative_exponent, params.negative), improved


def tokens_owed(price: TokenPrice, usd: int) -> int:
    """Tokens that a negative impact takes, rounded against the payer; 0 for one that is not negative."""
    return up(-usd, price.min) if usd < 0 else 0


def settle_swap_impact(
    draft: Draft, pool: Pool, token: str, price: TokenPrice, usd: int, account: str
) -> tuple[int, int]:
    """Moves an impact between `account` and the swap impact pool: (tokens, the USD the pool was too small for).

    Tokens are above zero when `account` received them. Raises Overdrawn when it cannot pay a negative one.
    """
    bank = impact_pool(pool.symbol)
    if usd <= 0:
        owed = tokens_owed(price, usd)
        draft.pay(token, account, bank, owed)
        return -owed, 0
    wanted = down(usd, price.max)
    paid = min(wanted, draft.balance(token, bank))
    draft.pay(token, bank, account, paid)
    return paid, (wanted - paid) * price.max


def _cost(imbalance: int, exponent: int, by: int) -> int:
    """`imbalance ** exponent * by`; what is below one USD costs nothing."""
    if imbalance < FLOAT:
        return 0
    return apply_factor(down(imbalance**exponent, FLOAT ** (exponent - 1)), by)
