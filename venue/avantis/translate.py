"""Between desks' words and the venue's: orders, quotes, fills and positions. Pure.

Desks count prices and leverage in 1e-18, the venue in 1e-10.
"""

from dataclasses import dataclass

from eth_typing import ChecksumAddress

from venue.avantis.asked import Close, Increase, Open
from venue.avantis.asked import Order as Asked
from venue.avantis.direct import Done, slot_of
from venue.avantis.pair import Pair
from venue.avantis.pnl import liquidation_price, notional, profit
from venue.avantis.positions import Held
from venue.avantis.prices import SpreadAsk
from venue.avantis.units import TEN, TO_WAD, USDC, written
from venue.perp import (
    WHOLE,
    CloseOrder,
    Filled,
    OpenOrder,
    Order,
    PerpPosition,
    PositionRef,
    Profit,
    Quote,
    ReduceOrder,
    UnknownPnl,
)

_PERCENT = 100 * TEN
_WAD = TEN * TO_WAD


class Unfit(Exception):
    """An order that cannot be sent: a stable code, and one line."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Prepared:
    """An order, ready to be sent, with what it was made of."""

    asked: Asked
    pair: Pair
    is_long: bool
    held: Held | None
    """The position it is about; None opens one."""

    @property
    def leverage(self) -> int:
        """Of what is added or taken out, 1e-10."""
        if isinstance(self.asked, Close):
            if self.held is None:
                raise AssertionError("what is closed is held")
            return self.held.leverage
        return self.asked.leverage

    @property
    def worth(self) -> int:
        """Notional of what is added or taken out."""
        return self.asked.collateral * self.leverage // TEN


def prepared(
    order: Order, pair: Pair, price: int, held: Held | None, wallet: ChecksumAddress, slippage: int
) -> Prepared:
    """What an order comes to at `price`, 1e-10. `held` is the position it is about. Raises Unfit."""
    if isinstance(order, OpenOrder):
        return _opening(order, pair, price, held, wallet, slippage)
    if held is None:
        raise Unfit("NO_POSITION", f"{order.ref.market} {order.ref.trade_index}: nobody has seen it lately")
    collateral = held.collateral if isinstance(order, CloseOrder) else _share(order, held)
    asked = Close(wallet, held.pair_index, held.trade_index, collateral, price, slippage)
    return Prepared(asked, pair, held.is_long, held)


def _opening(
    order: OpenOrder, pair: Pair, price: int, held: Held | None, wallet: ChecksumAddress, slippage: int
) -> Prepared:
    leverage = order.leverage // TO_WAD
    worth = order.collateral * leverage // TEN
    if not pair.opens:
        raise Unfit("CLOSED", f"{pair.symbol} may only be left now")
    if not pair.min_leverage <= leverage <= pair.max_leverage:
        expected = f"expected {pair.min_leverage / TEN:g} to {pair.max_leverage / TEN:g}"
        raise Unfit("WRONG_LEVERAGE", f"leverage {leverage / TEN:g}: {expected}")
    if not pair.min_notional <= worth <= pair.max_notional:
        shown, least, most = (written(each, USDC) for each in (worth, pair.min_notional, max(pair.max_notional, 0)))
        raise Unfit("WRONG_NOTIONAL", f"notional {shown} USDC: expected {least} to {most}")
    if order.increase is None:
        asked: Asked = Open(wallet, pair.index, order.is_long, order.collateral, leverage, price, slippage)
        return Prepared(asked, pair, order.is_long, None)
    if held is None or held.is_long != order.is_long:
        raise Unfit("NO_POSITION", f"{order.market} {order.increase.trade_index}: nobody has seen it lately")
    slot = held.pair_index, held.trade_index
    return Prepared(Increase(wallet, *slot, order.collateral, leverage, price, slippage), pair, order.is_long, held)


def _share(order: ReduceOrder, held: Held) -> int:
    collateral = held.collateral * order.share // WHOLE
    if not 0 < collateral < held.collateral:
        raise Unfit("WRONG_SHARE", f"share {order.share / WHOLE:g}: expected a part of the position")
    return collateral


def spread_ask(order: Prepared, wallet: ChecksumAddress) -> SpreadAsk:
    """Whose spread, and for how many coins."""
    coins = order.asked.collateral * order.leverage * 10**4 // order.asked.price
    opens = not isinstance(order.asked, Close)
    return SpreadAsk(order.pair.index, wallet, coins, order.is_long, opens)


def quoted(order: Prepared, spread: int) -> Quote:
    """What the order would come to, with the fee of a taker; `spread` in percent of the price, 1e-10."""
    opens = not isinstance(order.asked, Close)
    against = 1 if order.is_long == opens else -1
    price = order.asked.price + against * order.asked.price * spread // _PERCENT
    percent = order.pair.fees.open_taker if opens else order.pair.fees.close_taker
    fee = _fee(order.worth, percent)
    payout = 0
    if order.held is not None and not opens:
        whole = profit(order.held, price, percent)
        if isinstance(whole, Profit):
            part = order.asked.collateral
            payout = max(0, part + whole.net * part // order.held.collateral)
    return Quote(price * TO_WAD, order.asked.price * TO_WAD, order.worth, fee, payout)


def refuse_worse(order: Order, price: int, is_long: bool) -> None:
    """Raises Unfit when the average price, 1e-18, is worse than the order accepts."""
    if isinstance(order, OpenOrder) or (worst := order.worst_price) is None:
        return
    if price < worst if is_long else price > worst:
        raise Unfit("WORSE_PRICE", f"the price {price / _WAD:g} is worse than {worst / _WAD:g}")


def filled(order_id: str, pair: Pair, done: Done) -> Filled:
    """An executed order. The fee of an opening is what is missing of its collateral; others do not tell theirs, so
    that it is a taker's by the catalogue, as in their quotes."""
    asked, execution = done.asked, done.execution
    ref = PositionRef(pair.symbol, execution.is_long, *slot_of(asked, execution))
    price = execution.price * TO_WAD
    if isinstance(asked, Close):
        worth = execution.collateral * execution.leverage // TEN
        return Filled(order_id, ref, price, worth, _fee(worth, pair.fees.close_taker), execution.paid)
    worth = asked.collateral * asked.leverage // TEN
    missing = max(0, asked.collateral - execution.collateral)
    fee = missing if isinstance(asked, Open) else _fee(worth, pair.fees.open_taker)
    return Filled(order_id, ref, price, worth, fee, 0)


def _fee(worth: int, percent: int) -> int:
    return -(-worth * percent // _PERCENT)


def viewed(
    account: str, ref: PositionRef, held: Held, pair: Pair | None, mark: int | None, unknown: str
) -> PerpPosition:
    """A position as desks see it; `mark` in 1e-18, `unknown` is why nothing is known of its profit, if so."""
    pnl = UnknownPnl(unknown or "the pair is not listed")
    if pair and not unknown:
        known = profit(held, mark // TO_WAD if mark else None, pair.fees.close_taker, pair.fees.spread)
    else:
        known = pnl
    liquidation = liquidation_price(held) or held.liquidation_price
    away = abs(mark - liquidation * TO_WAD) / mark if mark and liquidation is not None else None
    return PerpPosition(
        ref=ref,
        account=account,
        collateral=held.collateral,
        notional=notional(held),
        leverage=held.leverage * TO_WAD,
        entry=held.open_price * TO_WAD,
        mark=mark,
        pnl=known,
        liq_move=away,
        exit_price=mark,
        exit_payout=max(0, held.collateral + known.net) if isinstance(known, Profit) else None,
    )
