"""What an account may ask of the clearinghouse. Amounts are integers of 1e-18, leverage and part exact rationals."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from engine.envelope import Envelope


class Role(StrEnum):
    """OWNER: its own wallet and positions. LIQUIDATOR: liquidations as well. OPERATOR: on behalf of anybody."""

    OWNER = "owner"
    LIQUIDATOR = "liquidator"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked(Envelope):
    role: Role
    """`who` is the account that asks; the engine decides whether it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetMarketState(_Asked):
    market: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPositionHealth(_Asked):
    position_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit(_Asked):
    user: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw(_Asked):
    user: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPosition(_Asked):
    """With `preview` the answer is exactly what would happen, and nothing does."""

    user: str
    market: str
    is_long: bool
    total: int
    leverage: Fraction
    worst_price: int | None = None
    preview: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePosition(_Asked):
    user: str
    position_id: int
    part: Fraction = Fraction(1)
    worst_price: int | None = None
    preview: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidatePosition(_Asked):
    """The fee goes to the asking account."""

    position_id: int


ClearingCommand = (
    GetMarketState | GetPositionHealth | Deposit | Withdraw | OpenPosition | ClosePosition | LiquidatePosition
)
