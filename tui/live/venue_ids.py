"""What an `--id` of `perpdesk venue avantis` stands for: one order, ever."""

from dataclasses import dataclass
from decimal import Decimal

from engine.live.journaled import OneShot
from tui.verbs import Refused
from venue.avantis.asked import Close, Increase, Open, Order
from venue.avantis.catalogue import Catalogue
from venue.avantis.intent_words import asked_of as signed_for
from venue.avantis.registered import Ambiguous
from venue.avantis.registered import asked_of as sent_for
from venue.avantis.units import TEN, USDC, written
from venue.chain.machine import ChainCode
from venue.chain.sender import Unsent


@dataclass(frozen=True, slots=True)
class Wanted:
    """A position to open."""

    market: str
    is_long: bool
    collateral: int
    leverage: Decimal


@dataclass(frozen=True, slots=True)
class Leaving:
    """A position to close, or a share of it."""

    market: str
    index: int | None
    share: Decimal
    desk_too: bool


async def need_same(shot: OneShot, order_id: str, listed: Catalogue, wanted: Wanted | Leaving) -> None:
    """Raises Refused when the id was another order's. The share of a close is not compared: what it was a share of may
    not stand any more."""
    before = await _journaled(shot, order_id)
    if before is None or (before.trader == shot.trade.wallet and _same(before, listed, wanted)):
        return
    text = f"--id {order_id.removeprefix('cli:')} was another order's, {_words(before)}; give this one its own"
    raise Refused(f"{ChainCode.ID_REUSED}: {text}")


async def _journaled(shot: OneShot, order_id: str) -> Order | None:
    """What was signed under that id, or nothing. Raises Refused for what is no order."""
    standing = await shot.trade.sender.standing(order_id)
    if not isinstance(standing, Unsent):
        try:
            return sent_for(standing.reserved, shot.trade.wallet)
        except Ambiguous:
            raise Refused(f"{ChainCode.ID_REUSED}: {order_id} is no order: give this one its own --id") from None
    known = await shot.settlement.read(
        lambda world: world.intents.open.get(order_id) or world.intents.ended.get(order_id)
    )
    return signed_for(known.signed) if known else None


def _same(before: Order, listed: Catalogue, wanted: Wanted | Leaving) -> bool:
    pair = listed.pairs.get(f"{wanted.market}/USD")
    if pair is not None and pair.index != before.pair_index:  # one that is not listed any more may still be followed
        return False
    if isinstance(wanted, Leaving):
        return isinstance(before, Close) and wanted.index in (None, before.trade_index)
    asked = (wanted.is_long, wanted.collateral, int(wanted.leverage * TEN))
    return isinstance(before, Open) and (before.is_long, before.collateral, before.leverage) == asked


def _words(before: Order) -> str:
    what = f"pair {before.pair_index}, {written(before.collateral, USDC)} USDC of collateral"
    match before:
        case Open():
            side = "long" if before.is_long else "short"
            return f"an open {side}: {what} at {written(before.leverage, TEN)}x"
        case Increase():
            return f"an increase: {what}"
        case Close():
            return f"a close: {what}, index {before.trade_index}"
