"""What a failed execution does to a request: the most visible rule of the two-step flow (seed avitus, 2.b)."""

from enum import Enum, StrEnum

from venue.exchange.commands import Code, Rejection
from venue.exchange.reasons import INVALID_ORDER, KEEPER_ERRORS, Reason
from venue.exchange.requests.request import OrderRequest, Request


class Outcome(Enum):
    """STAYS: as if nobody had tried. CANCEL: escrow goes back. FREEZE: escrow stays, the fee is spent."""

    STAYS = "stays"
    CANCEL = "cancel"
    FREEZE = "freeze"


_ON_A_CURVE: dict[StrEnum, Reason] = {
    Code.UNKNOWN_MARKET: Reason.EMPTY_MARKET,
    Code.BAD_AMOUNT: Reason.POSITION_SIZE,
    Code.BAD_LEVERAGE: Reason.POSITION_SIZE,
    Code.UNKNOWN_POSITION: Reason.EMPTY_POSITION,
    Code.NOT_OPEN: Reason.EMPTY_POSITION,
    Code.NOT_OWNER: Reason.EMPTY_POSITION,
    Code.WORSE_THAN_ACCEPTABLE: Reason.ACCEPTABLE_PRICE,
}
"""What the clearinghouse's refusals are in the words of the request layer; the others keep their own."""


def in_our_words(rejection: Rejection) -> Rejection:
    """The rejection with the request layer's name for it, where it has one."""
    reason = _ON_A_CURVE.get(rejection.code)
    if reason is None:
        return rejection
    return Rejection(reason, f"{rejection.code}: {rejection.detail}")


def outcome(request: Request, code: StrEnum) -> Outcome:
    """The table: by who is to blame, and by whether the order can wait."""
    if code in KEEPER_ERRORS:
        return Outcome.STAYS
    if not isinstance(request, OrderRequest) or request.type.is_market or code in INVALID_ORDER:
        return Outcome.CANCEL
    if code is Reason.EMPTY_POSITION or request.frozen:
        return Outcome.STAYS
    return Outcome.FREEZE
