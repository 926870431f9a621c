"""The figures between the accounts and the buybacks: what was counted, what is missing, and what the caps leave."""

from engine.desk_rows import FundsRow
from engine.exchange_rows import Wad
from tui import format as fmt
from tui.tones import Line, Tone

_LABEL, _FIGURE, _REMARK = 11, 13, 13


def _cell(label: str, text: str, tone: Tone = Tone.TEXT, remark: str = "") -> Line:
    return (
        (" " + fmt.fit(label, _LABEL), Tone.DIM),
        (fmt.fit(text, _FIGURE, right=True), tone),
        (" " + fmt.fit(remark, _REMARK), Tone.DIM),
    )


def _of_cap(label: str, used: Wad, cap: Wad | None) -> Line:
    """What is used of a limit; at the limit nothing more is opened."""
    full = cap is not None and used >= cap
    remark = "no cap" if cap is None else f"of {fmt.money(cap, _REMARK - 3)}"
    return _cell(label, fmt.money(used, _FIGURE), Tone.WARN if full else Tone.TEXT, remark)


def _counted(flow: FundsRow) -> Line:
    when = "never counted" if flow.wallet_at_ms is None else f"at {fmt.clock(flow.wallet_at_ms)}"
    return _cell("wallet", fmt.money(flow.wallet, _FIGURE), Tone.TEXT, when)


def _difference(flow: FundsRow) -> Line:
    if not flow.difference:
        return _cell("difference", fmt.money(0))
    remark = "more than due" if flow.difference > 0 else "missing"
    return _cell("difference", "!" + fmt.signed(flow.difference, _FIGURE - 1), Tone.ALARM, remark)


def _gas(flow: FundsRow) -> Line:
    if flow.gas is None:
        return _cell("gas", "not needed", Tone.DIM)
    return _cell("gas", fmt.amount(flow.gas, _FIGURE), Tone.TEXT if flow.gas else Tone.WARN, "native coins")


def funds_lines(flow: FundsRow) -> list[Line]:
    """Wallet against books left, limits right, and what of it all is simulated."""
    doubt = (Tone.WARN, "spent or not") if flow.unanswered else (Tone.TEXT, "")
    simulated = f" simulated: {fmt.clean(flow.simulated)}" if flow.simulated else ""
    return [
        (*_counted(flow), *_of_cap("spent today", flow.day_spent, flow.day_cap)),
        (*_cell("attributed", fmt.money(flow.held, _FIGURE)), *_of_cap("at risk", flow.at_risk, flow.risk_cap)),
        (*_difference(flow), *_gas(flow)),
        _cell("unanswered", fmt.money(flow.unanswered, _FIGURE), *doubt),
        ((simulated, Tone.WARN),),
    ]
