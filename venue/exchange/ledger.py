"""Double entry: money only ever moves from one account to another, so the sum over all accounts stays zero.

Accounts are plain names. `external` is everything outside the ledger and, unless a ledger says otherwise, the only
account that may be negative. Every token has a ledger of its own, in its own smallest unit; market tokens are tokens,
and what `external` owes of one is its supply.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

EXTERNAL = "external"
TRADE_FUND = "trade_fund"
INSURANCE = "insurance_fund"
PROTOCOL_FEES = "protocol_fees"
WALLET = "wallet:"


def wallet(user: str) -> str:
    """The account that holds what a user has free."""
    return WALLET + user


@dataclass(frozen=True, slots=True)
class Move:
    """`amount` (above zero, in the ledger's unit) leaves `source` and reaches `target`."""

    source: str
    target: str
    amount: int
    token: str = ""
    """Empty: the ledger's own money. The clearinghouse's is USD in 1e-18."""


class Overdrawn(ValueError):
    """A move would have left an account below zero that may not be."""


def moves(*legs: tuple[str, str, int], token: str = "") -> tuple[Move, ...]:
    """The legs that move anything."""
    return tuple(Move(*leg, token) for leg in legs if leg[2] > 0)


@dataclass(slots=True)
class Ledger:
    """Balances by account name; an account that was never touched holds nothing."""

    balances: dict[str, int] = field(default_factory=dict)
    may_owe: frozenset[str] = frozenset((EXTERNAL,))
    """Accounts that may be negative."""

    def __getitem__(self, account: str) -> int:
        return self.balances.get(account, 0)

    def apply(self, movements: Iterable[Move]) -> None:
        """Books the movements in order. Raises Overdrawn and books nothing of a movement that would overdraw."""
        balances = self.balances
        for move in movements:
            left = balances.get(move.source, 0) - move.amount
            if move.amount <= 0 or (left < 0 and move.source not in self.may_owe):
                raise Overdrawn(f"{move.source} cannot pay {move.amount} {move.token} to {move.target}")
            balances[move.source] = left
            balances[move.target] = balances.get(move.target, 0) + move.amount

    def total(self) -> int:
        """The sum over all accounts: zero, always."""
        return sum(self.balances.values())
