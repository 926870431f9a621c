"""What leaves for the terminal: only the changed cells, and only the style codes that differ from the last."""

from functools import lru_cache

from rich.color import ColorSystem
from rich.console import Console
from rich.control import Control
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate
from textual.color import Color
from textual.filter import LineFilter

_RESET = "\x1b[0m"


@lru_cache(maxsize=256)
def _codes(style: Style, system: ColorSystem) -> str:
    """The escape sequence that switches a style on."""
    return style.render("\0", color_system=system).partition("\0")[0]


class TightUpdate(ChopsUpdate):
    """Sends the changed cells and no others.

    Textual's own update starts at the left edge of the widget and resets the style after every piece.
    """

    def render_segments(self, console: Console) -> str:
        """The update as escape sequences."""
        out: list[str] = []
        system = ColorSystem[(console.color_system or "truecolor").upper().replace("256", "EIGHT_BIT")]
        current = ""
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                left, right = max(x, x1), min(end, x2)
                if strip is None or left >= right:
                    continue
                out.append(Control.move_to(left, y).segment.text)
                for text, style, _ in strip.crop(left - x, right - x):
                    codes = "" if style is None else _codes(style, system)
                    if codes != current:
                        out.append((_RESET if current else "") + codes)
                        current = codes
                    out.append(text)
        if current:
            out.append(_RESET)
        return "".join(out)


@lru_cache(maxsize=256)
def _without_defaults(style: Style) -> Style:
    """The style without colours that are the terminal's own anyway."""
    bare = style.without_color
    front, back = style.color, style.bgcolor
    return bare + Style(
        color=None if front is None or front.is_default else front,
        bgcolor=None if back is None or back.is_default else back,
    )


class DropDefaults(LineFilter):
    """Default colours need no codes, because every run of text ends in a reset."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, without default colours."""
        return [Segment(text, style and _without_defaults(style)) for text, style, _ in segments]


class DropColours(LineFilter):
    """NO_COLOR, taken literally."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, without any colour."""
        return [Segment(text, style and style.without_color) for text, style, _ in segments]
