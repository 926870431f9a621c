"""Between the journal's words for signed intents and those of the relay, the signer and the route. Pure, but for one
question about the position that is to be closed."""

from collections.abc import Awaitable, Callable
from typing import assert_never

from eth_utils.address import to_checksum_address

from venue.avantis.asked import Close, Increase, Open, Order
from venue.avantis.intent_facts import Heard, IntentEnded, IntentEvent, IntentFill, IntentKind, IntentSigned
from venue.avantis.intent_state import OpenIntent as Standing
from venue.avantis.intents import CloseIntent, IncreaseIntent, OpenIntent, OrderIntent
from venue.avantis.registered import Execution
from venue.avantis.tracking import Stage, Track
from venue.avantis.typed_signer import SignedIntent

OpenedAt = Callable[[int, int], Awaitable[int | None]]
"""Since when the position of a pair and an index has stood, Unix seconds; None when there is none."""


async def intent_of(
    asked: Order, opened_at: OpenedAt, deadline_ms: Callable[[], int], nonce: int
) -> OrderIntent | None:
    """The intent that asks for it; None when the position to be closed is not there. Raises what `opened_at` raises."""
    match asked:
        case Open():
            return OpenIntent(asked, deadline_ms(), nonce)
        case Increase():
            return IncreaseIntent(asked, deadline_ms(), nonce)
        case Close():
            since = await opened_at(asked.pair_index, asked.trade_index)
            return None if since is None else CloseIntent(asked, since, deadline_ms(), nonce)
        case _:
            assert_never(asked)


def signed_fact(order_id: str, intent: OrderIntent, signed: SignedIntent) -> IntentSigned:
    """What the journal keeps of a signature."""
    asked = intent.asked
    kinds = {Open: IntentKind.OPEN, Increase: IntentKind.INCREASE, Close: IntentKind.CLOSE}
    return IntentSigned(
        order_id=order_id,
        kind=kinds[type(asked)],
        trader=asked.trader,
        pair_index=asked.pair_index,
        trade_index=0 if isinstance(asked, Open) else asked.trade_index,
        is_long=isinstance(asked, Open) and asked.is_long,
        collateral=asked.collateral,
        leverage=0 if isinstance(asked, Close) else asked.leverage,
        price=asked.price,
        slippage=asked.slippage,
        opened_at=intent.opened_at if isinstance(intent, CloseIntent) else 0,
        digest=f"0x{signed.digest.hex()}",
        nonce=intent.nonce,
        deadline_ms=intent.deadline_ms,
        encoded=f"0x{signed.encoded.hex()}",
        signature=f"0x{signed.signature.hex()}",
    )


def asked_of(signed: IntentSigned) -> Order:
    """What a journaled intent asked for."""
    trader = to_checksum_address(signed.trader)
    pair, index, collateral = signed.pair_index, signed.trade_index, signed.collateral
    match signed.kind:
        case IntentKind.OPEN:
            return Open(trader, pair, signed.is_long, collateral, signed.leverage, signed.price, signed.slippage)
        case IntentKind.INCREASE:
            return Increase(trader, pair, index, collateral, signed.leverage, signed.price, signed.slippage)
        case IntentKind.CLOSE:
            return Close(trader, pair, index, collateral, signed.price, signed.slippage)


def track_of(order: Standing) -> Track:
    """Where to go on listening to the relay."""
    return Track(Stage(order.stage.value), order.tracking_id or None, order.seq, order_id=order.venue_order)


def event_of(order: Standing, track: Track) -> IntentEvent:
    """What the relay says of it now."""
    return IntentEvent(
        order_id=order.signed.order_id,
        seq=track.last_seq,
        stage=Heard(track.stage.value),
        venue_order=track.order_id,
        code=track.code,
        contradicted=track.contradicted,
    )


def fill_of(execution: Execution) -> IntentFill:
    """An execution as the journal keeps it; its block is kept beside it."""
    done = execution
    return IntentFill(done.trade_index, done.is_long, done.price, done.collateral, done.leverage, done.paid)


def execution_of(ended: IntentEnded) -> Execution:
    """The execution that ended an order which was done; its block is the one by which the chain had it."""
    if (fill := ended.fill) is None:
        raise AssertionError("what is done has a fill")
    return Execution(fill.trade_index, fill.is_long, fill.price, fill.collateral, fill.leverage, fill.paid, ended.block)


def doubt(order: Standing, contradiction: str, *, late: bool) -> str:
    """Why only a person can tell how an order ended, or nothing. `contradiction`: why the chain's answer is none."""
    if order.taken_block is None:
        return _untaken(order, late=late)
    if not (why := contradiction or ("the chain shows no end of its order for too long" if late else "")):
        return ""
    signed = order.signed
    return (
        f"the contract used nonce {signed.nonce} of {signed.trader} by block {order.taken_block}, and {why}."
        f" To resolve: find the order of that transaction on pair {signed.pair_index} in the venue's history, hold it"
        " against the position that stands there, and record it as executed or as canceled"
    )


def _untaken(order: Standing, *, late: bool) -> str:
    if not late:
        return ""
    if order.contradicted or order.stage in (Heard.REGISTERED, Heard.EXECUTED):
        return (
            f"the relay calls it {order.stage}, but the chain does not show nonce {order.signed.nonce} as used. To"
            f" resolve: look for its position on pair {order.signed.pair_index} on the chain, and record it as executed"
            " or as canceled"
        )
    return "the chain has not said for too long whether it took it; it is asked again in every pass"
