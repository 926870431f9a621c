"""What may be asked of the exchange. Amounts are integers of 1e-18; time is the block the exchange is at."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from venue.exchange.params import MarketParams


class Code(StrEnum):
    """Why a command was refused; stable, shown to users and used by scripts."""

    BAD_AMOUNT = "BAD_AMOUNT"
    BAD_LEVERAGE = "BAD_LEVERAGE"
    INSUFFICIENT_WALLET = "INSUFFICIENT_WALLET"
    POOL_EXHAUSTED = "POOL_EXHAUSTED"
    BASE_EXHAUSTED = "BASE_EXHAUSTED"
    PRICE_MOVE_LIMIT = "PRICE_MOVE_LIMIT"
    WORSE_THAN_ACCEPTABLE = "WORSE_THAN_ACCEPTABLE"
    UNDERWATER = "UNDERWATER"
    FUNDS_INSUFFICIENT = "FUNDS_INSUFFICIENT"
    SAME_BLOCK = "SAME_BLOCK"
    NOT_LIQUIDATABLE = "NOT_LIQUIDATABLE"
    UNKNOWN_MARKET = "UNKNOWN_MARKET"
    MARKET_EXISTS = "MARKET_EXISTS"
    UNKNOWN_POSITION = "UNKNOWN_POSITION"
    NOT_OPEN = "NOT_OPEN"
    NOT_OWNER = "NOT_OWNER"
    WOULD_BE_LIQUIDATABLE = "WOULD_BE_LIQUIDATABLE"
    DUPLICATE_ORDER = "DUPLICATE_ORDER"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A refusal: nothing changed. `code` is a member of `Code`, or of the enum of a machine built like this one."""

    code: StrEnum
    detail: str = ""


class Refused(Exception):
    """Carries a Rejection out of nested checks."""

    def __init__(self, code: StrEnum, detail: str = "") -> None:
        super().__init__(code, detail)
        self.rejection = Rejection(code, detail)


@dataclass(frozen=True, slots=True)
class ListMarket:
    symbol: str
    params: MarketParams


@dataclass(frozen=True, slots=True)
class Deposit:
    """`client_id` is the sender's own name for it, good for one; none is no name."""

    user: str
    amount: int
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Withdraw:
    user: str
    amount: int
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class FundInsurance:
    amount: int


@dataclass(frozen=True, slots=True)
class AdvanceBlock:
    blocks: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    user: str
    order_id: str = ""
    """Not empty: takes effect at most once, and its fill can be asked for later."""
    worst_price: int | None = None
    """Refuse when the average price would be worse than this."""
    payer: str = ""
    """The account whose money is spent, if not the user's wallet: the vault that holds it in escrow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPosition(_Order):
    """Spend `total` (margin and fee) of the wallet; `deposit` reaches the wallet from outside in the same step."""

    market: str
    is_long: bool
    total: int
    leverage: Fraction
    deposit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IncreasePosition(_Order):
    position_id: int
    total: int
    leverage: Fraction
    deposit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePosition(_Order):
    """Close `part` of it, 1 being all. With `withdraw_unit` the payout leaves for `external`, in whole units of it."""

    position_id: int
    part: Fraction = Fraction(1)
    withdraw_unit: int = 0


@dataclass(frozen=True, slots=True)
class LiquidatePosition:
    liquidator: str
    position_id: int


Command = (
    ListMarket
    | Deposit
    | Withdraw
    | FundInsurance
    | AdvanceBlock
    | OpenPosition
    | IncreasePosition
    | ClosePosition
    | LiquidatePosition
)
