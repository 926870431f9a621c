"""The engine's side: checks who asks, lets the settlement decide, turns facts into answers."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction

from engine.clearing import commands as asked
from engine.clearing.answers import Answer
from engine.clearing.commands import ClearingCommand, Role
from engine.clearing.readings import market_state, position_health, told
from engine.desks.commands import Code
from engine.requests.translate import client_id
from engine.settlement import Settlement
from engine.world import World
from venue.exchange import commands as exchange
from venue.exchange import machine
from venue.exchange.clearinghouse import find_market, find_open
from venue.exchange.commands import Refused, Rejection

LONGEST_TEXT = 100
LARGEST_BITS = 400
"""Far more than any amount of money, far less than what would slow arithmetic down."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Where accounts of the clearinghouse are served. `reserved` prefixes belong to the engine itself.

    An account without a role in `roles` is an OWNER. When any account is a LIQUIDATOR, only those may liquidate.
    """

    settlement: Settlement
    reserved: tuple[str, ...]
    roles: Mapping[str, Role]

    async def serve(self, command: ClearingCommand) -> Answer | Rejection | None:
        """The answer, None where success says it all, or why not."""
        refusal = self._may(command)
        if refusal is not None:
            return refusal
        match command:
            case asked.GetMarketState() | asked.GetPositionHealth():
                return await self.settlement.read(lambda world: _look(world, command))
            case asked.OpenPosition(preview=True) | asked.ClosePosition(preview=True):
                order = _order(command)
                answer = await self.settlement.read(lambda world: machine.decide(world.exchange, order))
            case _:
                answer = await self.settlement.submit(_order(command))  # type: ignore[assignment]
        return answer if isinstance(answer, Rejection) else told(answer)

    def _may(self, command: ClearingCommand) -> Rejection | None:
        if wrong := _malformed(command):
            return Rejection(Code.BAD_REQUEST, wrong)
        user = getattr(command, "user", command.who)
        role = self.roles.get(command.who, Role.OWNER)
        if role is not Role.OPERATOR and user != command.who:
            return Rejection(Code.NOT_ALLOWED, f"{command.who} may not act for {user}")
        if not user or user.startswith(self.reserved):
            return Rejection(Code.NOT_ALLOWED, f"account {user!r} belongs to the engine")
        privileged = Role.LIQUIDATOR in self.roles.values()
        if isinstance(command, asked.LiquidatePosition) and privileged and role is Role.OWNER:
            return Rejection(Code.NOT_ALLOWED, "only liquidators may liquidate here")
        return None


def _malformed(command: ClearingCommand) -> str | None:
    """What is wrong with the shape of a command; its values are not repeated, they may be enormous."""
    for field in fields(command):
        value, kind = getattr(command, field.name), field.type
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):  # type: ignore[arg-type]
            return f"{field.name}: expected {getattr(kind, '__name__', kind)}"
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            return f"{field.name}: expected at most {LONGEST_TEXT} characters"
        numbers = (value.numerator, value.denominator) if isinstance(value, int | Fraction) else ()
        if any(number.bit_length() > LARGEST_BITS for number in numbers):
            return f"{field.name}: expected a number of at most {LARGEST_BITS} bits"
    return None


def _look(world: World, command: asked.GetMarketState | asked.GetPositionHealth) -> Answer | Rejection:
    try:
        if isinstance(command, asked.GetMarketState):
            return market_state(world.exchange, find_market(world.exchange, command.market))
        position = find_open(world.exchange, command.position_id)
        return position_health(world.exchange.markets[position.market], position)
    except Refused as refused:
        return refused.rejection


def _order(command: ClearingCommand) -> exchange.Command:
    match command:
        case asked.Deposit():
            return exchange.Deposit(command.user, command.amount, client_id(command))
        case asked.Withdraw():
            return exchange.Withdraw(command.user, command.amount, client_id(command))
        case asked.OpenPosition():
            return exchange.OpenPosition(
                user=command.user,
                market=command.market,
                is_long=command.is_long,
                total=command.total,
                leverage=command.leverage,
                worst_price=command.worst_price,
                order_id="" if command.preview else client_id(command),
            )
        case asked.ClosePosition():
            return exchange.ClosePosition(
                user=command.user,
                position_id=command.position_id,
                part=command.part,
                worst_price=command.worst_price,
                order_id="" if command.preview else client_id(command),
            )
        case asked.LiquidatePosition():
            return exchange.LiquidatePosition(command.who, command.position_id)
        case _:
            raise TypeError(f"{type(command).__name__} is no order")
