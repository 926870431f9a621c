"""The index price of the last hours with what happened to a desk marked on it."""

from collections.abc import Sequence

from engine.snapshot import Event
from tui import format as fmt
from tui.chart import Sign, chart_lines
from tui.market_figures import price_chart
from tui.tones import Line, Tone
from tui.track import Known, window

HOURS = 2
"""Of the spans, the one beside a desk."""
_SIDED = {"open": ("▲", "▼"), "grow": ("△", "▽")}
"""What long and short look like, by kind of event."""
_PLAIN = {"reduce": "◇", "close": "×", "liquidation": "!"}
_WORDS = {"▲▼": "opened", "△▽": "grown", "◇": "reduced", "×": "closed", "!": "liquidated"}


def desk_chart_lines(past: Known, market: str, events: Sequence[Event], width: int, height: int) -> Sequence[Line]:
    """Exactly `height` lines; of the events those are marked that are about this market."""
    found = signs(events, market)
    chart = price_chart(
        past.points,
        window(past.points, HOURS),
        _nothing(past),
        name=f"{fmt.clean(market)} price",
        signs=found,
        legend=_legend(found),
    )
    return chart_lines(chart, width, height)


def _legend(found: Sequence[Sign]) -> str:
    """Of those signs only that are there."""
    chars = {sign.char for sign in found}
    kinds = (("".join(char for char in kind if char in chars), word) for kind, word in _WORDS.items())
    return " ".join(f"{kind} {word}" for kind, word in kinds if kind)


def _nothing(past: Known) -> str:
    if past.trouble:
        return f"the past cannot be read: {past.trouble}"
    return "the engine has kept no price yet: it takes a point every 5 s" if past.answered else ""


def signs(events: Sequence[Event], market: str) -> list[Sign]:
    """Fills and ends of positions, as the engine words them: `long ETH 1,204.50 at 3,020.11`."""
    found = []
    for event in events:
        words = event.text.split(maxsplit=2)
        char = _PLAIN.get(event.kind, "")
        if event.kind in _SIDED and words:
            char = _SIDED[event.kind][words[0] != "long"]
        elsewhere = event.kind != "liquidation" and words[1:2] != [market]
        if char and not elsewhere:
            found.append(Sign(event.at_ms, char, Tone.LOSS if event.kind == "liquidation" else Tone.STRONG))
    return found
