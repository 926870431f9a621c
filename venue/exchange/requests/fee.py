"""Where an execution fee comes from and goes to (deposit.create.d, deposit.execute.u, order.execute.h)."""

from venue.exchange.draft import Draft
from venue.exchange.ledger import wallet
from venue.exchange.requests import work
from venue.exchange.requests.facts import Receipt
from venue.exchange.requests.request import NATIVE, VAULTS, Request, home, kind_of


def settle_fee(draft: Draft, request: Request, keeper: str, units: int | None, *, callback: bool = True) -> Receipt:
    """Pays the keeper for `units` of work, or nothing for None, and says whether the request's hook is to be told."""
    fee = request.execution_fee
    table = draft.exchange.requests.rules.work
    paid = 0 if units is None else work.keeper_fee(table, work.hops(request), units, fee)
    vault = VAULTS[kind_of(request)]
    draft.pay(NATIVE, vault, wallet(keeper), paid)
    draft.pay(NATIVE, vault, home(request, NATIVE, request.receiver), fee - paid)
    hook = request.callback if callback else ""
    return Receipt(request.key, keeper, draft.now_ms, paid, fee - paid, hook, request.callback_units)


def fee_on_top(fee: int, long: tuple[str, int], short: tuple[str, int]) -> tuple[int, int, int]:
    """(long amount, short amount, native tokens sent apart) of a deposit whose fee comes beside what is deposited.

    Where native tokens are deposited, creation takes the fee out of them: so that much more of them is sent.
    """
    for number, (token, amount) in enumerate((long, short)):
        if amount and token == NATIVE:
            return long[1] + fee * (number == 0), short[1] + fee * (number == 1), 0
    return long[1], short[1], fee
