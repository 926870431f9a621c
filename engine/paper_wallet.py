"""The desks' wallet on paper: what a wallet would hold after everything that was claimed, traded and bought.

It follows the exchange's own bookings, not the desks' attributions, so that the two can be held against each other.
"""

from dataclasses import dataclass

from engine.desks import facts as desk_facts
from venue.exchange.facts import Deposited, Withdrawn
from venue.exchange.fixed import MICRO
from venue.exchange.ledger import EXTERNAL, Move
from venue.exchange.requests.facts import CurveOrderExecuted, OrderCreated, RequestCancelled
from venue.exchange.state import Exchange

DESK_PREFIX = "desk:"


@dataclass(slots=True)
class PaperWallet:
    """USDC of 1e-6."""

    balance: int = 0


def follow(wallet: PaperWallet, exchange: Exchange, fact: object) -> None:
    """Takes a fact in; `exchange` is as it was before the fact."""
    match fact:
        case desk_facts.FeesArrived():
            wallet.balance += fact.amount
        case desk_facts.BuybackFilled():
            wallet.balance -= fact.spent
        case Deposited() | Withdrawn():
            _outside(wallet, fact.user, fact.moves)
        case OrderCreated():
            _outside(wallet, fact.request.account, fact.moves)
        case CurveOrderExecuted():
            _outside(wallet, exchange.requests.pending[fact.receipt.key].account, fact.changes.moves)
        case RequestCancelled():
            _outside(wallet, exchange.requests.pending[fact.receipt.key].account, fact.moves)


def _outside(wallet: PaperWallet, account: str, movements: tuple[Move, ...]) -> None:
    """What crossed the exchange's border for a desk, in its own money; execution fees are paid in other tokens."""
    if not account.startswith(DESK_PREFIX):
        return
    for move in movements:
        if move.token == "":
            wallet.balance += (move.target == EXTERNAL) * (move.amount // MICRO)
            wallet.balance -= (move.source == EXTERNAL) * (move.amount // MICRO)
