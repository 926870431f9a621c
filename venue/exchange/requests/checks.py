"""What creation checks, in the order of the seed's boxes. Each raises Refused with the box's own error."""

from venue.exchange.commands import Refused
from venue.exchange.pool.state import DEAD
from venue.exchange.reasons import Reason
from venue.exchange.requests import work
from venue.exchange.requests.book import RequestBook
from venue.exchange.requests.commands import CreateOrder
from venue.exchange.requests.facts import Fact, TraderReferred
from venue.exchange.requests.request import NATIVE, VAULTS, ZERO, OrderRequest, Request, name_of
from venue.exchange.state import Exchange
from venue.exchange.tokens import shown

LONGEST_NAME = 100


def check_fee(book: RequestBook, request: Request) -> None:
    """Callback limit and execution fee (deposit.create.h to j, order.create.g and h). Raises Refused."""
    table = book.rules.work
    if len(request.callback) > LONGEST_NAME:
        raise Refused(Reason.MAX_CALLBACK_UNITS, f"callback name of more than {LONGEST_NAME} characters")
    if not 0 <= request.callback_units <= table.max_callback_units:
        raise Refused(
            Reason.MAX_CALLBACK_UNITS,
            f"callback limit {request.callback_units:,}; expected at most {table.max_callback_units:,}",
        )
    least = work.min_execution_fee(table, request)
    if request.execution_fee < least:
        raise Refused(
            Reason.INSUFFICIENT_EXECUTION_FEE,
            f"execution fee {shown(request.execution_fee, NATIVE)}; expected at least {shown(least, NATIVE)}",
        )


def check_auto_cancel(book: RequestBook, order: OrderRequest) -> None:
    """A position's list of orders that end with it is short (order.create.i). Raises Refused."""
    if not order.auto_cancel:
        return
    others = [each for each in book.ending_with(order.position) if each.key != order.key]
    if len(others) >= book.rules.max_auto_cancel:
        raise Refused(Reason.MAX_AUTO_CANCEL, f"the position has {len(others)} auto-cancel orders already")


def check_account(exchange: Exchange, account: str, kind: str, client_id: str) -> None:
    """Who asks, and whether that is switched on (deposit.create.b, order.create.b)."""
    if account.strip() in ("", ZERO):
        raise Refused(Reason.EMPTY_ACCOUNT, "account is empty or the zero address")
    if account == DEAD:
        raise Refused(Reason.UNAUTHORIZED, "nobody speaks for the account of first deposits")
    if len(account) > LONGEST_NAME:
        raise Refused(Reason.EMPTY_ACCOUNT, f"account of more than {LONGEST_NAME} characters")
    if f"create:{kind}" in exchange.requests.disabled:
        raise Refused(Reason.DISABLED_FEATURE, f"creating a {kind} is switched off")
    check_name(exchange, client_id)


def check_name(exchange: Exchange, client_id: str) -> None:
    """A sender's own name is good once; that none is given is no name."""
    if client_id and (client_id in exchange.requests.by_client or client_id in exchange.fills):
        raise Refused(Reason.DUPLICATE_CLIENT_ID, f"{client_id} was used for another request")


def check_receiver(receiver: str, *, first_deposit: bool = False) -> None:
    """Somebody, no vault, and nobody who can never spend it but for a deposit (deposit.create.e, order.create.g)."""
    if receiver.strip() in ("", ZERO):
        raise Refused(Reason.EMPTY_RECEIVER, "receiver is empty or the zero address")
    if receiver in VAULTS.values() or len(receiver) > LONGEST_NAME or (receiver == DEAD and not first_deposit):
        raise Refused(Reason.INVALID_RECEIVER, f"receiver {receiver[:LONGEST_NAME]} is not an account")


def check_amounts(*amounts: int) -> None:
    """None is negative."""
    if any(amount < 0 for amount in amounts):
        raise Refused(Reason.BAD_AMOUNT, "an amount is negative; expected zero or more")


def check_pool(exchange: Exchange, symbol: str) -> None:
    """Known and on (deposit.create.b)."""
    pool = exchange.pools.get(symbol)
    if pool is None:
        raise Refused(Reason.EMPTY_MARKET, f"no pool {symbol!r}; there are {', '.join(exchange.pools) or 'none'}")
    if not pool.enabled:
        raise Refused(Reason.DISABLED_MARKET, f"{symbol} is disabled")


def check_path(exchange: Exchange, path: tuple[str, ...]) -> None:
    """Short, and of different pools that are on."""
    most = exchange.requests.rules.max_path
    if len(path) > most:
        raise Refused(Reason.MAX_SWAP_PATH, f"swap path of {len(path)}; expected at most {most} markets")
    if len(set(path)) < len(path):
        raise Refused(Reason.DUPLICATED_MARKET, "a market appears twice in the swap path")
    for symbol in path:
        check_pool(exchange, symbol)


def less_fee(amount: int, fee: int) -> int:
    """What the fee leaves of native tokens that are sent along (deposit.create.d, order.create.d)."""
    if amount < fee:
        raise Refused(
            Reason.INSUFFICIENT_WNT, f"{shown(amount, NATIVE)} do not cover the execution fee of {shown(fee, NATIVE)}"
        )
    return amount - fee


def sent_fee(sent: int, fee: int) -> int:
    """A fee sent apart, all of it (deposit.create.d, order.create.e)."""
    if sent < fee:
        raise Refused(
            Reason.INSUFFICIENT_WNT, f"{shown(sent, NATIVE)} sent; expected at least the fee, {shown(fee, NATIVE)}"
        )
    return sent


def referral(book: RequestBook, trader: str, code: str) -> tuple[Fact, ...]:
    """The first code set stays (order.create.c)."""
    if not code or trader in book.referred:
        return ()
    if code not in book.referral_codes:
        raise Refused(Reason.INVALID_REFERRAL_CODE, f"referral code {code[:LONGEST_NAME]!r} is unknown")
    return (TraderReferred(trader, code),)


def check_conditions(exchange: Exchange, asked: CreateOrder, collateral: int) -> None:
    """Market, path and times (order.create.f); `collateral` is what the fee has left of it."""
    if not asked.size and not collateral:
        raise Refused(Reason.EMPTY_ORDER, "size and collateral are both 0")
    if asked.type.is_market and asked.valid_from_ms:
        raise Refused(Reason.UNEXPECTED_VALID_FROM, "a market order is valid at once; expected no valid-from time")
    triggered = not asked.type.is_market and not asked.type.is_swap
    if triggered and not (asked.trigger_price and asked.trigger_price > 0):
        raise Refused(Reason.BAD_PRICE, f"a {asked.type} needs a trigger price above zero")
    check_path(exchange, asked.path)
    if asked.type.is_swap:
        if asked.market:
            raise Refused(Reason.UNEXPECTED_MARKET, "a swap names its markets in the path only")
        if not collateral or not asked.collateral_token or not asked.path:
            raise Refused(Reason.EMPTY_ORDER, "a swap needs a token, an amount beside the fee, and a path")
    elif asked.market in exchange.markets:
        _check_curve_order(asked)
    else:
        check_pool(exchange, asked.market)
        pool = exchange.pools[asked.market]
        if not pool.index:
            raise Refused(Reason.INVALID_POSITION_MARKET, f"{asked.market} is for swaps only")
        if asked.type.is_decrease and asked.collateral_token not in (pool.long, pool.short):
            raise Refused(Reason.INVALID_COLLATERAL, f"{asked.market} holds collateral in {pool.long} and {pool.short}")


def _check_curve_order(asked: CreateOrder) -> None:
    if asked.path or asked.collateral_token:
        raise Refused(Reason.INVALID_COLLATERAL, f"{asked.market} takes the clearinghouse's own USD, without a path")
    if asked.receiver != asked.account:
        raise Refused(Reason.INVALID_RECEIVER, f"{asked.market} pays the account itself")
    if asked.type.is_increase and not (asked.size and asked.collateral):
        raise Refused(Reason.EMPTY_ORDER, "an increase on a curve needs size and collateral")


def feature(request: Request) -> str:
    """The switch that execution of a request hangs on."""
    return f"execute:{name_of(request)}"
