"""Exact decimals of commands into the exchange's units. Raises Refused: the field, the value, what was expected."""

from decimal import Decimal
from fractions import Fraction

from engine.desks.commands import Code
from engine.envelope import Envelope
from engine.requests import commands as asked
from venue.exchange.commands import Deposit, Refused
from venue.exchange.fixed import WAD
from venue.exchange.machine import Command
from venue.exchange.pool.state import market_token
from venue.exchange.pool.units import FLOAT
from venue.exchange.reasons import Reason
from venue.exchange.requests import commands
from venue.exchange.requests.fee import fee_on_top
from venue.exchange.requests.request import NATIVE, Kind, OrderRequest
from venue.exchange.requests.work import least_fee
from venue.exchange.state import Exchange
from venue.exchange.tokens import CLEARING, TOKENS, Token, token_named, units

LONGEST_TEXT = 100
GENEROUS = Fraction(3, 2)
"""What is offered of the least execution fee where nobody says."""
MOST = Decimal(10**12)
"""Largest amount, size or price taken from a person."""


def created(
    exchange: Exchange,
    command: asked.CreateDeposit | asked.CreateWithdrawal | asked.CreateOrder | asked.CreditPaper,
    now_ms: int,
) -> Command:
    """What creates something new, in the exchange's units."""
    match command:
        case asked.CreditPaper():
            return _credit(command)
        case asked.CreateDeposit():
            return _deposit(exchange, command, now_ms)
        case asked.CreateWithdrawal():
            return _withdrawal(exchange, command, now_ms)
        case asked.CreateOrder():
            return _order(exchange, command, now_ms)


def client_id(command: Envelope) -> str:
    """The sender's own name for what they ask for: a repetition is recognised even after a restart."""
    return f"{command.who}:{command.id}"


def _amount(field: str, value: Decimal, token: Token) -> int:
    try:
        return units(value, token)
    except ValueError as error:
        raise Refused(Code.BAD_REQUEST, f"{field} {value!s:.40} {token.symbol}: {error}") from None


def _token(field: str, name: str) -> Token:
    try:
        return token_named(name)
    except KeyError:
        known = ", ".join((*TOKENS, CLEARING.symbol))
        raise Refused(Reason.INVALID_TOKEN, f"{field} {name[:40]!r}: expected one of {known}") from None


def _fee(exchange: Exchange, kind: str, hops: int, given: Decimal | None) -> int:
    if given is not None:
        return _amount("execution fee", given, TOKENS[NATIVE])
    return int(least_fee(exchange.requests.rules.work, kind, hops) * GENEROUS)


def _credit(command: asked.CreditPaper) -> Command:
    token = CLEARING if command.token == CLEARING.symbol else _token("token", command.token)
    if not 0 < command.amount <= MOST:
        raise Refused(Code.BAD_REQUEST, f"amount {command.amount!s:.40}: expected above 0, at most {MOST:,}")
    amount = _amount("amount", command.amount, token)
    if token is CLEARING:
        return Deposit(command.account, amount, client_id(command))
    return commands.Credit(command.account, token.symbol, amount, client_id(command))


def _deposit(exchange: Exchange, command: asked.CreateDeposit, now_ms: int) -> Command:
    pool = exchange.pools.get(command.market)
    if pool is None:
        known = ", ".join(exchange.pools) or "none yet"
        raise Refused(Reason.EMPTY_MARKET, f"market {command.market[:40]!r}: expected a pool, one of {known}")
    long_token = _token("long token", command.long_token or pool.long)
    short_token = _token("short token", command.short_token or pool.short)
    hops = len(command.long_path) + len(command.short_path)
    fee = _fee(exchange, Kind.DEPOSIT, hops, command.execution_fee)
    long_amount = _amount("long amount", command.long_amount, long_token)
    short_amount = _amount("short amount", command.short_amount, short_token)
    long, short, sent = fee_on_top(fee, (long_token.symbol, long_amount), (short_token.symbol, short_amount))
    return commands.CreateDeposit(
        account=command.account,
        client_id=client_id(command),
        receiver=command.receiver or command.account,
        execution_fee=fee,
        native_sent=sent,
        now_ms=now_ms,
        market=command.market,
        long_token=long_token.symbol,
        short_token=short_token.symbol,
        long_amount=long,
        short_amount=short,
        long_path=command.long_path,
        short_path=command.short_path,
        min_market_tokens=_amount("min market tokens", command.min_market_tokens, CLEARING),
    )


def _withdrawal(exchange: Exchange, command: asked.CreateWithdrawal, now_ms: int) -> Command:
    pool = exchange.pools.get(command.market)
    if pool is None:
        raise Refused(Reason.EMPTY_MARKET, f"market {command.market[:40]!r}: expected a pool")
    fee = _fee(exchange, Kind.WITHDRAWAL, 0, command.execution_fee)
    return commands.CreateWithdrawal(
        account=command.account,
        client_id=client_id(command),
        receiver=command.receiver or command.account,
        execution_fee=fee,
        native_sent=fee,
        now_ms=now_ms,
        market=command.market,
        amount=_amount("amount", command.amount, token_named(market_token(command.market))),
        min_long=_amount("min long", command.min_long, _token("long token", pool.long)),
        min_short=_amount("min short", command.min_short, _token("short token", pool.short)),
    )


def _order(exchange: Exchange, command: asked.CreateOrder, now_ms: int) -> Command:
    on_curve = command.market in exchange.markets
    token = CLEARING if on_curve else _token("collateral token", command.collateral_token)
    fee = _fee(exchange, command.type, len(command.path), command.execution_fee)
    collateral = _amount("collateral", command.collateral, token)
    native = token.symbol == NATIVE and not command.type.is_decrease
    scale = _Scale(exchange, command.market)
    output = (
        scale.usd
        if command.type.is_decrease
        else Fraction(_last(exchange, command.collateral_token, command.path).unit)
    )
    return commands.CreateOrder(
        account=command.account,
        client_id=client_id(command),
        receiver=command.receiver or command.account,
        execution_fee=fee,
        native_sent=0 if native else fee,
        now_ms=now_ms,
        type=command.type,
        market=command.market,
        is_long=command.is_long,
        collateral_token="" if on_curve else token.symbol,
        collateral=collateral + fee * native,
        size=scale.of("size", command.size, scale.usd),
        trigger_price=scale.price("trigger price", command.trigger_price),
        acceptable_price=scale.price("acceptable price", command.acceptable_price),
        min_output=scale.of("min output", command.min_output, output),
        valid_from_ms=command.valid_from_ms,
        path=command.path,
        position_id=command.position_id,
        auto_cancel=command.auto_cancel,
        referral_code=command.referral_code,
    )


def updated(exchange: Exchange, order: OrderRequest, command: asked.UpdateOrder, now_ms: int) -> Command:
    """An order's new terms, in the exchange's units."""
    scale = _Scale(exchange, order.market)
    size, trigger, acceptable = command.size, command.trigger_price, command.acceptable_price
    output = scale.usd if order.type.is_decrease else Fraction(_last(exchange, order.collateral_token, order.path).unit)
    return commands.UpdateOrder(
        key=order.key,
        account=order.account,
        size=order.size if size is None else scale.of("size", size, scale.usd),
        trigger_price=order.trigger_price if trigger is None else scale.price("trigger price", trigger),
        acceptable_price=order.acceptable_price if acceptable is None else scale.price("acceptable price", acceptable),
        min_output=order.min_output
        if command.min_output is None
        else scale.of("min output", command.min_output, output),
        valid_from_ms=order.valid_from_ms if command.valid_from_ms is None else command.valid_from_ms,
        auto_cancel=order.auto_cancel if command.auto_cancel is None else command.auto_cancel,
        fee_top_up=_amount("fee top-up", command.fee_top_up, TOKENS[NATIVE]),
        now_ms=now_ms,
        client_id=client_id(command),
    )


class _Scale:
    """USD and prices of one market: 1e-18 on a curve; on a pool 1e-30, prices per smallest unit of the index token."""

    def __init__(self, exchange: Exchange, market: str) -> None:
        pool = exchange.pools.get(market)
        self.usd = Fraction(FLOAT) if pool else Fraction(WAD)
        self._price = Fraction(FLOAT, TOKENS[pool.index].unit) if pool and pool.index else Fraction(WAD)

    def price(self, field: str, value: Decimal | None) -> int | None:
        return None if value is None else self.of(field, value, self._price)

    def of(self, field: str, value: Decimal, unit: Fraction) -> int:
        """Finer digits than the unit has are cut off."""
        if not value.is_finite() or not 0 <= value <= MOST or len(value.as_tuple().digits) > LONGEST_TEXT:
            raise Refused(Code.BAD_REQUEST, f"{field} {value!s:.40}: expected a number from 0 to {MOST:,}")
        return int(Fraction(value) * unit)


def _last(exchange: Exchange, token: str, path: tuple[str, ...]) -> Token:
    """What a swap along the path ends in."""
    for symbol in path:
        if symbol in exchange.pools:
            token = exchange.pools[symbol].other(token)
    return token_named(token) if token in TOKENS else CLEARING
