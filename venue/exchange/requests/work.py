"""What executing a request costs: units of work from one table, paid in native tokens (seed avitus-two-step, 1.i).

Units stand in for gas: the engine measures none, so that the same request always costs the same.
"""

from dataclasses import dataclass

from venue.exchange.commands import Refused
from venue.exchange.reasons import Reason
from venue.exchange.requests.request import (
    DepositRequest,
    Kind,
    OrderRequest,
    OrderType,
    Request,
    WithdrawalRequest,
    name_of,
)

BASE_PRICES = 3
"""Prices every execution needs: index, long and short token."""


@dataclass(frozen=True, slots=True)
class WorkTable:
    """Units by kind: `*_limit` is what is estimated at creation, `*_used` what execution is charged."""

    unit_price: int = 10**8
    """Native smallest units per unit of work."""
    deposit_limit: int = 2_050_000
    withdrawal_limit: int = 2_050_000
    increase_limit: int = 3_900_000
    decrease_limit: int = 3_900_000
    swap_limit: int = 3_400_000
    hop_limit: int = 1_000_000
    deposit_used: int = 1_700_000
    withdrawal_used: int = 1_700_000
    increase_used: int = 2_400_000
    decrease_used: int = 2_400_000
    swap_used: int = 1_900_000
    hop_used: int = 600_000
    cancel_used: int = 400_000
    estimate_base: int = 600_000
    estimate_per_price: int = 250_000
    execute_base: int = 600_000
    execute_per_price: int = 250_000
    max_callback_units: int = 2_000_000
    error_reserve: int = 1_200_000
    """Withheld from what a keeper brings, so that a failed execution can always be cancelled."""
    budget: int = 20_000_000
    """What a keeper brings unless it says otherwise."""


def hops(request: Request) -> int:
    """Swaps on the way."""
    match request:
        case DepositRequest() | WithdrawalRequest():
            return len(request.long_path) + len(request.short_path)
        case OrderRequest():
            return len(request.path)


def estimate(table: WorkTable, request: Request) -> int:
    """Units the execution is expected to need at most (boxes deposit.create.i, order.create.h)."""
    return _kind(table, name_of(request))[0] + table.hop_limit * hops(request) + request.callback_units


def used(table: WorkTable, request: Request) -> int:
    """Units the execution is charged; a callback is charged in full, whatever it does with it."""
    return _kind(table, name_of(request))[1] + table.hop_used * hops(request) + request.callback_units


def min_execution_fee(table: WorkTable, request: Request) -> int:
    """The least execution fee a request must carry, in native smallest units (deposit.create.h)."""
    return least_fee(table, name_of(request), hops(request), request.callback_units)


def least_fee(table: WorkTable, kind: str, hop_count: int, callback_units: int = 0) -> int:
    """The same before there is a request; `kind` is deposit, withdrawal or an order type."""
    units = _kind(table, kind)[0] + table.hop_limit * hop_count + callback_units
    prices = BASE_PRICES + hop_count
    return (table.estimate_base + table.estimate_per_price * prices + units) * table.unit_price


def keeper_fee(table: WorkTable, hop_count: int, units: int, fee: int) -> int:
    """What the keeper earns of `fee` for `units` of work; never more than there is (deposit.execute.u)."""
    prices = BASE_PRICES + hop_count
    return min((table.execute_base + table.execute_per_price * prices + units) * table.unit_price, fee)


def check_budget(table: WorkTable, request: Request, brought: int) -> None:
    """The 63/64 rule as a budget: what can be forwarded must cover the estimate, beside the reserve for errors.

    Raises Refused(INSUFFICIENT_WORK), a keeper error (deposit.execute.a, order.execute.d).
    """
    forwarded = max(0, brought - table.error_reserve) * 63 // 64
    needed = estimate(table, request)
    if forwarded < needed:
        raise Refused(Reason.INSUFFICIENT_WORK, f"{forwarded:,} units can be forwarded; expected at least {needed:,}")


def callback_allowed(table: WorkTable, request: Request, brought: int) -> bool:
    """Whether what is left after the execution still covers the callback."""
    left = brought - table.error_reserve - (used(table, request) - request.callback_units)
    return max(0, left) * 63 // 64 >= request.callback_units


def _kind(table: WorkTable, kind: str) -> tuple[int, int]:
    if kind == Kind.DEPOSIT:
        return table.deposit_limit, table.deposit_used
    if kind == Kind.WITHDRAWAL:
        return table.withdrawal_limit, table.withdrawal_used
    order = OrderType(kind)
    if order.is_swap:
        return table.swap_limit, table.swap_used
    if order.is_increase:
        return table.increase_limit, table.increase_used
    return table.decrease_limit, table.decrease_used
