"""executeDeposit: tokens in, market tokens out (seed avitus-two-step, "executeDeposit", c to v)."""

from dataclasses import dataclass

from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.fixed import down, toward_zero
from venue.exchange.ledger import EXTERNAL, wallet
from venue.exchange.pool.accrue import accrue
from venue.exchange.pool.impact import price_impact, settle_swap_impact, tokens_owed
from venue.exchange.pool.sides import check_pool_amount, enabled_pool, side_usd
from venue.exchange.pool.state import DEAD, Pool, fees, liquidity
from venue.exchange.pool.swap import Hop, split_fee, swap
from venue.exchange.pool.units import FLOAT, USD_PER_SHARE, Prices
from venue.exchange.pool.value import SIDES, check_max_pnl, checked_value, supply
from venue.exchange.reasons import Reason
from venue.exchange.requests.request import DEPOSIT_VAULT, DepositRequest
from venue.exchange.tokens import shown


@dataclass(frozen=True, slots=True)
class Leg:
    """One token's part of a deposit."""

    token: str
    amount: int
    price_impact_usd: int
    price_impact_amount: int
    """Tokens of the impact: of the opposite token when positive, of this one when negative."""
    fee_to_pool: int
    fee_to_receiver: int
    minted: int
    pool_value_before: int
    supply_before: int


@dataclass(frozen=True, slots=True)
class DepositReport:
    """What a deposit came to; USD 1e-30, market tokens 1e-18."""

    long_amount: int
    short_amount: int
    """After the swaps on the way in."""
    price_impact_usd: int
    balance_improved: bool
    legs: tuple[Leg, ...]
    minted: int
    hops: tuple[Hop, ...]


def execute_deposit(draft: Draft, request: DepositRequest, prices: Prices) -> DepositReport:
    """Swaps, prices and mints on the draft. Raises Refused; the execution fee is not its business."""
    pool = enabled_pool(draft, request.market)
    _check_first(draft, pool, request)
    accrue(draft, pool, prices)
    for is_long in SIDES:
        check_max_pnl(draft, pool, prices, is_long, pool.params.max_pnl_deposits)
    long_amount, long_hops = _arrive(
        draft, request.long_path, request.long_token, request.long_amount, pool.long, prices
    )
    short_amount, short_hops = _arrive(
        draft, request.short_path, request.short_token, request.short_amount, pool.short, prices
    )
    amounts = {pool.long: long_amount, pool.short: short_amount}
    if not long_amount and not short_amount:
        raise Refused(Reason.EMPTY_DEPOSIT_AFTER_SWAP, "nothing is left to deposit")
    usd = {token: amount * prices[token].mid for token, amount in amounts.items()}
    held_long, held_short = (draft.balance(token, liquidity(pool.symbol)) * prices[token].mid for token in amounts)
    impact, improved = price_impact(
        held_long, held_short, held_long + usd[pool.long], held_short + usd[pool.short], pool.params.swap_impact
    )
    legs: list[Leg] = []
    minted = 0
    for token, amount in amounts.items():
        if amount:
            part = toward_zero(impact * usd[token], sum(usd.values()))
            legs.append(_leg(draft, pool, token, amount, part, improved, prices, minted))
            minted += legs[-1].minted
    if minted < request.min_market_tokens:
        least = shown(request.min_market_tokens, pool.market_token)
        raise Refused(
            Reason.MIN_MARKET_TOKENS, f"{shown(minted, pool.market_token)} would be minted; expected at least {least}"
        )
    _check_caps(draft, pool, prices, amounts)
    draft.pay(pool.market_token, EXTERNAL, wallet(request.receiver), minted)
    return DepositReport(long_amount, short_amount, impact, improved, tuple(legs), minted, (*long_hops, *short_hops))


def _check_first(draft: Draft, pool: Pool, request: DepositRequest) -> None:
    """The first deposit belongs to nobody, so that nobody can make a market token worth a fortune (d)."""
    least = pool.params.min_first_deposit
    if supply(draft, pool) or not least:
        return
    if request.receiver != DEAD:
        raise Refused(Reason.FIRST_DEPOSIT_RECEIVER, f"the first deposit must go to {DEAD}")
    if request.min_market_tokens < least:
        raise Refused(
            Reason.FIRST_DEPOSIT_MINIMUM, f"the first deposit must ask for at least {shown(least, pool.market_token)}"
        )


def _arrive(
    draft: Draft, path: tuple[str, ...], token: str, amount: int, wanted: str, prices: Prices
) -> tuple[int, tuple[Hop, ...]]:
    """Swaps one side inside the vault (h): (amount of the pool's token, hops)."""
    if not amount:
        return 0, ()
    report = swap(draft, path, token, amount, DEPOSIT_VAULT, DEPOSIT_VAULT, prices, 0)
    if report.token != wanted:
        raise Refused(Reason.SWAP_OUTPUT_TOKEN, f"{report.token} arrives where the pool needs {wanted}")
    return report.amount, report.hops


def _leg(
    draft: Draft, pool: Pool, token: str, amount: int, impact: int, improved: bool, prices: Prices, unminted: int
) -> Leg:
    """One token (l to s): a bonus is paid in the opposite token, which joins the liquidity."""
    params, bank = pool.params, liquidity(pool.symbol)
    split = split_fee(amount, params.deposit_fee.of(improved), params.receiver_share)
    value, shares = checked_value(draft, pool, prices, params.max_pnl_deposits, maximize=True, unminted=unminted)
    draft.pay(token, DEPOSIT_VAULT, fees(pool.symbol), split.to_receiver)
    if impact > 0 and shares == 0:
        impact = 0
    after, minted, moved = split.after, 0, 0
    if impact > 0:
        other = pool.other(token)
        moved, _ = settle_swap_impact(draft, pool, other, prices[other], impact, bank)
        minted = _to_shares(moved * prices[other].max, value, shares)
        check_pool_amount(draft, pool, other)
    else:
        after -= tokens_owed(prices[token], impact)
        if after < 0:
            raise Refused(Reason.DEPOSIT_IMPACT_EXCEEDS_AMOUNT, f"price impact is more than the {shown(amount, token)}")
        moved, _ = settle_swap_impact(draft, pool, token, prices[token], impact, DEPOSIT_VAULT)
    minted += _to_shares(after * prices[token].min, value, shares)
    draft.pay(token, DEPOSIT_VAULT, bank, after + split.to_pool)
    return Leg(token, amount, impact, moved, split.to_pool, split.to_receiver, minted, value, shares)


def _to_shares(usd: int, value: int, shares: int) -> int:
    """Market tokens for USD, rounded down; without any yet they start at 1 USD, and found money goes to the first."""
    if shares:
        return down(shares * usd, value)
    return down(value + usd, USD_PER_SHARE)


def _check_caps(draft: Draft, pool: Pool, prices: Prices, amounts: dict[str, int]) -> None:
    for is_long, token in ((True, pool.long), (False, pool.short)):
        if not amounts[token]:
            continue
        check_pool_amount(draft, pool, token)
        held = side_usd(draft, pool, prices, is_long, maximize=True)
        if held > pool.params.max_pool_usd_for_deposit:
            raise Refused(Reason.MAX_POOL_USD, f"{held // FLOAT:,} USD of {token} are more than deposits may make it")
