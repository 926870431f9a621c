"""What must hold after every operation, whatever the operation: looked at on the exchange alone."""

from dataclasses import dataclass, field

from tests.venue.exchange.pools.drive import Pair
from tests.venue.exchange.pools.intake import EXPIRY
from tests.venue.exchange.pools.model import KEEPER_FAULTS, Answer
from tests.venue.exchange.pools.state import DEAD, Row
from venue.exchange.commands import Rejection
from venue.exchange.draft import Draft
from venue.exchange.ledger import EXTERNAL
from venue.exchange.machine import Command, Fact
from venue.exchange.pool.state import Pool, PoolPosition, PositionKey
from venue.exchange.pool.units import FLOAT, Prices
from venue.exchange.pool.value import pool_value, side_pnl
from venue.exchange.requests import facts
from venue.exchange.requests.commands import CancelRequest, ExecuteRequest
from venue.exchange.requests.request import NATIVE, VAULTS, OrderRequest, Request, escrow, expires, kind_of

RECEIPTS = (
    facts.DepositExecuted, facts.WithdrawalExecuted, facts.SwapExecuted, facts.IncreaseExecuted,
    facts.DecreaseExecuted, facts.RequestCancelled, facts.OrderFrozen,
)  # fmt: skip
LP_ONLY = (facts.DepositExecuted, facts.WithdrawalExecuted, facts.SwapExecuted)
Worth = dict[str, tuple[int, int]]


@dataclass
class Before:
    """How it was before the operation."""

    pending: dict[str, Request] = field(default_factory=dict)
    positions: dict[PositionKey, PoolPosition] = field(default_factory=dict)
    dead: int = 0
    worth: Worth = field(default_factory=dict)


class Watched(Pair):
    """A pair that also holds the exchange to its invariants."""

    def __init__(self) -> None:
        self.before = Before()
        self.seen_worth = 0
        super().__init__(watch=_after)

    def _send(self, command: Command) -> tuple[Fact, ...] | Rejection:
        was = repr(self.exchange)
        self.before = Before(
            dict(self.exchange.requests.pending), dict(self.exchange.pool_positions), dead(self), worth(self)
        )
        answer = super()._send(command)
        if isinstance(answer, Rejection):
            assert repr(self.exchange) == was, "C1"
        if isinstance(command, ExecuteRequest) and not isinstance(answer, Rejection):
            check_times(self, command)
        if isinstance(command, CancelRequest) and not isinstance(answer, Rejection):
            request = self.before.pending[command.key]
            assert not expires(request) or self.now >= request.updated_ms + EXPIRY, "P9"
        return answer


def check_times(pair: Watched, command: ExecuteRequest) -> None:
    """P9: no price older than the request or from after its expiry."""
    request = pair.before.pending[command.key]
    path = request.path if isinstance(request, OrderRequest) else (*request.long_path, *request.short_path)
    pools = [pair.exchange.pools[name] for name in (request.market, *path) if name in pair.exchange.pools]
    needed = {token for pool in pools for token in (pool.index, pool.long, pool.short)}
    stamps = {price.timestamp_ms for price in command.prices if price.token in needed}
    assert min(stamps) >= request.updated_ms, "P9"
    assert not expires(request) or max(stamps) <= request.updated_ms + EXPIRY, "P9"


def dead(pair: Pair) -> int:
    return sum(book[f"wallet:{DEAD}"] for token, book in pair.exchange.tokens.items() if token.startswith("MT:"))


def worth(pair: Pair) -> Worth:
    """(pool value at its highest, supply) of the pools whose value only their providers' own acts may change now."""
    prices, draft = Prices(pair.prices({"op": ""})), Draft(pair.exchange, pair.now)
    return {
        name: (
            pool_value(draft, pool, prices, pool.params.max_pnl_deposits, True),
            -pair.exchange.book(pool.market_token)[EXTERNAL],
        )
        for name, pool in pair.exchange.pools.items()
        if not pool.params.borrowing_per_second and not _capped(draft, pool, prices)
    }


def _capped(draft: Draft, pool: Pool, prices: Prices) -> bool:
    """Whether the cap on traders' profits may bind at either end."""
    book = draft.exchange
    for is_long, token in ((True, pool.long), (False, pool.short)):
        held = book.book(token)[f"pool:{pool.symbol}"] * prices[token].min
        if side_pnl(pool, prices, is_long, maximize=True) * FLOAT * 2 > held * pool.params.max_pnl_deposits:
            return True
    return False


def _after(pair: Pair, op: Row, answer: Answer) -> None:
    assert isinstance(pair, Watched)
    if answer[0] == "refused":
        return
    check_books(pair)
    check_sums(pair)
    check_receipts(pair)
    check_share_price(pair)
    check_swaps(pair)
    check_endings(pair)


def check_books(pair: Watched) -> None:
    """C4, P1, P2, P7."""
    exchange = pair.exchange
    owed: dict[tuple[str, str], int] = {}
    for request in exchange.requests.pending.values():
        vault = VAULTS[kind_of(request)]
        for token, amount in (*escrow(request), (NATIVE, request.execution_fee)):
            owed[token, vault] = owed.get((token, vault), 0) + amount
    for position in exchange.pool_positions.values():
        name = f"collateral:{position.market}:{'long' if position.is_long else 'short'}"
        where = (position.collateral_token, name)
        owed[where] = owed.get(where, 0) + position.collateral
    for token, book in exchange.tokens.items():
        assert book.total() == 0, "double entry"
        assert all(amount >= 0 for name, amount in book.balances.items() if name != EXTERNAL), "C4"
        for name, amount in book.balances.items():
            if name.startswith("collateral:") or name in VAULTS.values():
                assert amount == owed.pop((token, name), 0), ("P1" if ":" in name else "P2", token, name)
            elif token.startswith("MT:"):
                assert name == EXTERNAL or name.startswith("wallet:"), "P7"
    assert not any(owed.values()), "P1, P2"
    assert dead(pair) >= pair.before.dead, "P7"


def check_sums(pair: Watched) -> None:
    """P8: a side's interest is the sum of its positions; the top of a pool's range is not below its bottom."""
    draft, prices = Draft(pair.exchange, pair.now), Prices(pair.prices({"op": ""}))
    for pool in pair.exchange.pools.values():
        for is_long in (True, False):
            side = pool.interest(is_long)
            mine = [
                each
                for each in pair.exchange.pool_positions.values()
                if (each.market, each.is_long) == (pool.symbol, is_long)
            ]
            assert side.usd == sum(each.size for each in mine), "P8"
            assert side.tokens == sum(each.tokens for each in mine), "P8"
            assert side.pending_impact == sum(each.pending_impact for each in mine), "P8"
            assert side.borrowed == sum(each.size * each.borrowing for each in mine), "P8"
        assert pool.position_impact >= 0
        for factor in (pool.params.max_pnl_deposits, pool.params.max_pnl_traders):
            top, bottom = (pool_value(draft, pool, prices, factor, high) for high in (True, False))
            assert top >= bottom, "P8"
            assert pool_value(draft, pool, prices, 10**60, True) <= top, "P8: a cap only lowers PnL"


def check_receipts(pair: Watched) -> None:
    """P10, P11: nothing of a fee is lost, and nothing of an escrow that is given back."""
    for fact in pair.latest:
        if not isinstance(fact, RECEIPTS):
            continue
        receipt = fact.receipt
        request = pair.before.pending[receipt.key]
        assert receipt.fee_paid + receipt.refund == request.execution_fee, "P10"
        assert receipt.fee_paid >= 0, "P10"
        assert receipt.refund >= 0, "P10"
        if isinstance(fact, facts.RequestCancelled):
            assert fact.reason not in KEEPER_FAULTS, "P11"
            check_given_back(request, fact)
        elif isinstance(fact, facts.OrderFrozen):
            assert isinstance(request, OrderRequest), "P11"
            assert not expires(request), "P11"
            kept = pair.exchange.requests.pending[receipt.key]
            assert escrow(kept) == escrow(request), "P11"
            assert kept.execution_fee == 0, "P11"


def home(request: Request, token: str, account: str) -> str:
    """Outside for what came from there; market tokens never did."""
    return "external" if request.from_outside and not token.startswith("MT:") else f"wallet:{account}"


def check_given_back(request: Request, fact: facts.RequestCancelled) -> None:
    back = request.account
    if isinstance(request, OrderRequest) and request.cancellation_receiver:
        back = request.cancellation_receiver
    expected: dict[tuple[str, str], int] = {}
    rows = [(home(request, token, back), token, amount) for token, amount in escrow(request)]
    rows.append((f"wallet:{fact.receipt.keeper}", NATIVE, fact.receipt.fee_paid))
    rows.append((home(request, NATIVE, request.receiver), NATIVE, fact.receipt.refund))
    for name, token, amount in rows:
        expected[name, token] = expected.get((name, token), 0) + amount
    for move in fact.moves:
        expected[move.target, move.token] = expected.get((move.target, move.token), 0) - move.amount
    assert not any(expected.values()), "P2, P11"


def check_share_price(pair: Watched) -> None:
    """P3: at fixed prices and open interest, no deposit, withdrawal or swap lowers the price at its top."""
    if not any(isinstance(fact, LP_ONLY) for fact in pair.latest):
        return
    now = worth(pair)
    for name, (value, supply) in pair.before.worth.items():
        after = now.get(name)
        if after is not None and supply and after[1]:
            pair.seen_worth += 1
            assert after[0] * supply >= value * after[1], "P3"


def check_swaps(pair: Watched) -> None:
    """P4: what comes out is never worth more than what went in and what the impact pools gave."""
    prices = Prices(pair.prices({"op": ""}))
    for fact in pair.latest:
        report = getattr(fact, "report", None)
        for hop in getattr(report, "hops", ()):
            bonus = max(0, hop.price_impact_amount) * prices[hop.token_out].max
            bonus += hop.token_in_impact_amount * prices[hop.token_in].min
            given = hop.amount_in * prices[hop.token_in].min
            assert hop.amount_out * prices[hop.token_out].max <= given + bonus, "P4, P6"


def check_endings(pair: Watched) -> None:
    """P14: orders that end with a position do, and are few."""
    book = pair.exchange.requests
    waiting = [each for each in book.pending.values() if isinstance(each, OrderRequest) and each.auto_cancel]
    for order in waiting:
        assert sum(each.position == order.position for each in waiting) <= book.rules.max_auto_cancel, "P14"
    for key in pair.before.positions.keys() - pair.exchange.pool_positions.keys():
        assert not any(order.position[:4] == tuple(key) for order in waiting), "P14"
