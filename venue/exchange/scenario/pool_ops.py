"""The operations of a pool scenario: whole tokens and USD as decimal strings."""

from typing import Literal

from venue.exchange.machine import Command
from venue.exchange.pool.state import PositionKey
from venue.exchange.pool.units import FLOAT
from venue.exchange.requests import commands
from venue.exchange.scenario.pool_base import Amount, Desk, Op, Seconds
from venue.exchange.scenario.pool_requests import REQUEST_OPS


class _Credit(Op):
    op: Literal["credit"]
    user: str
    token: str
    amount: Amount

    def command(self, desk: Desk) -> Command:
        return commands.Credit(self.user, self.token, int(self.amount * desk.unit(self.token)))


class _RegisterKeeper(Op):
    op: Literal["register_keeper"]
    keeper: str
    frozen_orders: bool = False

    def command(self, desk: Desk) -> Command:
        return commands.RegisterKeeper(self.keeper, self.frozen_orders)


class _RegisterCode(Op):
    op: Literal["register_code"]
    owner: str
    code: str
    rebate: Amount
    discount: Amount

    def command(self, desk: Desk) -> Command:
        return commands.RegisterReferralCode(
            self.owner, self.code, int(self.rebate * FLOAT), int(self.discount * FLOAT)
        )


class _SwitchPool(Op):
    op: Literal["switch_pool"]
    market: str
    enabled: bool

    def command(self, desk: Desk) -> Command:
        return commands.SwitchPool(self.market, self.enabled)


class _SwitchFeature(Op):
    op: Literal["switch_feature"]
    feature: str
    enabled: bool

    def command(self, desk: Desk) -> Command:
        return commands.SwitchFeature(self.feature, self.enabled)


class _Claim(Op):
    op: Literal["claim"]
    user: str
    market: str
    what: Literal["fees", "affiliate", "locked"]

    def command(self, desk: Desk) -> Command:
        return commands.Claim(self.user, self.market, self.what)


class _Liquidate(Op):
    op: Literal["liquidate"]
    user: str
    market: str
    collateral_token: str
    side: Literal["long", "short"]
    keeper: str = "keeper"

    def command(self, desk: Desk) -> Command:
        key = PositionKey(self.user, self.market, self.collateral_token, self.side == "long")
        return commands.LiquidatePoolPosition(key, self.keeper, desk.prices(), desk.now_ms)


class SetPrice(Op):
    """Not a command: what the keepers' prices are from now on, stamped `age` seconds ago."""

    op: Literal["price"]
    token: str
    price: Amount | None = None
    min: Amount | None = None
    max: Amount | None = None
    age: Seconds = 0


class Tick(Op):
    """Not a command: time passes; prices keep the time they were set at."""

    op: Literal["tick"]
    seconds: Seconds


OPS: dict[str, type[Op]] = {
    "credit": _Credit,
    "register_keeper": _RegisterKeeper,
    "register_code": _RegisterCode,
    "switch_pool": _SwitchPool,
    "switch_feature": _SwitchFeature,
    "claim": _Claim,
    "liquidate": _Liquidate,
    **REQUEST_OPS,
}
STEPS: dict[str, type[Op]] = {"price": SetPrice, "tick": Tick}
