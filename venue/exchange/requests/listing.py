"""Everything about the two-step exchange that is not a request: pools, keepers, switches, codes, tokens in and out."""

from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.ledger import EXTERNAL, moves, wallet
from venue.exchange.pool import state as accounts
from venue.exchange.pool.liquidation import liquidate_position
from venue.exchange.pool.units import FLOAT, Prices
from venue.exchange.reasons import Reason
from venue.exchange.requests import commands, facts
from venue.exchange.requests.cancel import auto_cancels
from venue.exchange.requests.checks import check_name
from venue.exchange.requests.facts import Fact
from venue.exchange.requests.request import Kind, OrderType, PositionName
from venue.exchange.state import Exchange

LONGEST_CODE = 32
_ACCOUNTS = {
    "fees": lambda market, _account: accounts.fees(market),
    "affiliate": accounts.affiliate,
    "locked": accounts.locked,
}
FEATURES = frozenset(
    f"{verb}:{kind}"
    for verb in ("create", "execute")
    for kind in (Kind.DEPOSIT.value, Kind.WITHDRAWAL.value, *OrderType)
)


def found(exchange: Exchange, command: commands.FoundExchange) -> tuple[Fact, ...]:
    """Once, before the first request."""
    if exchange.requests.nonce or exchange.requests.keepers:
        raise Refused(Reason.DISABLED_FEATURE, "the exchange has its name and rules already")
    return (facts.ExchangeFounded(command.engine_id, command.rules),)


def register_keeper(exchange: Exchange, command: commands.RegisterKeeper) -> tuple[Fact, ...]:
    """Registering again changes what the keeper may do."""
    if not command.keeper:
        raise Refused(Reason.EMPTY_ACCOUNT, "keeper is empty")
    if exchange.requests.keepers.get(command.keeper) == command.frozen_orders:
        return ()
    return (facts.KeeperRegistered(command.keeper, command.frozen_orders),)


def switch_feature(exchange: Exchange, command: commands.SwitchFeature) -> tuple[Fact, ...]:
    """Switching to where it stands is no fact."""
    if command.feature not in FEATURES:
        raise Refused(Reason.DISABLED_FEATURE, f"no feature {command.feature[:60]!r}; create:KIND or execute:KIND")
    if (command.feature not in exchange.requests.disabled) == command.enabled:
        return ()
    return (facts.FeatureSwitched(command.feature, command.enabled),)


def list_pool(exchange: Exchange, command: commands.ListPool) -> tuple[Fact, ...]:
    """Two different tokens, and a name no other market has."""
    if command.symbol in exchange.pools or command.symbol in exchange.markets:
        raise Refused(Reason.MARKET_EXISTS, f"market {command.symbol} is already listed")
    if not command.symbol or not command.long or not command.short or command.long == command.short:
        raise Refused(Reason.INVALID_POOL, "a pool needs a name and two different tokens")
    return (facts.PoolListed(command.symbol, command.index, command.long, command.short, command.params),)


def switch_pool(exchange: Exchange, command: commands.SwitchPool) -> tuple[Fact, ...]:
    """A disabled pool refuses everything new; what waits on it is cancelled when a keeper tries."""
    pool = exchange.pools.get(command.symbol)
    if pool is None:
        raise Refused(Reason.EMPTY_MARKET, f"no pool {command.symbol!r}")
    return () if pool.enabled == command.enabled else (facts.PoolSwitched(command.symbol, command.enabled),)


def credit(exchange: Exchange, command: commands.Credit) -> tuple[Fact, ...]:
    """Tokens from outside."""
    _check_transfer(command.user, command.token, command.amount)
    check_name(exchange, command.client_id)
    legs = (EXTERNAL, wallet(command.user), command.amount)
    return (facts.TokensCredited(command.user, moves(legs, token=command.token), command.client_id),)


def debit(exchange: Exchange, command: commands.Debit) -> tuple[Fact, ...]:
    """Tokens to the outside."""
    _check_transfer(command.user, command.token, command.amount)
    if exchange.book(command.token)[wallet(command.user)] < command.amount:
        raise Refused(Reason.INSUFFICIENT_BALANCE, f"{command.user} has less than {command.amount} {command.token}")
    legs = (wallet(command.user), EXTERNAL, command.amount)
    return (facts.TokensDebited(command.user, moves(legs, token=command.token)),)


def _check_transfer(user: str, token: str, amount: int) -> None:
    if not user:
        raise Refused(Reason.EMPTY_ACCOUNT, "account is empty")
    if not token or token.startswith("MT:"):
        raise Refused(Reason.INVALID_TOKEN, "market tokens come from deposits only" if token else "token is empty")
    if amount <= 0:
        raise Refused(Reason.BAD_AMOUNT, f"amount {amount}; expected above zero")


def register_code(exchange: Exchange, command: commands.RegisterReferralCode) -> tuple[Fact, ...]:
    """A code belongs to who registered it first."""
    if not 0 < len(command.code) <= LONGEST_CODE or command.code in exchange.requests.referral_codes:
        raise Refused(Reason.INVALID_REFERRAL_CODE, f"code {command.code[:LONGEST_CODE]!r} is taken, empty or too long")
    if not command.owner or not 0 <= command.rebate <= FLOAT or not 0 <= command.discount <= FLOAT:
        raise Refused(Reason.INVALID_REFERRAL_CODE, "owner is empty, or rebate or discount is no share")
    return (facts.ReferralCodeRegistered(command.owner, command.code, command.rebate, command.discount),)


def claim(exchange: Exchange, command: commands.Claim) -> tuple[Fact, ...]:
    """Everything of one kind that a pool holds for the asker, in both tokens."""
    pool = exchange.pools.get(command.market)
    name = _ACCOUNTS.get(command.what)
    if pool is None or name is None:
        raise Refused(Reason.EMPTY_MARKET, f"no {command.what[:20]!r} on {command.market[:60]!r}")
    if command.what == "fees" and command.account != exchange.requests.rules.treasury:
        raise Refused(Reason.UNAUTHORIZED, f"protocol fees go to {exchange.requests.rules.treasury} only")
    source = name(command.market, command.account)
    legs = [
        move
        for token in (pool.long, pool.short)
        for move in moves((source, wallet(command.account), exchange.book(token)[source]), token=token)
    ]
    if not legs:
        raise Refused(Reason.BAD_AMOUNT, "there is nothing to claim")
    return (facts.Claimed(command.account, command.market, command.what, tuple(legs)),)


def liquidate(exchange: Exchange, command: commands.LiquidatePoolPosition) -> tuple[Fact, ...]:
    """By a keeper, with prices no older than the position's last change."""
    if command.keeper not in exchange.requests.keepers:
        raise Refused(Reason.UNAUTHORIZED, f"{command.keeper[:100]} is no keeper")
    position = exchange.pool_positions.get(command.position)
    if position is None:
        raise Refused(Reason.EMPTY_POSITION, "there is no such position")
    prices = Prices(command.prices)
    changed = max(position.increased_ms, position.decreased_ms)
    if min(prices[token].timestamp_ms for token in exchange.pools[position.market].tokens) < changed:
        raise Refused(Reason.PRICES_TOO_OLD, "a price is older than the position's last change")
    draft = Draft(exchange, command.now_ms)
    report = liquidate_position(draft, command.position, prices)
    ended = auto_cancels(exchange, PositionName(*command.position), command.now_ms)
    return (facts.PoolPositionLiquidated(command.keeper, report, draft.changes()), *ended)
