"""executeWithdrawal: market tokens in, both of the pool's tokens out. USD 1e-30, amounts in smallest units."""

from dataclasses import dataclass

from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.fixed import down
from venue.exchange.ledger import EXTERNAL, wallet
from venue.exchange.pool.accrue import accrue
from venue.exchange.pool.sides import check_reserve, enabled_pool, side_token, side_usd
from venue.exchange.pool.state import Pool, fees, liquidity
from venue.exchange.pool.swap import SwapReport, split_fee, swap
from venue.exchange.pool.units import Prices
from venue.exchange.pool.value import SIDES, check_max_pnl, checked_value
from venue.exchange.reasons import Reason
from venue.exchange.requests.request import WITHDRAWAL_VAULT, WithdrawalRequest
from venue.exchange.tokens import shown


@dataclass(frozen=True, slots=True)
class Part:
    """One token's part of a withdrawal, and what its swaps made of it."""

    token: str
    amount: int
    """After the fee."""
    fee_to_pool: int
    fee_to_receiver: int
    out: SwapReport


@dataclass(frozen=True, slots=True)
class WithdrawalReport:
    burned: int
    pool_value_before: int
    supply_before: int
    long: Part
    short: Part


def execute_withdrawal(draft: Draft, request: WithdrawalRequest, prices: Prices) -> WithdrawalReport:
    """Burns and pays on the draft. Market tokens count at the bottom of their range. Raises Refused."""
    pool = enabled_pool(draft, request.market)
    if request.amount <= 0:
        raise Refused(Reason.EMPTY_WITHDRAWAL_AMOUNT, "nothing to withdraw")
    accrue(draft, pool, prices)
    params = pool.params
    value, shares = checked_value(draft, pool, prices, params.max_pnl_withdrawals, maximize=False)
    if request.amount > draft.balance(pool.market_token, WITHDRAWAL_VAULT):
        raise Refused(Reason.INSUFFICIENT_BALANCE, "the vault holds fewer market tokens than that")
    usd = down(request.amount * value, shares)
    amounts = _amounts(draft, pool, prices, usd)
    draft.pay(pool.market_token, WITHDRAWAL_VAULT, EXTERNAL, request.amount)
    taken = [_take(draft, pool, is_long, amount) for is_long, amount in zip(SIDES, amounts, strict=True)]
    for is_long in SIDES:
        check_reserve(draft, pool, prices, is_long, params.reserve)
        check_max_pnl(draft, pool, prices, is_long, params.max_pnl_withdrawals)
    asked = ((request.long_path, request.min_long), (request.short_path, request.min_short))
    parts = []
    for (token, after, to_pool, to_receiver), (path, least) in zip(taken, asked, strict=True):
        out = swap(draft, path, token, after, WITHDRAWAL_VAULT, wallet(request.receiver), prices, 0)
        if out.amount < least:
            raise Refused(
                Reason.MIN_OUTPUT,
                f"{shown(out.amount, out.token)} would come out; at least {shown(least, out.token)} is asked for",
            )
        parts.append(Part(token, after, to_pool, to_receiver, out))
    return WithdrawalReport(request.amount, value, shares, parts[0], parts[1])


def _amounts(draft: Draft, pool: Pool, prices: Prices, usd: int) -> list[int]:
    """Splits USD by what the two sides are worth at their highest, and prices each there, rounded down."""
    held = [side_usd(draft, pool, prices, is_long, maximize=True) for is_long in SIDES]
    if not sum(held):
        raise Refused(Reason.INSUFFICIENT_POOL, f"pool {pool.symbol} is empty")
    return [
        down(down(usd * side, sum(held)), prices[side_token(pool, is_long)].max)
        for is_long, side in zip(SIDES, held, strict=True)
    ]


def _take(draft: Draft, pool: Pool, is_long: bool, amount: int) -> tuple[str, int, int, int]:
    """Takes one token out of the pool into the vault: (token, amount after the fee, fee to pool, fee to receiver)."""
    token, bank = side_token(pool, is_long), liquidity(pool.symbol)
    if amount > draft.balance(token, bank):
        raise Refused(Reason.INSUFFICIENT_POOL, f"pool {pool.symbol} has less than {shown(amount, token)}")
    split = split_fee(amount, pool.params.withdrawal_fee, pool.params.receiver_share)
    draft.pay(token, bank, fees(pool.symbol), split.to_receiver)
    draft.pay(token, bank, WITHDRAWAL_VAULT, split.after)
    return token, split.after, split.to_pool, split.to_receiver
