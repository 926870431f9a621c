"""The only place where a value becomes text, and where text from outside meets the screen.

Everything returned here is safe to send to a terminal, and `fit` makes it exactly as wide as its column.
"""

import math
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache

from rich.cells import cell_len, chop_cells, set_cell_size

from engine.exchange_rows import Wad

UNKNOWN = "?"
WAD = 10**18
TEXT_CAP = 400
"""Longest text looked at: no line of a terminal shows more."""
NAME_CELLS = 9

_EIGHTHS = " ▏▎▍▌▋▊▉"
_MAX_COMBINING = 2
_SUFFIXES = ((10**15, "Q"), (10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k"))


@lru_cache(maxsize=4096)
def _clean(text: str) -> str:
    out: list[str] = []
    combining = 0
    for char in text:
        category = unicodedata.category(char)
        if category == "Cc" or category in ("Cs", "Zl", "Zp"):
            out.append("\N{REPLACEMENT CHARACTER}")
        elif category in ("Cf", "Co", "Cn") or "\ufe00" <= char <= "\ufe0f":
            continue
        elif category in ("Mn", "Me", "Mc"):
            combining += 1
            if combining <= _MAX_COMBINING and out:
                out.append(char)
            continue
        else:
            out.append(" " if category == "Zs" else char)
        combining = 0
    return "".join(out)


def clean(text: str) -> str:
    """Drops what could move the cursor, reverse the line or pile up on one cell; the second net after the engine's."""
    text = text[:TEXT_CAP]
    return text if text.isascii() and text.isprintable() else _clean(text)


@lru_cache(maxsize=8192)
def fit(text: str, width: int, right: bool = False) -> str:
    """The cleaned text in exactly `width` cells, cut with an ellipsis where it is longer."""
    if width <= 0:
        return ""
    text = clean(text)
    size = cell_len(text)
    if size > width:
        return set_cell_size(text, width - 1) + "…"
    pad = " " * (width - size)
    return pad + text if right else text + pad


def _decimals(amount: Wad, places: int) -> str:
    step: int = 10 ** (18 - places)
    units = (abs(amount) + step // 2) // step
    whole, rest = divmod(units, 10**places)
    return f"{whole:,}.{rest:0{places}}" if places else f"{whole:,}"


def _short(amount: Wad, room: int) -> str:
    """A number far too long for its column: shortened with a unit, because a cut number is a wrong number."""
    value = abs(amount) // WAD
    factor, suffix = next((pair for pair in _SUFFIXES if value >= pair[0]), (1, ""))
    text = f"{value * 100 // factor / 100:,.2f}{suffix}"
    return text if len(text) <= room else f"{float(value):.0e}"


def _number(amount: Wad, places: int, width: int | None, *, plus: bool = False) -> str:
    """Sign and digits: with fewer decimals, then with a unit, where the column is too narrow."""
    text = _decimals(amount, places)
    sign = "" if not text.strip("0.,") else "-" if amount < 0 else "+" if plus else ""
    if width is None:
        return sign + text
    room = width - len(sign)
    for fewer in range(places, -1, -1):
        text = _decimals(amount, fewer)
        if len(text) <= room:
            return sign + text
    return sign + _short(amount, room)


def money(amount: Wad | None, width: int | None = None) -> str:
    """An amount of USD: `1,204.50`; `12.35M` where the column is too narrow."""
    return UNKNOWN if amount is None else _number(amount, 2, width)


def signed(amount: Wad | None, width: int | None = None) -> str:
    """Gain or loss: always with its sign, zero without."""
    return UNKNOWN if amount is None else _number(amount, 2, width, plus=True)


def price_places(amount: Wad) -> int:
    """How many decimals tell two neighbouring prices apart."""
    size = abs(amount)
    return 2 if size >= 100 * WAD else 4 if size >= WAD else 6


def price(amount: Wad | None, width: int | None = None) -> str:
    """A price, with more decimals where it is small."""
    return UNKNOWN if amount is None else _number(amount, price_places(amount), width)


def amount(units: Wad | None, width: int | None = None) -> str:
    """A number of tokens, with as many decimals as a price of that size; nought is `0`."""
    return "0" if units == 0 else price(units, width)


def spread(conf: Wad | None, index: Wad | None, width: int) -> str:
    """Half the width of a price, in the decimals of the price."""
    if conf is None:
        return UNKNOWN
    return "±" + _number(conf, price_places(conf if index is None else index), width - 1)


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def percent(value: float | None, places: int = 1, sign: bool = False) -> str:
    """A fraction as percent: `8.9%`, or `+0.25%`."""
    if value is None or not _finite(value):
        return UNKNOWN
    text = f"{value * 100:{'+' if sign else ''},.{places}f}%"
    return text.lstrip("+-") if text.strip("+-0.%") == "" else text


def basis_points(value: float | None) -> str:
    """A fraction as hundredths of a percent: `+1bp`."""
    if value is None or not _finite(value):
        return UNKNOWN
    points = round(value * 10_000)
    return f"{points:+,}bp" if points else "0bp"


def leverage(value: float | None) -> str:
    """`10x`, `2.5x`."""
    if value is None or not _finite(value):
        return UNKNOWN
    return f"{value:.0f}x" if value >= 10 or value == int(value) else f"{value:.1f}x"


def count(value: int) -> str:
    """A whole number: `48,211`."""
    return f"{value:,}"


def age(ms: int | None) -> str:
    """How long ago, in one unit: `0.2s`, `14s`, `3m`, `5h`, `2d`."""
    if ms is None:
        return UNKNOWN
    if ms < 10_000:
        return f"{max(ms, 0) / 1000:.1f}s"
    seconds = ms // 1000
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def waited(now_ms: int, since_ms: int) -> str:
    """How long since then, in whole seconds of the clock on the screen, so that it changes when the clock does."""
    seconds = max(now_ms // 1000 - since_ms // 1000, 0)
    return f"{seconds}s" if seconds < 60 else age(seconds * 1000)


def clock(ms: int) -> str:
    """Time of day in UTC: `14:03:22`."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return "??:??:??"


def moment(ms: int) -> str:
    """Day and time of day in UTC, for what may be older than today: `11-21 14:03`."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return "??-?? ??:??"


def wrap(text: str, width: int, most: int) -> list[str]:
    """The cleaned text on at most so many lines, broken between words where they are short enough."""
    lines = [""]
    for word in clean(text).split():
        for part in chop_cells(word, max(width, 2)):
            joined = f"{lines[-1]} {part}" if lines[-1] else part
            if cell_len(joined) <= width:
                lines[-1] = joined
            else:
                lines.append(part)
    if len(lines) > most:
        lines = [*lines[: most - 1], fit(" ".join(lines[most - 1 :]), width)]
    return lines


def gauge(share: float | None, width: int) -> str:
    """A bar of eighths of a cell; full at 1.0 and beyond."""
    if share is None or not _finite(share):
        return fit(UNKNOWN, width)
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    return fit("█" * full + (_EIGHTHS[rest] if rest else ""), width)


def gauge_left(share: float, width: int) -> str:
    """A bar that grows from the right, in halves of a cell."""
    halves = round(min(max(share, 0.0), 1.0) * width * 2)
    return fit("▐" * (halves % 2) + "█" * (halves // 2), width, right=True)


def address_tail(address: str) -> str:
    """Four characters that tell two tokens of one name apart: the first, because launchpads share the last."""
    return clean(address).removeprefix("0x")[:4]


def address(whole: str) -> str:
    """Both ends of an address: `0x5293…2a75`; whoever makes look-alikes copies both, so nothing is sent by it."""
    return f"{clean(whole)[:6]}…{clean(whole)[-4:]}"


def token(name: str, address: str, cells: int = NAME_CELLS) -> str:
    """`PEPE·3f2a`; a long name is cut, the address never."""
    name = clean(name)
    name = name if cell_len(name) <= cells else fit(name, cells)
    return f"{name}·{address_tail(address)}"
