"""The lines of the pages of the second screen: every field of a request, every figure of a pool."""

from engine.exchange_rows import PoolRow, RequestRow, Wad
from tui import format as fmt
from tui.figures import figure, title
from tui.panes import pools, requests
from tui.panes.desks import side
from tui.tones import Line, Tone, gain_or_loss

_LABEL = 13
_BLANK: Line = ()


def words(label: str, text: str, width: int, tone: Tone = Tone.TEXT) -> list[Line]:
    """A name and a text of any length, on as many lines as it takes."""
    step = max(width - _LABEL - 3, 10)
    text = fmt.clean(text)
    parts = [text[start : start + step] for start in range(0, len(text), step)] or [""]
    return [
        ((" " + fmt.fit("" if number else label, _LABEL) + " ", Tone.DIM), (part, tone))
        for number, part in enumerate(parts)
    ]


def request_lines(row: RequestRow, now_ms: int, width: int, gone: bool) -> list[Line]:
    """One request, field by field."""
    sign, tone = requests.state(row)
    reason, reason_tone = row.reason or "none", requests.reason(row)[1]
    lines = [title(f"{fmt.clean(row.kind)} {fmt.clean(row.market)}  {row.state.value}", width)]
    if gone:
        lines.append(((" it is no longer on the list; this is how it was last seen", Tone.WARN),))
    lines += [_BLANK, *words("state", sign, width, tone), *words(*_moment(row, now_ms), width)]
    lines += words("reason", reason, width, reason_tone if row.reason else Tone.DIM)
    if row.attempts:
        lines += words("attempts", f"{fmt.count(row.attempts)} of our keepers left it waiting", width)
    lines += [_BLANK, *words("market", row.market, width)]
    if row.side is not None:
        lines += words("side", side(row.side), width)
    lines += words("amount", row.amount, width)
    if row.size is not None:
        lines += words("size", f"{fmt.money(row.size)} USD", width)
    if row.trigger is not None:
        lines += words("trigger", f"{fmt.price(row.trigger)} USD per token", width)
    lines += [_BLANK, *words("fee", f"{fmt.amount(row.fee)} native tokens {_fee(row)}", width)]
    lines += words("keeper", row.keeper or ("nobody yet" if requests.waiting(row) else "nobody"), width)
    lines += words("account", row.account + (" (simulated)" if row.simulated else ""), width)
    lines += words("key", row.key, width)
    may = "its owner may cancel it now" if row.may_cancel else "its owner may not cancel it yet"
    return [*lines, *(words("cancel", may, width, Tone.DIM) if requests.waiting(row) else [])]


def _moment(row: RequestRow, now_ms: int) -> tuple[str, str]:
    if requests.waiting(row):
        return "waits for", f"{fmt.waited(now_ms, row.at_ms)}, since {fmt.clock(row.at_ms)}Z"
    return "ended at", f"{fmt.clock(row.at_ms)}Z"


def _fee(row: RequestRow) -> str:
    return "offered to whoever executes it" if requests.waiting(row) else "paid"


def pool_lines(row: PoolRow, width: int) -> list[Line]:
    """One pool, figure by figure."""
    index, long, short = (fmt.clean(name) for name in (row.index, row.long, row.short))
    lines = [title(f"Pool {fmt.clean(row.symbol)}  {long}/{short}", width)]
    if not row.enabled:
        lines.append(((" off: nothing can be created in it", Tone.WARN),))
    if not row.priced:
        lines.append(((" no price: a price it needs may not be traded on, so what is in USD is unknown", Tone.WARN),))

    def tokens(label: str, units: Wad, token: str, remark: str = "") -> Line:
        return figure(label, fmt.amount(units, 14), remark=f"{token}  {remark}".rstrip())

    imbalance = row.long_oi - row.short_oi
    reserved, tone = pools.reserved(row)
    return [
        *lines,
        _BLANK,
        figure("value", fmt.money(row.value, 14), remark="USD  at the maximum price"),
        figure("token price", fmt.price(row.token_price, 14), remark="USD  one market token"),
        tokens("supply", row.supply, "market tokens"),
        _BLANK,
        tokens("long liq", row.long_amount, long, "liquidity behind longs"),
        tokens("short liq", row.short_amount, short, "liquidity behind shorts"),
        tokens("imp long", row.impact_long, long, "swap impact pool"),
        tokens("imp short", row.impact_short, short, "swap impact pool"),
        tokens("imp pos", row.impact_position, index, "position impact pool"),
        tokens("fee long", row.fees_long, long, "claimable fees"),
        tokens("fee short", row.fees_short, short, "claimable fees"),
        _BLANK,
        figure("long oi", fmt.money(row.long_oi, 14), remark="USD  open interest of longs"),
        figure("short oi", fmt.money(row.short_oi, 14), remark="USD  open interest of shorts"),
        figure("imbalance", fmt.signed(imbalance, 14), remark="USD  longs less shorts"),
        figure("pnl", fmt.signed(row.traders_pnl, 14), gain_or_loss(row.traders_pnl), "USD  of all traders, now"),
        figure("reserved", reserved, tone, "of the fuller side's liquidity"),
        figure("positions", fmt.count(row.positions)),
    ]
