"""A field of dots, eight to a character, with characters over and under them."""

from itertools import groupby

from tui.tones import Line, Span, Tone

_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The dots of a braille character, by row and column."""
_BRAILLE = 0x2800
_BLANK: Span = (" ", Tone.TEXT)


class Canvas:
    """`columns` x `rows` characters; dots are counted from the upper left, two by four to a character."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._dots = [0] * (columns * rows)
        self._over: dict[int, Span] = {}
        self._under: dict[int, Span] = {}

    def run(self, x: int, y: int, end: int) -> None:
        """Dots one above the other; those outside are left out."""
        if not 0 <= x < 2 * self.columns:
            return
        for at in range(max(min(y, end), 0), min(max(y, end), 4 * self.rows - 1) + 1):
            self._dots[at // 4 * self.columns + x // 2] |= _BITS[at % 4][x % 2]

    def line(self, x: int, y: int, to_x: int, to_y: int) -> None:
        """From one dot to another that is not left of it, without holes."""
        last = y
        for at in range(x, to_x + 1):
            now = to_y if to_x == x else round(y + (to_y - y) * (at - x) / (to_x - x))
            self.run(at, last, now)
            last = now

    def put(self, column: int, row: int, span: Span) -> None:
        """A character in place of the dots."""
        if 0 <= column < self.columns and 0 <= row < self.rows:
            self._over[row * self.columns + column] = span

    def shade(self, column: int, row: int, span: Span) -> None:
        """A character where there are no dots."""
        if 0 <= column < self.columns and 0 <= row < self.rows:
            self._under[row * self.columns + column] = span

    def lines(self) -> list[Line]:
        """What it looks like; neighbours of one tone are one span."""
        return [self._line(row * self.columns) for row in range(self.rows)]

    def _line(self, start: int) -> Line:
        cells = (self._cell(at) for at in range(start, start + self.columns))
        return tuple(("".join(text for text, _ in run), tone) for tone, run in groupby(cells, key=lambda cell: cell[1]))

    def _cell(self, at: int) -> Span:
        if at in self._over:
            return self._over[at]
        dots = self._dots[at]
        return (chr(_BRAILLE + dots), Tone.TEXT) if dots else self._under.get(at, _BLANK)
