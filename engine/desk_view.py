"""Desks as rows: what they hold, what they wait for, what the agent last said about them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.agent.plan import MarketSight
from engine.desk_rows import PlanRow, SeenMarket
from engine.desks.accounts import creator, deployed, pending, realised, reserve
from engine.desks.risk import History, take_profit_price
from engine.desks.state import Desk, House
from engine.desks.terms import Terms
from engine.exchange_rows import Side, Wad
from engine.snapshot import DecisionRow, DeskRow, ExitQuote, Outcome
from engine.text import money
from venue.exchange.fixed import MICRO, PPM, WAD
from venue.perp import MarketTerms, PerpPosition, PositionRef, Profit, UnknownPnl, Usdc


@dataclass(frozen=True, slots=True)
class _Made:
    """A desk's rows and what they were made of; `alone` is the row without its position."""

    touched: int
    position: PerpPosition | None
    alone: DeskRow
    row: DeskRow
    decision: DecisionRow | None


class DeskRows:
    """Rows of one journal's desks. A row of which nothing has changed is the same object in the next picture."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._markets: Mapping[str, MarketTerms] = {}
        self._made: dict[str, _Made] = {}

    def build(
        self, house: House, positions: Mapping[PositionRef, PerpPosition]
    ) -> tuple[tuple[DeskRow, ...], tuple[DecisionRow, ...]]:
        """All desks as they are now, in the order of their enrolment; and the latest word on each, newest first."""
        if self._terms.markets != self._markets:
            self._made, self._markets = {}, self._terms.markets
        self._made = {
            address: self._one(desk, house, positions.get(desk.ref) if desk.ref else None)
            for address, desk in house.desks.items()
        }
        words = [made.decision for made in self._made.values() if made.decision]
        words.sort(key=lambda row: -row.seq)
        return tuple(made.row for made in self._made.values()), tuple(words)

    def _one(self, desk: Desk, house: House, position: PerpPosition | None) -> _Made:
        was = self._made.get(desk.address)
        if was is None or was.touched != desk.touched:
            alone, decision = _alone(desk, house, self._terms), _decision(desk)
        elif was.position is position or was.position == position:
            return was
        else:
            alone, decision = was.alone, was.decision
        row = alone if position is None else _with_position(alone, position, desk, self._terms)
        return _Made(desk.touched, position, alone, row, decision)


def _alone(desk: Desk, house: House, terms: Terms) -> DeskRow:
    held = house.ledger[pending(desk.address)]
    leverage = terms.leverage(desk.ref.market if desk.ref else "")
    needed = terms.min_deploy(leverage)
    buyback = house.buybacks.get(desk.address)
    return DeskRow(
        address=desk.address,
        token=desk.name,
        phase=desk.phase,
        version=desk.version,
        pending=held * MICRO,
        min_deploy=needed * MICRO,
        note=_note(desk, held, needed, leverage, house, terms),
        halted_by=desk.halted_by,
        halted_at_ms=desk.halted_at_ms,
        halted_by_hand=desk.halted_by_hand,
        market=desk.ref.market if desk.ref else None,
        side=side(desk.ref.is_long) if desk.ref else None,
        position_id=desk.ref.trade_index if desk.ref else None,
        fees_total=desk.fees_total * MICRO,
        realised=house.ledger[realised(desk.address)] * MICRO,
        reserve=house.ledger[reserve(desk.address)] * MICRO,
        deployed=house.ledger[deployed(desk.address)] * MICRO,
        creator=house.ledger[creator(desk.address)] * MICRO,
        trading_fees=desk.trading_fees * MICRO,
        won=desk.won * MICRO,
        bought_back=buyback.spent * MICRO if buyback else 0,
        enrolled_as=_enrolled_as(desk),
        quarantine=desk.quarantine,
        warning=", ".join(sorted(rule.value for rule in desk.warnings)),
        plan=_plan(desk),
        memo=desk.memo,
        memo_by=desk.memo_by,
        memo_at_ms=desk.memo_at_ms if desk.memo else None,
    )


def _note(desk: Desk, held: Usdc, needed: Usdc, leverage: int, house: House, terms: Terms) -> str:
    if desk.quarantine:
        return desk.quarantine
    if desk.order is not None:
        return f"{desk.order.kind} order has no answer yet"
    if desk.deferred is not None:
        return desk.deferred.reason
    if desk.ref is not None:
        return "at the position cap" if terms.at_cap(house.ledger[deployed(desk.address)]) else ""
    if desk.halted:
        return "halted: no new risk"
    if not terms.known:
        return "waiting for the venue's markets"
    if desk.deciding:
        return "the agent is being asked"
    if held < needed:
        return f"{money(held * leverage // WAD)} of {money(needed * leverage // WAD)} min notional, waiting"
    if desk.word and desk.word.outcome in (Outcome.NONE, Outcome.REFUSED):
        return "no entry, asked again at the next pass"
    return "waiting for the next pass"


def _enrolled_as(desk: Desk) -> str:
    words = [desk.underlying]
    if desk.enrolled_long is not None:
        words.append(side(desk.enrolled_long).value)
    if desk.enrolled_leverage:
        words.append(f"{desk.enrolled_leverage}x")
    return " ".join(word for word in words if word)


def _plan(desk: Desk) -> PlanRow | None:
    decided, asked = desk.decided, desk.asked
    if decided is None or asked is None:
        return None
    sight = asked.sight
    return PlanRow(
        at_ms=desk.decided_at_ms,
        source=decided.source,
        allow=decided.opens,
        market=decided.market,
        side=side(decided.is_long),
        leverage=decided.leverage // WAD,
        asked_leverage=decided.asked_leverage,
        reason=decided.reason,
        degraded=decided.degraded,
        pending=sight.pending * MICRO,
        in_session=sight.in_session,
        lookback_ms=sight.lookback_ms,
        seen=tuple(_seen(market) for market in sight.markets),
    )


def _seen(sight: MarketSight) -> SeenMarket:
    return SeenMarket(
        sight.market, sight.index, _fraction(sight.momentum), _fraction(sight.volatility), sight.max_leverage
    )


def _fraction(ppm: int | None) -> float | None:
    return None if ppm is None else ppm / PPM


def _with_position(row: DeskRow, position: PerpPosition, desk: Desk, terms: Terms) -> DeskRow:
    pnl = position.pnl
    limit = int(terms.risk.early_take_profit_pct * PPM)
    return replace(
        row,
        leverage=position.leverage / WAD,
        collateral=position.collateral * MICRO,
        notional=position.notional * MICRO,
        entry=position.entry,
        mark=position.mark,
        pnl=_wad(pnl.net) if isinstance(pnl, Profit) else None,
        pnl_price=_wad(pnl.price) if isinstance(pnl, Profit) else None,
        pnl_carry=_wad(pnl.carry) if isinstance(pnl, Profit) else None,
        pnl_unknown=pnl.why if isinstance(pnl, UnknownPnl) else "",
        liq_move=position.liq_move,
        exit=_exit(position),
        take_profit=take_profit_price(position, limit, History(desk.profits_taken, desk.drawn_down)),
    )


def _exit(position: PerpPosition) -> ExitQuote | None:
    if position.exit_price is None or position.exit_payout is None or not position.mark:
        return None
    move = position.exit_price / position.mark - 1
    return ExitQuote(position.exit_price, move if position.ref.is_long else -move, position.exit_payout * MICRO)


def _wad(amount: Usdc) -> Wad:
    return amount * MICRO


def side(is_long: bool) -> Side:
    """A side by its name."""
    return Side.LONG if is_long else Side.SHORT


def _decision(desk: Desk) -> DecisionRow | None:
    if (word := desk.word) is None:
        return None
    return DecisionRow(desk.address, desk.name, word.at_ms, word.source, word.outcome, word.text, word.seq)
