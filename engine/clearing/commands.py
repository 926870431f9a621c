"""What an account may ask of the clearinghouse. Amounts are integers of 1e-18, leverage and part exact rationals."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from engine.envelope import Envelope


class Role(StrEnum):
    """OWNER: its own wallet and positions. LIQUIDATOR: liquidations as well. OPERATOR: on behalf of anybody.

    Which account has which role is the engine's configuration; no command can claim one.
    """

    OWNER = "owner"
    LIQUIDATOR = "liquidator"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class GetMarketState(Envelope):
    market: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPositionHealth(Envelope):
    """Anybody may look at any open position: liquidators must."""

    position_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit(Envelope):
    user: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw(Envelope):
    user: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPosition(Envelope):
    """With `preview` the answer is exactly what would happen, and nothing does."""

    user: str
    market: str
    is_long: bool
    total: int
    leverage: Fraction
    worst_price: int | None = None
    preview: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePosition(Envelope):
    user: str
    position_id: int
    part: Fraction = Fraction(1)
    worst_price: int | None = None
    preview: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidatePosition(Envelope):
    """The fee goes to the asking account."""

    position_id: int


ClearingCommand = (
    GetMarketState | GetPositionHealth | Deposit | Withdraw | OpenPosition | ClosePosition | LiquidatePosition
)
