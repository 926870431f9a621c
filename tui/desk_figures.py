"""One desk in figures: what is wrong with it, its position, and where its money is."""

from engine.exchange_rows import Wad
from engine.snapshot import DeskRow
from tui import format as fmt
from tui.figures import Pin, price_axis, title, trigger
from tui.panes.desks import halt_words, name, side
from tui.tones import Line, Tone, gain_or_loss

_LABEL, _FIGURE = 12, 11
_BLANK: Line = ()


def desk_lines(desk: DeskRow, width: int, height: int) -> list[Line]:
    """The whole desk; where there is little height the blank lines go first."""
    lines = [title(f"{name(desk)}  {desk.phase.value}", width), *trouble_lines(desk, width), _BLANK]
    if desk.side is not None:
        lines += [*_position(desk, width), _BLANK]
    lines += _money(desk)
    # An address is worth nothing when it is cut: where there is no room for its label, it has none.
    label = "address" if width >= _LABEL + len(desk.address) + 2 else ""
    lines.append(_words(label, desk.address, width))
    if desk.enrolled_as:
        lines.append(_words("enrolled as", f"{fmt.clean(desk.enrolled_as)} (not binding)", width, Tone.DIM))
    return lines if len(lines) <= height else [line for line in lines if line != _BLANK]


def trouble_lines(desk: DeskRow, width: int) -> list[Line]:
    """Why it is set aside, warned about, halted or waiting: the worst first."""
    lines: list[Line] = []
    if desk.quarantine:
        text = f"QUARANTINED: {desk.quarantine[: fmt.TEXT_CAP // 2]}; no loop touches it, u releases it"
        lines += _wrapped(text, width, 3, Tone.WARN)
    if desk.warning:
        lines += _wrapped(f"! {desk.warning}", width, 2, Tone.WARN)
    if halted := halt_words(desk):
        lines.append(((" " + halted, Tone.WARN),))
    if desk.memo:
        when = "" if desk.memo_at_ms is None else f" {fmt.clock(desk.memo_at_ms)[:5]}"
        lines += _wrapped(f"note by {desk.memo_by}{when}: {desk.memo}", width, 3, Tone.STRONG)
    if desk.note:
        lines += _wrapped(desk.note, width, 2, Tone.TEXT)
    return lines


def _wrapped(text: str, width: int, most: int, tone: Tone) -> list[Line]:
    return [((" " + part, tone),) for part in fmt.wrap(text, width - 2, most)]


def _words(label: str, text: str, width: int, tone: Tone = Tone.TEXT) -> Line:
    left = " " + (fmt.fit(label, _LABEL) if label else "")
    return ((left, Tone.DIM), (fmt.fit(text, max(width - len(left) - 1, 1)), tone))


def _cell(label: str, text: str, tone: Tone = Tone.TEXT) -> Line:
    return ((" " + fmt.fit(label, _LABEL), Tone.DIM), (fmt.fit(text, _FIGURE, right=True), tone))


def _pair(left: Line, right: Line) -> Line:
    """Two figures side by side, each in its own column."""
    return (*left, ("  ", Tone.TEXT), *right)


def _gain(label: str, amount: Wad | None) -> Line:
    return _cell(label, fmt.signed(amount, _FIGURE), Tone.WARN if amount is None else gain_or_loss(amount))


def _sum(label: str, amount: Wad | None) -> Line:
    return _cell(label, fmt.money(amount, _FIGURE))


def _price(label: str, price: Wad | None) -> Line:
    return _cell(label, fmt.price(price, _FIGURE))


def net(desk: DeskRow) -> Wad | None:
    """Profit of the position less everything ever paid to the venue; unknown while profit is."""
    return None if desk.pnl is None else desk.pnl - desk.trading_fees


def _position(desk: DeskRow, width: int) -> list[Line]:
    number = "" if desk.position_id is None else f"#{fmt.count(desk.position_id)}"
    what = f"{side(desk.side)} {fmt.clean(desk.market or fmt.UNKNOWN)} {fmt.leverage(desk.leverage)}"
    lines: list[Line] = [((f" {what}", Tone.STRONG), (f"  {number}  {_of_collateral(desk)}".rstrip(), Tone.DIM))]
    if desk.pnl is None:
        lines += _wrapped(f"? pnl unknown: {desk.pnl_unknown or 'no price'}", width, 2, Tone.WARN)
    return [
        *lines,
        _pair(_gain("pnl", desk.pnl), _sum("collateral", desk.collateral)),
        _pair(_gain("  price", desk.pnl_price), _sum("notional", desk.notional)),
        _pair(_gain("  carry", desk.pnl_carry), _price("entry", desk.entry)),
        _pair(_gain("fees", -desk.trading_fees), _price("mark", desk.mark)),
        _pair(_gain("net", net(desk)), _price("liquidation", liquidation_price(desk))),
        *_distance(desk, width),
        *_exit(desk),
    ]


def _of_collateral(desk: DeskRow) -> str:
    if desk.pnl is None or not desk.collateral:
        return ""
    return f"{fmt.percent(desk.pnl / desk.collateral, 1, True)} of collateral"


def _exit(desk: DeskRow) -> list[Line]:
    if desk.exit is None:
        return [_pair(_sum("payout", None), _price("exit price", None))]
    quote = desk.exit
    impact = f" both if closed now, impact {fmt.percent(quote.impact, 2, True)}"
    return [_pair(_sum("payout", quote.payout), _price("exit price", quote.price)), ((impact, Tone.DIM),)]


def liquidation_price(desk: DeskRow) -> Wad | None:
    """Where the position may be liquidated, from the distance the engine gives."""
    return trigger(desk.mark, desk.liq_move, desk.side)


def _distance(desk: DeskRow, width: int) -> list[Line]:
    """The price axis, then what its letters say."""
    known = liquidation_price(desk) is not None and desk.entry is not None
    return [axis(desk, width - 2), *([((_legend(desk, width), Tone.DIM),)] if known else [])]


def _legend(desk: DeskRow, width: int) -> str:
    words = f" E entry, M mark, L liquidation, {fmt.percent(desk.liq_move)} away"
    if desk.take_profit is None or not desk.mark:
        return words
    profit = f", T take-profit {fmt.percent(abs(desk.take_profit / desk.mark - 1))}"
    longer = words + profit
    return longer if len(longer) < width else f" E entry, M mark, L liq. {fmt.percent(desk.liq_move)}{profit}"


def axis(desk: DeskRow, width: int) -> Line:
    """Liquidation, entry, mark and where profit is taken next on one line, prices growing to the right."""
    end = liquidation_price(desk)
    if end is None or desk.mark is None or desk.entry is None:
        return price_axis((), width)
    pins = (
        Pin("T", desk.take_profit, Tone.GAIN),
        Pin("E", desk.entry),
        Pin("L", end, Tone.LOSS),
        Pin("M", desk.mark, Tone.STRONG),
    )
    return price_axis(pins, width)


def _money(desk: DeskRow) -> list[Line]:
    """Fees on their way: what waits, what works, what came back, what was bought."""
    waiting = f"of {fmt.money(desk.min_deploy)} to deploy" if desk.pending < desk.min_deploy else "ready to deploy"
    return [
        (*_sum("pending", desk.pending), (f"   {waiting}", Tone.DIM)),
        _pair(_sum("deployed", desk.deployed), _sum("reserve", desk.reserve)),
        _pair(_gain("won so far", desk.won), _sum("fees earned", desk.fees_total)),
        _pair(_sum("realised", desk.realised), _sum("creator leg", desk.creator)),
        _pair(_sum("bought back", desk.bought_back), _sum("to buy back", desk.realised + desk.creator)),
    ]
