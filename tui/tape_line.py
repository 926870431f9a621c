"""The message line of a replay: whether it plays and how fast, the time at the cursor, how far it is, and its keys."""

from datetime import UTC, datetime

from tui.actions import BY_ID
from tui.bar import Piece, shorten
from tui.format import count
from tui.keymap import Keymap
from tui.tape import TapeSight
from tui.tones import Line, Tone

_BAR, _SHORT_BAR = 24, 10
_ROOMY = 100
_KEYS = (
    (("tape_play",), "play"),
    (("tape_back", "tape_on"), "entry"),
    (("tape_minute_back", "tape_minute_on"), "minute"),
    (("tape_hour_back", "tape_hour_on"), "hour"),
    (("tape_slower", "tape_faster"), "speed"),
)
_GAP = "  "


def tape_line(sight: TapeSight, width: int, keymap: Keymap) -> Line:
    """Shortened from its keys; state, time and entry are always there."""
    state = ("▶ playing", Tone.STRONG) if sight.playing else ("‖ paused ", Tone.WARN)
    entries = f"{count(sight.entry):>{len(count(sight.newest))}} of {count(sight.newest)}"
    pieces = [
        Piece(9, (state,)),
        Piece(7, ((f"x{sight.speed:<4}", Tone.TEXT),)),
        Piece(8, ((moment(sight.at_ms), Tone.TEXT),)),
        Piece(6, (("entry ", Tone.DIM), (entries, Tone.TEXT))),
        Piece(5, _progress(sight.share, _BAR if width >= _ROOMY else _SHORT_BAR)),
        *(Piece(4 - number, keys) for number, keys in enumerate(_shown(keymap))),
    ]
    return ((" ", Tone.TEXT), *shorten(pieces, width - 2, _GAP))


def moment(at_ms: int) -> str:
    """`2026-11-21 16:48:56Z`, second by second: what is finer is between two entries."""
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%d %H:%M:%S}Z"


def _progress(share: float, width: int) -> Line:
    """Full only at the end, and empty only at the beginning."""
    done = min(max(round(share * width), share > 0), width - (share < 1))
    return (("█" * done, Tone.TEXT), ("░" * (width - done), Tone.DIM), (f" {int(share * 100):>3}%", Tone.DIM))


def _shown(keymap: Keymap) -> list[Line]:
    """The first key of each action, as far as the operator has left it one."""
    lines: list[Line] = []
    for ids, word in _KEYS:
        keys = [key for each in ids for key in keymap.shown(BY_ID[each]).split()[:1]]
        if keys:
            lines.append(((" ".join(keys), Tone.STRONG), (f" {word}", Tone.DIM)))
    return lines
