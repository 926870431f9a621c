"""The operations of a pool scenario that are about requests, which go by their number."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from venue.exchange.machine import Command
from venue.exchange.pool.units import FLOAT, SHARE
from venue.exchange.requests import commands
from venue.exchange.requests.fee import fee_on_top
from venue.exchange.requests.request import NATIVE, Kind, OrderType
from venue.exchange.scenario.pool_base import Amount, Desk, Op, Path, Seconds


class _Create(Op):
    user: str
    receiver: str | None = None
    execution_fee: Amount | None = None
    callback: str = ""
    callback_units: Annotated[int, Field(ge=0, lt=10**18)] = 0

    def to(self) -> str:
        return self.user if self.receiver is None else self.receiver


class _CreateDeposit(_Create):
    """The execution fee is sent beside what is deposited, also where both are native tokens."""

    op: Literal["create_deposit"]
    market: str
    long: Amount = Fraction(0)
    short: Amount = Fraction(0)
    long_token: str | None = None
    short_token: str | None = None
    long_path: Path = ()
    short_path: Path = ()
    min_market_tokens: Amount = Fraction(0)

    def command(self, desk: Desk) -> Command:
        _, pool_long, pool_short = desk.pool_tokens(self.market)
        long_token = self.long_token or pool_long
        short_token = self.short_token or pool_short
        hops = len(self.long_path) + len(self.short_path)
        fee = desk.fee(Kind.DEPOSIT, hops, self.callback_units, self.execution_fee)
        long = int(self.long * desk.unit(long_token)) if self.long else 0
        short = int(self.short * desk.unit(short_token)) if self.short else 0
        long, short, sent = fee_on_top(fee, (long_token, long), (short_token, short))
        return commands.CreateDeposit(
            account=self.user,
            receiver=self.to(),
            execution_fee=fee,
            native_sent=sent,
            callback=self.callback,
            callback_units=self.callback_units,
            now_ms=desk.now_ms,
            market=self.market,
            long_token=long_token,
            short_token=short_token,
            long_amount=long,
            short_amount=short,
            long_path=self.long_path,
            short_path=self.short_path,
            min_market_tokens=int(self.min_market_tokens * SHARE),
        )


class _CreateWithdrawal(_Create):
    op: Literal["create_withdrawal"]
    market: str
    amount: Amount
    long_path: Path = ()
    short_path: Path = ()
    min_long: Amount = Fraction(0)
    min_short: Amount = Fraction(0)

    def command(self, desk: Desk) -> Command:
        _, long, short = desk.pool_tokens(self.market)
        hops = len(self.long_path) + len(self.short_path)
        fee = desk.fee(Kind.WITHDRAWAL, hops, self.callback_units, self.execution_fee)
        return commands.CreateWithdrawal(
            account=self.user,
            receiver=self.to(),
            execution_fee=fee,
            native_sent=fee,
            callback=self.callback,
            callback_units=self.callback_units,
            now_ms=desk.now_ms,
            market=self.market,
            amount=int(self.amount * SHARE),
            long_path=self.long_path,
            short_path=self.short_path,
            min_long=int(self.min_long * desk.unit(long)) if self.min_long else 0,
            min_short=int(self.min_short * desk.unit(short)) if self.min_short else 0,
        )


class _CreateOrder(_Create):
    op: Literal["create_order"]
    type: OrderType
    market: str = ""
    side: Literal["long", "short"] = "long"
    collateral_token: str
    collateral: Amount = Fraction(0)
    size: Amount = Fraction(0)
    trigger_price: Amount | None = None
    acceptable_price: Amount | None = None
    min_output: Amount = Fraction(0)
    valid_in: Seconds = 0
    path: Path = ()
    auto_cancel: bool = False
    referral_code: str = ""

    def command(self, desk: Desk) -> Command:
        fee = desk.fee(self.type, len(self.path), self.callback_units, self.execution_fee)
        collateral = int(self.collateral * desk.unit(self.collateral_token))
        native = self.collateral_token == NATIVE and not self.type.is_decrease
        index, *_ = desk.pool_tokens(self.market)
        per_price = Fraction(FLOAT, desk.unit(index)) if index else Fraction(FLOAT)
        output = FLOAT if self.type.is_decrease else desk.unit(self.last_token(desk))
        return commands.CreateOrder(
            account=self.user,
            receiver=self.to(),
            execution_fee=fee,
            native_sent=0 if native else fee,
            callback=self.callback,
            callback_units=self.callback_units,
            now_ms=desk.now_ms,
            type=self.type,
            market=self.market,
            is_long=self.side == "long",
            collateral_token=self.collateral_token,
            collateral=collateral + fee * native,
            size=int(self.size * FLOAT),
            trigger_price=None if self.trigger_price is None else int(self.trigger_price * per_price),
            acceptable_price=None if self.acceptable_price is None else int(self.acceptable_price * per_price),
            min_output=int(self.min_output * output),
            valid_from_ms=desk.now_ms + self.valid_in * 1000 if self.valid_in else 0,
            path=self.path,
            auto_cancel=self.auto_cancel,
            referral_code=self.referral_code,
        )

    def last_token(self, desk: Desk) -> str:
        """What the path ends in."""
        token = self.collateral_token
        for market in self.path:
            _, long, short = desk.pool_tokens(market)
            token = (short if token == long else long) or token
        return token


class _Numbered(Op):
    request: int


class _UpdateOrder(_Numbered):
    op: Literal["update_order"]
    user: str
    market: str
    size: Amount
    trigger_price: Amount | None = None
    acceptable_price: Amount | None = None
    min_output: Amount = Fraction(0)
    auto_cancel: bool = False
    fee_top_up: Amount = Fraction(0)

    def command(self, desk: Desk) -> Command:
        index, *_ = desk.pool_tokens(self.market)
        per_price = Fraction(FLOAT, desk.unit(index)) if index else Fraction(FLOAT)
        return commands.UpdateOrder(
            key=desk.request(self.request)[1],
            account=self.user,
            size=int(self.size * FLOAT),
            trigger_price=None if self.trigger_price is None else int(self.trigger_price * per_price),
            acceptable_price=None if self.acceptable_price is None else int(self.acceptable_price * per_price),
            min_output=int(self.min_output * FLOAT),
            valid_from_ms=0,
            auto_cancel=self.auto_cancel,
            fee_top_up=int(self.fee_top_up * 10**18),
            now_ms=desk.now_ms,
        )


class _Execute(_Numbered):
    op: Literal["execute"]
    keeper: str = "keeper"
    units: Annotated[int, Field(ge=0, lt=10**18)] | None = None

    def command(self, desk: Desk) -> Command:
        kind, key = desk.request(self.request)
        return commands.ExecuteRequest(kind, key, self.keeper, desk.prices(), desk.now_ms, self.units)


class _Cancel(_Numbered):
    op: Literal["cancel"]
    user: str

    def command(self, desk: Desk) -> Command:
        return commands.CancelRequest(*desk.request(self.request), self.user, desk.now_ms)


class _Sweep(_Numbered):
    op: Literal["sweep"]
    keeper: str = "keeper"

    def command(self, desk: Desk) -> Command:
        return commands.SweepRequest(*desk.request(self.request), self.keeper, desk.now_ms)


REQUEST_OPS: dict[str, type[Op]] = {
    "create_deposit": _CreateDeposit,
    "create_withdrawal": _CreateWithdrawal,
    "create_order": _CreateOrder,
    "update_order": _UpdateOrder,
    "execute": _Execute,
    "cancel": _Cancel,
    "sweep": _Sweep,
}
