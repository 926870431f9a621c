"""How facts about the wallet and about buybacks change the house; what they move is in their moves."""

from collections.abc import Callable
from typing import Any

from engine.desks import facts
from engine.desks.state import Buyback, House


def _on_reconciled(house: House, fact: facts.WalletReconciled, seq: int, at_ms: int) -> None:
    """Its moves are its whole effect."""


def _buyback(house: House, token: str) -> Buyback:
    return house.buybacks.setdefault(token, Buyback())


def _on_intended(house: House, fact: facts.BuybackIntended, seq: int, at_ms: int) -> None:
    _buyback(house, fact.address).order = fact


def _on_filled(house: House, fact: facts.BuybackFilled, seq: int, at_ms: int) -> None:
    buyback = _buyback(house, fact.address)
    short = buyback.order is not None and fact.bought < buyback.order.least
    buyback.refused = "the last bought fewer than it had to" if short else ""
    buyback.order, buyback.unsettled, buyback.last_ms = None, False, at_ms
    buyback.spent += fact.spent
    buyback.bought += fact.bought
    buyback.count += 1


def _on_declined(house: House, fact: facts.BuybackDeclined, seq: int, at_ms: int) -> None:
    buyback = _buyback(house, fact.address)
    buyback.order, buyback.unsettled, buyback.refused = None, False, f"{fact.code} {fact.detail}".strip()


def _on_unsettled(house: House, fact: facts.BuybackUnsettled, seq: int, at_ms: int) -> None:
    _buyback(house, fact.address).unsettled = True


MONEY_FOLDS: dict[type, Callable[[House, Any, int, int], None]] = {
    facts.WalletReconciled: _on_reconciled,
    facts.BuybackIntended: _on_intended,
    facts.BuybackFilled: _on_filled,
    facts.BuybackDeclined: _on_declined,
    facts.BuybackUnsettled: _on_unsettled,
}
