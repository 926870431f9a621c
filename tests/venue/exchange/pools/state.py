"""What the slow model remembers: plain dicts and integers, its own arithmetic, nothing of the exchange's code.

Accounts and fields carry the exchange's names, so that two states can be compared by equality.
"""

import copy
from collections.abc import Iterable
from typing import Any

ONE = 10**30
DEAD = "0x0000000000000000000000000000000000000001"
ZERO = "0x" + "0" * 40
NATIVE = "WETH"
OUTSIDE = "external"
VAULT = {"deposit": "deposit_vault", "withdrawal": "withdrawal_vault", "order": "order_vault"}

Row = dict[str, Any]
PoolRow = dict[str | bool, Any]
"""A side's sums are under True (long) and False."""
Key = tuple[str, str, str, bool]


class No(Exception):
    """The operation, or the execution of a request, does not go through."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def need(holds: bool, reason: str) -> None:
    if not holds:
        raise No(reason)


def floor(a: int, b: int) -> int:
    return a // b


def ceil(a: int, b: int) -> int:
    return -((-a) // b)


def cut(a: int, b: int) -> int:
    """Quotient truncated toward zero."""
    return a // b if (a >= 0) == (b > 0) else -((-a) // b)


def part(value: int, by: int) -> int:
    """A factor of a value, toward zero."""
    return cut(value * by, ONE)


class State:
    """Everything that an operation may change."""

    def __init__(self) -> None:
        self.bank: dict[str, dict[str, int]] = {}
        self.pools: dict[str, PoolRow] = {}
        self.positions: dict[Key, Row] = {}
        self.pending: dict[int, Row] = {}
        self.ended: dict[int, Row] = {}
        self.nonce = 0
        self.keepers: dict[str, bool] = {}
        self.disabled: set[str] = set()
        self.codes: dict[str, tuple[str, int, int]] = {}
        self.referred: dict[str, str] = {}
        self.counts = {"executed": 0, "cancelled": 0}

    def copy(self) -> "State":
        twin = State()
        for name, value in vars(self).items():
            setattr(twin, name, copy.copy(value))
        twin.bank = {token: dict(book) for token, book in self.bank.items()}
        twin.pools = {
            name: {**pool, True: dict(pool[True]), False: dict(pool[False])} for name, pool in self.pools.items()
        }
        twin.positions = {key: dict(row) for key, row in self.positions.items()}
        twin.pending = {key: dict(row) for key, row in self.pending.items()}
        return twin

    def held(self, token: str, account: str) -> int:
        return self.bank.get(token, {}).get(account, 0)

    def move(self, token: str, source: str, target: str, amount: int, reason: str = "InsufficientPoolAmount") -> None:
        """Pays; whoever cannot, gives the reason."""
        if amount == 0:
            return
        need(amount > 0 and (source == OUTSIDE or self.held(token, source) >= amount), reason)
        book = self.bank.setdefault(token, {})
        book[source] = book.get(source, 0) - amount
        book[target] = book.get(target, 0) + amount

    def supply(self, market: str) -> int:
        return -self.held("MT:" + market, OUTSIDE)


class Prices:
    """(min, max) per token, and the times they were said."""

    def __init__(self, quoted: Iterable[tuple[str, int, int, int]]) -> None:
        self.rows: dict[str, tuple[int, int, int]] = {}
        for token, low, high, stamp in quoted:
            need(0 < low <= high and token not in self.rows, "InvalidPrice")
            self.rows[token] = (low, high, stamp)

    def row(self, token: str) -> tuple[int, int, int]:
        need(token in self.rows, "EmptyPrice")
        return self.rows[token]

    def low(self, token: str) -> int:
        return self.row(token)[0]

    def high(self, token: str) -> int:
        return self.row(token)[1]

    def mid(self, token: str) -> int:
        low, high, _ = self.row(token)
        return (low + high) // 2

    def side(self, token: str, *, high: bool) -> int:
        return self.high(token) if high else self.low(token)


def wallet(user: str) -> str:
    return "wallet:" + user


def power(usd: int, exponent: int) -> int:
    """USD to an integer power; below one USD it is nothing."""
    if usd < ONE:
        return 0
    return int(usd**exponent // ONE ** (exponent - 1))


def impact_usd(before: tuple[int, int], after: tuple[int, int], curve: Row) -> tuple[int, bool]:
    """Signed USD impact of going from one pair of amounts to another, and whether the balance got better."""
    (a, b), (c, d) = before, after
    gap, gap_after = abs(a - b), abs(c - d)
    better = gap_after < gap
    good = min(curve["positive"], curve["negative"])
    bad = curve["negative"]
    if (a <= b) == (c <= d):
        f, e = (good, curve["positive_exponent"]) if better else (bad, curve["negative_exponent"])
        size = abs(part(power(gap, e), f) - part(power(gap_after, e), f))
        return (size if better else -size), better
    gained = part(power(gap, curve["positive_exponent"]), good)
    return gained - part(power(gap_after, curve["negative_exponent"]), bad), better
