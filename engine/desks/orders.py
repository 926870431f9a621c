"""Decisions about a desk's one order: what may be intended, and what an answer means for the money."""

from engine.desks import commands, facts
from engine.desks.accounts import deployed, in_flight, pending, realised, reserve
from engine.desks.commands import Caps, Code
from engine.desks.facts import Fact, OrderIntended, OrderKind
from engine.desks.refusal import Refused, find, without_order
from engine.desks.state import Desk, House
from venue.exchange.ledger import EXTERNAL, Move, moves
from venue.perp import WHOLE, Declined, Filled, Unsettled, Waiting

DAY_MS = 86_400_000
FAILED = frozenset(("REVERTED", "GIVEN_UP"))
"""Codes of orders that were sent and failed on the way, at our cost: they would again."""
SENT = FAILED | {"CANCELED", "EXPIRED"}
"""Codes of orders that had no effect and were sent all the same."""
MOST_FAILED = 2
"""So many in a row that were to add to a desk halt it."""
ENDLESS = 2**62
"""More USDC than there is."""


def intend_open(house: House, command: commands.IntendOpen) -> tuple[Fact, ...]:
    """Refused by a halt, by a quarantine, by any cap, and while another order has no answer."""
    desk = without_order(house, command.address)
    _may_add_risk(house, desk, command)
    return (
        facts.OrderIntended(
            address=desk.address,
            order_id=command.order_id,
            kind=OrderKind.GROW if desk.ref else OrderKind.OPEN,
            market=command.market,
            is_long=command.is_long,
            leverage=command.leverage,
            collateral=command.collateral,
            worst_price=None,
            who="manager",
            moves=moves((pending(desk.address), in_flight(desk.address), command.collateral)),
            at_ms=max(command.now_ms, house.day * DAY_MS),  # decided after midnight, it counts on the new day
        ),
    )


def _may_add_risk(house: House, desk: Desk, command: commands.IntendOpen) -> None:
    if desk.halted:
        raise Refused(Code.HALTED, f"{desk.called} is halted by {desk.halted_by}")
    if desk.quarantine:
        raise Refused(Code.QUARANTINED, f"{desk.called} is quarantined: {desk.quarantine}")
    if desk.ref is not None and (desk.ref.market, desk.ref.is_long) != (command.market, command.is_long):
        raise Refused(Code.HAS_POSITION, f"{desk.called} already has a position elsewhere")
    if not (command.collateral > 0 and command.leverage > 0):  # nor what is no number
        raise Refused(Code.BAD_AMOUNT, "collateral and leverage must be above zero")
    if house.ledger[pending(desk.address)] < command.collateral:
        raise Refused(Code.INSUFFICIENT_PENDING, f"{desk.called} has less than that pending")
    early = desk.opened_at_ms + command.caps.open_interval_ms - command.now_ms
    if desk.ref is None and desk.opened_at_ms and early > 0:
        raise Refused(Code.TOO_SOON, f"{desk.called} opened less than {command.caps.open_interval_ms // 1000} s ago")
    used = _at_risk(house, desk.address, command.market, command.now_ms)
    _within(command.caps, command.collateral, used)


def room(house: House, address: str, market: str, caps: Caps, now_ms: int) -> int:
    """USDC (1e-6) that the caps leave a desk on a market; at least 0."""
    used = _at_risk(house, address, market, now_ms)
    pairs = ((caps.desk, used.desk), (caps.market, used.market), (caps.wallet, used.wallet), (caps.day, used.day))
    return max(0, min((cap - there for cap, there in pairs if cap is not None and there is not None), default=ENDLESS))


def _at_risk(house: House, address: str, market: str, now_ms: int) -> Caps:
    """What is at risk already, in the shape of the caps."""
    return Caps(
        desk=house.ledger[deployed(address)],
        market=house.at_risk[market],
        wallet=house.at_risk.total(),
        day=house.day_spent if house.day >= now_ms // DAY_MS else 0,
    )


def _within(caps: Caps, collateral: int, used: Caps) -> None:
    for code, cap, there in (
        (Code.CAP_DESK, caps.desk, used.desk),
        (Code.CAP_MARKET, caps.market, used.market),
        (Code.CAP_WALLET, caps.wallet, used.wallet),
        (Code.CAP_DAY, caps.day, used.day),
    ):
        if cap is not None and there is not None and there + collateral > cap:
            raise Refused(code, f"{there / 1e6:,.2f} of {cap / 1e6:,.2f} USDC are used; {collateral / 1e6:,.2f} more")


def intend_reduce(house: House, command: commands.IntendReduce) -> tuple[Fact, ...]:
    """Allowed on a halted desk: it takes risk away."""
    if not 0 < command.share < WHOLE:
        raise Refused(Code.BAD_SHARE, "a reduction leaves some of the position, and takes some")
    return (_leaving(house, command, OrderKind.REDUCE, command.share),)


def intend_close(house: House, command: commands.IntendClose) -> tuple[Fact, ...]:
    """Allowed on a halted desk, and to an operator on a quarantined one."""
    return (_leaving(house, command, OrderKind.CLOSE, WHOLE),)


def _leaving(
    house: House, command: commands.IntendReduce | commands.IntendClose, kind: OrderKind, share: int
) -> OrderIntended:
    desk = without_order(house, command.address)
    if desk.ref is None:
        raise Refused(Code.NO_POSITION, f"{desk.called} has no position to {kind}")
    if desk.quarantine and command.seen_seq is None:
        raise Refused(Code.QUARANTINED, f"{desk.called} is quarantined: {desk.quarantine}")
    if command.seen_seq is not None and desk.version > command.seen_seq:
        raise Refused(Code.CHANGED, f"{desk.called} has changed since you saw it; look again")
    return OrderIntended(
        address=desk.address,
        order_id=command.order_id,
        kind=kind,
        market=desk.ref.market,
        is_long=desk.ref.is_long,
        leverage=desk.leverage,
        collateral=0,
        worst_price=command.worst_price,
        who=command.who,
        moves=(),
        share=share,
        rule=command.rule,
    )


def record_outcome(house: House, command: commands.RecordOutcome) -> tuple[Fact, ...]:
    """What an answer means; `Waiting` means nothing yet."""
    desk = find(house, command.address)
    outcome = command.outcome
    order = desk.order
    if order is None or order.order_id != outcome.order_id:
        raise Refused(Code.UNKNOWN_ORDER, f"{desk.called} does not wait for order {outcome.order_id}")
    match outcome:
        case Waiting():
            return ()
        case Unsettled():
            return () if desk.unsettled else (facts.OrderUnsettled(desk.address, order.order_id, order.kind),)
        case Declined():
            back = moves((in_flight(desk.address), pending(desk.address), order.collateral))
            said = (outcome.code, outcome.detail, back)
            declined = facts.OrderDeclined(desk.address, order.order_id, order.kind, *said)
            return (declined, *_given_up(desk, declined))
        case Filled():
            return (_filled(house, desk, order, outcome),)


def _given_up(desk: Desk, declined: facts.OrderDeclined) -> tuple[facts.DeskHalted, ...]:
    """The halt of a desk whose orders keep failing at our cost: a person looks before more is spent."""
    if not failed(declined) or desk.halted or desk.failed + 1 < MOST_FAILED:
        return ()
    return (facts.DeskHalted(desk.address, f"sender: {declined.code}", ""),)


def failed(declined: facts.OrderDeclined) -> bool:
    """Whether it counts towards the halt of its desk."""
    return declined.kind.adds_risk and declined.code in FAILED


def _whole(*numbers: object) -> bool:
    """Whether they are integers: what is journaled otherwise could not be folded, or not be read back."""
    return all(type(number) is int for number in numbers)


def _filled(house: House, desk: Desk, order: OrderIntended, outcome: Filled) -> facts.OrderFilled:
    ref = outcome.ref
    if (ref.market, ref.is_long) != (order.market, order.is_long) or (desk.ref not in (None, ref)):
        raise Refused(Code.CONTRADICTION, f"order {order.order_id} was answered for another position")
    numbers = (outcome.price, outcome.notional, outcome.fee, outcome.payout)
    if not _whole(*numbers) or min(outcome.price, outcome.notional) < 0:
        raise Refused(Code.CONTRADICTION, f"order {order.order_id} was answered with {numbers}")
    if outcome.payout < 0 or (order.kind.adds_risk and outcome.payout):
        raise Refused(Code.CONTRADICTION, f"order {order.order_id} cannot have paid {outcome.payout}")
    if order.kind.adds_risk:
        legs = moves((in_flight(desk.address), deployed(desk.address), order.collateral))
    else:
        legs = _back_from_venue(house, desk.address, outcome.payout, order.share)
    return facts.OrderFilled(
        address=desk.address,
        order_id=order.order_id,
        kind=order.kind,
        market=ref.market,
        is_long=ref.is_long,
        pair_index=ref.pair_index,
        trade_index=ref.trade_index,
        price=outcome.price,
        notional=outcome.notional,
        fee=outcome.fee,
        payout=outcome.payout,
        moves=legs,
    )


def record_end(house: House, command: commands.RecordEnd) -> tuple[Fact, ...]:
    """A position that is gone without an order: its loss is booked, and its reserve is pending again."""
    desk = find(house, command.address)
    if desk.ref is None or desk.ref != command.ended.ref:
        raise Refused(Code.NO_POSITION, f"{desk.called} does not have that position")
    if not _whole(command.ended.payout) or command.ended.payout < 0:
        raise Refused(Code.CONTRADICTION, f"the end of a position cannot have paid {command.ended.payout}")
    address, payout = desk.address, command.ended.payout
    legs = _back_from_venue(house, address, payout, WHOLE)
    legs += moves((reserve(address), pending(address), house.ledger[reserve(address)]))
    loss = house.ledger[deployed(address)] - payout
    ended = facts.DeskLiquidated(address, payout, loss, legs)
    if desk.order is None:
        return (ended,)
    order = desk.order
    back = moves((in_flight(address), pending(address), order.collateral))
    gone = facts.OrderDeclined(
        address, order.order_id, order.kind, "POSITION_GONE", "the position was liquidated first", back
    )
    return (gone, ended)


def _back_from_venue(house: House, address: str, payout: int, share: int) -> tuple[Move, ...]:
    """The cost leaves `deployed`; what differs from it was won from, or lost to, the outside."""
    cost = house.ledger[deployed(address)] * share // WHOLE
    kept = min(cost, payout)
    return moves(
        (deployed(address), realised(address), kept),
        (deployed(address), EXTERNAL, cost - kept),
        (EXTERNAL, realised(address), payout - kept),
    )
