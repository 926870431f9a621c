"""The lines of the detail pages: figures with their names, and what happened when."""

from collections.abc import Iterable

from engine.exchange_rows import Side, Wad
from engine.snapshot import DecisionRow, DeskRow, Event, LiquidationRow, MarketRow
from tui import format as fmt
from tui.panes import agent_log, liquidations
from tui.panes.desks import halt_words, name, side
from tui.tones import Line, Span, Tone, gain_or_loss

_LABEL = 13
_FIGURE = 14
_BLANK: Line = ()


def title(text: str, width: int) -> Line:
    """A heading with a rule to the end of the line."""
    return ((f" {fmt.clean(text)} ", Tone.STRONG), ("─" * max(width - len(text) - 4, 0), Tone.DIM))


def figure(label: str, text: str, tone: Tone = Tone.TEXT, remark: str = "") -> Line:
    """A name, a figure in its column, and what explains it."""
    return (
        (" " + fmt.fit(label, _LABEL), Tone.DIM),
        (fmt.fit(text, _FIGURE, right=True), tone),
        (f"  {remark}", Tone.DIM),
    )


def named(label: str, text: str, tone: Tone = Tone.TEXT) -> Line:
    """A name and words."""
    return ((f" {fmt.fit(label, _LABEL)} ", Tone.DIM), (fmt.clean(text), tone))


def desk_lines(desk: DeskRow, width: int) -> list[Line]:
    """One desk in figures."""
    lines = [title(f"{name(desk)}  {desk.phase.value}", width)]
    if halted := halt_words(desk):
        lines.append(((" " + halted, Tone.WARN),))
    if desk.note:
        lines.append(((" " + fmt.clean(desk.note), Tone.TEXT),))
    lines.append(_BLANK)
    if desk.side is not None:
        lines += _position(desk, width)
    waiting = f"of {fmt.money(desk.min_deploy)} to deploy" if desk.pending < desk.min_deploy else "ready to deploy"
    lines += [
        figure("pending", fmt.money(desk.pending), remark=waiting),
        figure("realised", fmt.money(desk.realised), remark="paid back by closes"),
        figure("fees earned", fmt.money(desk.fees_total)),
        ((" " + fmt.fit("address", _LABEL), Tone.DIM), (fmt.fit(desk.address, max(width - _LABEL - 2, 1)), Tone.TEXT)),
    ]
    return lines


def _position(desk: DeskRow, width: int) -> list[Line]:
    number = "" if desk.position_id is None else f"position #{fmt.count(desk.position_id)}"
    what = f"{side(desk.side)} {fmt.clean(desk.market or fmt.UNKNOWN)} {fmt.leverage(desk.leverage)}"
    lines: list[Line] = [
        ((f" {what}", Tone.STRONG), (f"  {number}", Tone.DIM)),
        figure("pnl", fmt.signed(desk.pnl), gain_or_loss(desk.pnl), _of_collateral(desk)),
        figure("  price", fmt.signed(desk.pnl_price), gain_or_loss(desk.pnl_price)),
        figure("  carry", fmt.signed(desk.pnl_carry), gain_or_loss(desk.pnl_carry)),
        figure("collateral", fmt.money(desk.collateral)),
        figure("notional", fmt.money(desk.notional)),
        figure("entry", fmt.price(desk.entry)),
        figure("mark", fmt.price(desk.mark)),
        figure("liquidation", fmt.price(liquidation_price(desk)), remark=f"{fmt.percent(desk.liq_move)} away"),
        axis(desk, width - 2),
    ]
    if desk.exit is not None:
        impact = f"impact {fmt.percent(desk.exit.impact, 2, True)}"
        lines.append(figure("exit price", fmt.price(desk.exit.price), remark=impact))
        lines.append(figure("payout", fmt.money(desk.exit.payout), remark="if closed now"))
    return [*lines, _BLANK]


def _of_collateral(desk: DeskRow) -> str:
    if desk.pnl is None or not desk.collateral:
        return ""
    return f"{fmt.percent(desk.pnl / desk.collateral, 1, True)} of collateral"


def liquidation_price(desk: DeskRow) -> Wad | None:
    """Where the position may be liquidated, from the distance the engine gives."""
    if desk.mark is None or desk.liq_move is None or desk.side is None:
        return None
    move = round(desk.mark * desk.liq_move)
    return desk.mark - move if desk.side is Side.LONG else desk.mark + move


def axis(desk: DeskRow, width: int) -> Line:
    """Liquidation, entry and mark on one line, prices growing to the right."""
    end = liquidation_price(desk)
    if end is None or desk.mark is None or desk.entry is None:
        return ((" no price axis: a price is unknown", Tone.DIM),)
    low, high = min(end, desk.mark, desk.entry), max(end, desk.mark, desk.entry)
    reach = max(high - low, 1)
    cells = ["─"] * max(width, 3)
    for price, letter in ((desk.entry, "E"), (end, "L"), (desk.mark, "M")):
        cells[round((price - low) / reach * (len(cells) - 1))] = letter
    return ((" ", Tone.TEXT), *_letters("".join(cells)))


def _letters(text: str) -> Iterable[Span]:
    tones = {"L": Tone.LOSS, "E": Tone.TEXT, "M": Tone.STRONG}
    return ((char, tones.get(char, Tone.DIM)) for char in text)


def decision_lines(decision: DecisionRow | None, width: int) -> list[Line]:
    """The last decision, with its whole text."""
    lines = [title("Last decision", width)]
    if decision is None:
        return [*lines, ((" none yet", Tone.DIM),), _BLANK]
    word, tone = agent_log.outcome(decision)
    lines.append(
        (
            (f" {fmt.clock(decision.at_ms)}  ", Tone.DIM),
            (word, tone),
            (f"  by {fmt.clean(decision.source)}", Tone.DIM),
        )
    )
    text = fmt.clean(decision.text)
    step = max(width - 2, 10)
    lines += [((" " + text[start : start + step], Tone.TEXT),) for start in range(0, len(text), step)][:4]
    return [*lines, _BLANK]


def timeline_lines(events: Iterable[Event], dropped: int, width: int, room: int) -> list[Line]:
    """What happened, newest on top."""
    lines = [title("What happened", width)]
    for event in sorted(events, key=lambda event: -event.number)[: max(room - 2, 0)]:
        lines.append(
            (
                (f" {fmt.clock(event.at_ms)}  ", Tone.DIM),
                (fmt.fit(event.kind, 14) + " ", Tone.STRONG),
                (fmt.clean(event.text), Tone.TEXT),
            )
        )
    if len(lines) == 1:
        lines.append(((" nothing yet", Tone.DIM),))
    if dropped:
        lines.append(((f" {fmt.count(dropped)} earlier events are no longer held", Tone.WARN),))
    return lines


def position_lines(row: LiquidationRow, market: MarketRow | None, gone: bool) -> list[Line]:
    """One position of the liquidation queue in figures."""
    bar, tone = liquidations.loss(row, 36)
    state = "no longer in the queue" if gone else row.state.value
    return [
        title(f"Position {liquidations.number(row)}  {state}", 58),
        _BLANK,
        ((f" {side(row.side)} {fmt.clean(row.market)} {fmt.leverage(row.leverage)}", Tone.STRONG),),
        figure("owner", "", remark=fmt.clean(row.owner) + (" (simulated)" if row.simulated else "")),
        figure("notional", fmt.money(row.notional)),
        figure("mark", fmt.price(None if market is None else market.mark)),
        figure("trigger", liquidations.move(row), remark="move of the price until liquidation"),
        figure("keeper fee", fmt.money(row.fee)),
        ((" " + fmt.fit("loss", _LABEL), Tone.DIM), (f" {bar}", tone)),
        figure("", "", remark="share of the allowed loss; 100% is now"),
    ]
