"""One-line bars: pieces with a priority, shown as far as there is room, never wrapped."""

from dataclasses import dataclass

from rich.cells import cell_len

from tui.tones import Line, Span, Tone

GAP = "   "


@dataclass(frozen=True)
class Piece:
    """Spans that are shown together or not at all; the lowest `keep` goes first."""

    keep: int
    spans: Line


def cells(line: Line) -> int:
    """The width of a line."""
    return sum(cell_len(text) for text, _ in line)


def shorten(pieces: list[Piece], room: int, gap: str = GAP) -> Line:
    """The pieces that fit, in their order, most kept first."""
    chosen: set[int] = set()
    for number in sorted(range(len(pieces)), key=lambda number: -pieces[number].keep):
        width = cells(pieces[number].spans) + (len(gap) if chosen else 0)
        if width <= room:
            chosen.add(number)
            room -= width
    line: list[Span] = []
    for number in sorted(chosen):
        if line:
            line.append((gap, Tone.TEXT))
        line += pieces[number].spans
    return tuple(line)
