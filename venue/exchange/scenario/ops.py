"""The operations of a scenario, each checked before it is tried."""

from fractions import Fraction
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from venue.exchange import commands
from venue.exchange.scenario.numbers import Number, on_grid


class Op(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    def command(self, market: str) -> commands.Command:
        raise NotImplementedError


class _Deposit(Op):
    op: Literal["deposit"]
    user: str
    amount: Number

    def command(self, market: str) -> commands.Command:
        return commands.Deposit(self.user, on_grid(self.amount))


class _Withdraw(Op):
    op: Literal["withdraw"]
    user: str
    amount: Number

    def command(self, market: str) -> commands.Command:
        return commands.Withdraw(self.user, on_grid(self.amount))


class _FundInsurance(Op):
    op: Literal["fund_insurance"]
    amount: Number

    def command(self, market: str) -> commands.Command:
        return commands.FundInsurance(on_grid(self.amount))


class _Tick(Op):
    op: Literal["tick"]
    blocks: int = Field(lt=10**18)

    def command(self, market: str) -> commands.Command:
        return commands.AdvanceBlock(self.blocks)


class _Open(Op):
    op: Literal["open"]
    user: str
    side: Literal["long", "short"]
    total: Number
    leverage: Number

    def command(self, market: str) -> commands.Command:
        return commands.OpenPosition(
            user=self.user,
            market=market,
            is_long=self.side == "long",
            total=on_grid(self.total),
            leverage=self.leverage,
        )


class _Increase(Op):
    op: Literal["increase"]
    user: str
    position: int
    total: Number
    leverage: Number

    def command(self, market: str) -> commands.Command:
        return commands.IncreasePosition(
            user=self.user, position_id=self.position, total=on_grid(self.total), leverage=self.leverage
        )


class _Close(Op):
    op: Literal["close"]
    user: str
    position: int
    part: Number = Fraction(1)

    def command(self, market: str) -> commands.Command:
        return commands.ClosePosition(user=self.user, position_id=self.position, part=self.part)


class _Liquidate(Op):
    op: Literal["liquidate"]
    liquidator: str
    position: int

    def command(self, market: str) -> commands.Command:
        return commands.LiquidatePosition(self.liquidator, self.position)


OPS: dict[str, type[Op]] = {
    "deposit": _Deposit,
    "withdraw": _Withdraw,
    "fund_insurance": _FundInsurance,
    "tick": _Tick,
    "open": _Open,
    "increase": _Increase,
    "close": _Close,
    "liquidate": _Liquidate,
}
