"""What a position pays for being changed (order.execute.e): position fee with referral, borrowing, liquidation fee."""

from dataclasses import dataclass

from venue.exchange.draft import Draft
from venue.exchange.fixed import down, up
from venue.exchange.pool.state import Pool, PoolPosition, affiliate, fees, liquidity
from venue.exchange.pool.units import FLOAT, TokenPrice, apply_factor
from venue.exchange.requests.book import ReferralCode


@dataclass(frozen=True, slots=True)
class Fees:
    """In the collateral token, smallest units."""

    fee: int = 0
    """Position fee before the referral's share."""
    discount: int = 0
    affiliate_reward: int = 0
    affiliate: str = ""
    borrowing: int = 0
    liquidation: int = 0
    to_receiver: int = 0
    to_pool: int = 0

    @property
    def cost(self) -> int:
        """What the trader pays."""
        return self.fee - self.discount + self.borrowing + self.liquidation


def position_fees(
    pool: Pool,
    position: PoolPosition,
    size_usd: int,
    improved: bool,
    price: TokenPrice,
    code: ReferralCode | None,
    *,
    liquidation: bool = False,
) -> Fees:
    """The fees of changing a position by `size_usd`; the borrowing fee is that of the whole position so far."""
    params = pool.params
    fee = down(apply_factor(size_usd, params.position_fee.of(improved)), price.min)
    rebate = apply_factor(fee, code.rebate) if code else 0
    discount = apply_factor(rebate, code.discount) if code else 0
    borrowing = up(borrowing_usd(pool, position), price.min)
    extra = up(apply_factor(size_usd, params.liquidation_fee), price.min) if liquidation else 0
    kept = fee - rebate
    to_receiver = sum(apply_factor(each, params.receiver_share) for each in (kept, borrowing, extra))
    return Fees(
        fee, discount, rebate - discount, code.owner if code else "", borrowing, extra,
        to_receiver, kept + borrowing + extra - to_receiver,
    )  # fmt: skip


def borrowing_usd(pool: Pool, position: PoolPosition) -> int:
    """USD (1e-30, rounded up) of borrowing since the position's last change."""
    return up(position.size * (pool.interest(position.is_long).borrowing - position.borrowing), FLOAT)


def distribute(draft: Draft, pool: Pool, token: str, source: str, charged: Fees) -> None:
    """Pays fees that `source` holds in full to whom they belong."""
    draft.pay(token, source, fees(pool.symbol), charged.to_receiver)
    draft.pay(token, source, liquidity(pool.symbol), charged.to_pool)
    if charged.affiliate_reward:
        draft.pay(token, source, affiliate(pool.symbol, charged.affiliate), charged.affiliate_reward)
