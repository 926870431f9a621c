"""Swaps along a path of pools (order.execute.e). Token amounts in smallest units, USD 1e-30."""

from dataclasses import dataclass
from typing import NamedTuple

from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.fixed import down
from venue.exchange.pool.impact import price_impact, settle_swap_impact, tokens_owed
from venue.exchange.pool.sides import check_pool_amount, check_reserve, enabled_pool
from venue.exchange.pool.state import Pool, fees, liquidity
from venue.exchange.pool.units import Prices, apply_factor
from venue.exchange.pool.value import check_max_pnl
from venue.exchange.reasons import Reason
from venue.exchange.tokens import shown


@dataclass(frozen=True, slots=True)
class Hop:
    """One pool on the way."""

    market: str
    token_in: str
    token_out: str
    amount_in: int
    amount_after_fees: int
    fee_to_pool: int
    fee_to_receiver: int
    price_impact_usd: int
    price_impact_amount: int
    """Tokens of the impact: of what comes out when it is positive, of what goes in when it is negative."""
    token_in_impact_amount: int
    """What the other impact pool added to what goes in, when that of the token coming out was too small."""
    balance_improved: bool
    amount_out: int


@dataclass(frozen=True, slots=True)
class SwapReport:
    """What came out in the end."""

    token: str
    amount: int
    hops: tuple[Hop, ...]


class Split(NamedTuple):
    """An amount and its fee."""

    after: int
    to_pool: int
    to_receiver: int


def split_fee(amount: int, fee: int, receiver_share: int) -> Split:
    """Takes `fee` (1e-30) off an amount: fee and claimable part rounded down (deposit.execute.l)."""
    charged = apply_factor(amount, fee)
    claimable = apply_factor(charged, receiver_share)
    return Split(amount - charged, charged - claimable, claimable)


def swap(
    draft: Draft,
    path: tuple[str, ...],
    token: str,
    amount: int,
    source_account: str,
    target_account: str,
    prices: Prices,
    min_output: int,
) -> SwapReport:
    """Swaps `amount` that `source_account` holds; without a path it is paid over as it is.

    Between pools it passes through `source_account`. Raises Refused.
    """
    if len(set(path)) < len(path):
        raise Refused(Reason.DUPLICATED_MARKET, f"a pool comes twice in {' '.join(path)}")
    hops: list[Hop] = []
    for number, symbol in enumerate(path if amount else (), 1):
        pool = enabled_pool(draft, symbol)
        target = target_account if number == len(path) else source_account
        hops.append(_hop(draft, pool, token, amount, source_account, target, prices))
        token, amount = hops[-1].token_out, hops[-1].amount_out
    if amount < min_output:
        raise Refused(
            Reason.MIN_SWAP_OUTPUT,
            f"{shown(amount, token)} would come out; at least {shown(min_output, token)} is asked for",
        )
    if not hops and source_account != target_account:
        draft.pay(token, source_account, target_account, amount)
    return SwapReport(token, amount, tuple(hops))


def _hop(draft: Draft, pool: Pool, token: str, amount: int, source: str, target: str, prices: Prices) -> Hop:
    if token not in (pool.long, pool.short):
        raise Refused(Reason.INVALID_TOKEN, f"pool {pool.symbol} does not hold {token}")
    out_token, bank = pool.other(token), liquidity(pool.symbol)
    price_in, price_out = prices[token], prices[out_token]
    impact, improved = _impact(draft, pool, token, amount, prices)
    split = split_fee(amount, pool.params.swap_fee.of(improved), pool.params.receiver_share)
    draft.pay(token, source, fees(pool.symbol), split.to_receiver)
    if impact > 0:
        bonus, rest = settle_swap_impact(draft, pool, out_token, price_out, impact, target)
        extra, _ = settle_swap_impact(draft, pool, token, price_in, rest, bank)
        moved, used = bonus, split.after + extra
        draft.pay(token, source, bank, split.after + split.to_pool)
    else:
        owed = tokens_owed(price_in, impact)
        if owed >= split.after:
            raise Refused(
                Reason.SWAP_IMPACT_EXCEEDS_AMOUNT, f"price impact of {shown(owed, token)} is all that goes in"
            )
        bonus = extra = 0
        moved, _ = settle_swap_impact(draft, pool, token, price_in, impact, source)
        used = split.after - owed
        draft.pay(token, source, bank, used + split.to_pool)
    from_pool = down(used * price_in.min, price_out.max)
    if from_pool > draft.balance(out_token, bank):
        raise Refused(Reason.INSUFFICIENT_POOL, f"pool {pool.symbol} has less than {shown(from_pool, out_token)}")
    draft.pay(out_token, bank, target, from_pool)
    _check_after(draft, pool, token, prices)
    return Hop(
        pool.symbol, token, out_token, amount, split.after, split.to_pool, split.to_receiver,
        impact, moved, extra, improved, from_pool + bonus,
    )  # fmt: skip


def _impact(draft: Draft, pool: Pool, token: str, amount: int, prices: Prices) -> tuple[int, bool]:
    bank, other = liquidity(pool.symbol), pool.other(token)
    held, held_out = (draft.balance(each, bank) * prices[each].mid for each in (token, other))
    usd = amount * prices[token].mid
    if usd > held_out:
        raise Refused(Reason.INSUFFICIENT_POOL, f"pool {pool.symbol} has too little {other} to swap that")
    return price_impact(held, held_out, held + usd, held_out - usd, pool.params.swap_impact)


def _check_after(draft: Draft, pool: Pool, token: str, prices: Prices) -> None:
    """A swap is a deposit of one token and a withdrawal of the other, and is held to the limits of both."""
    check_pool_amount(draft, pool, token)
    in_is_long = token == pool.long
    check_reserve(draft, pool, prices, not in_is_long, pool.params.reserve)
    check_max_pnl(draft, pool, prices, in_is_long, pool.params.max_pnl_deposits)
    check_max_pnl(draft, pool, prices, not in_is_long, pool.params.max_pnl_withdrawals)
