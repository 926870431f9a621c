"""The one widget everything on the screen is made of: lines of spans that repaint only where they changed."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.tones import Line, Palette, Tone


def changed(old: Line, new: Line) -> Iterator[tuple[int, int | None]]:
    """Where two lines differ, as (first cell, width); a width of None means up to the end of the line."""
    x = 0
    for (old_text, old_tone), (new_text, new_tone) in zip(old, new, strict=False):
        width = cell_len(new_text)
        if old_text != new_text and cell_len(old_text) != width:
            yield x, None
            return
        if old_text != new_text or old_tone is not new_tone:
            yield x, width
        x += width
    if len(old) != len(new):
        yield x, None


def strip(line: Line, width: int, styles: dict[Tone, Style]) -> Strip:
    """The line as exactly `width` cells; neighbours of one style become one segment."""
    segments: list[Segment] = []
    text, style = "", styles[Tone.TEXT]
    for piece, tone in line:
        piece_style = styles[tone]
        if piece_style != style and text and piece:
            segments.append(Segment(text, style))
            text = ""
        if piece:
            text, style = text + piece, piece_style
    if text:
        segments.append(Segment(text, style))
    return Strip(segments).adjust_cell_length(width, styles[Tone.TEXT])


class Lines(Widget, can_focus=False):
    """Shows lines of literal text; `draw` compares them with what is shown and repaints the difference."""

    DEFAULT_CSS = "Lines { height: 1fr; width: 1fr; }"

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.palette = palette
        self._lines: list[Line] = []
        self._selected: int | None = None

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown."""
        return self._lines

    def draw(self, lines: Sequence[Line], selected: int | None = None) -> None:
        """Shows these lines, the one numbered `selected` as the cursor's."""
        width, height = self.size
        was, self._lines = self._lines, list(lines[:height])
        moved = {self._selected, selected} if selected != self._selected else frozenset()
        self._selected = selected
        dirty: list[Region] = []
        for y in range(max(len(was), len(self._lines))):
            old = was[y] if y < len(was) else ()
            new = self._lines[y] if y < len(self._lines) else ()
            if y in moved:
                dirty.append(Region(0, y, width, 1))
            elif old is not new:
                dirty += [Region(x, y, width - x if cells is None else cells, 1) for x, cells in changed(old, new)]
        if dirty:
            self.refresh(*dirty)

    def render_line(self, y: int) -> Strip:
        """One line of the widget, as the compositor asks for it."""
        line = self._lines[y] if y < len(self._lines) else ()
        return strip(line, self.size.width, self.palette.chosen if y == self._selected else self.palette.styles)
