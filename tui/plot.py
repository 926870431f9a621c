"""Prices over time as characters, for a terminal that has scrolled past and not for the screen."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import Protocol, cast

Points = Sequence[tuple[int, float]]
"""Times (unix ms) and prices (USD)."""
_TICKS = 5
_LEAST_WIDTH, _LEAST_HEIGHT = 30, 8
_DAY_MS = 86_400_000
_ASCII = str.maketrans("┌┐└┘├┤┬┴┼─│", "+++++++++-|")


class _Plotext(Protocol):
    """What is used of plotext, which comes without types."""

    def clear_figure(self) -> None: ...
    def theme(self, theme: str) -> None: ...
    def limit_size(self, width: bool, height: bool) -> None: ...
    def plot_size(self, width: int, height: int) -> None: ...
    def title(self, label: str) -> None: ...
    def plot(self, x: list[float], y: list[float], *, marker: str) -> None: ...
    def scatter(self, x: list[float], y: list[float], *, marker: str, color: str) -> None: ...
    def xticks(self, ticks: list[float], labels: list[str]) -> None: ...
    def build(self) -> str: ...
    def uncolorize(self, string: str) -> str: ...


def prices(
    name: str, line: Points, longs: Points, shorts: Points, width: int, height: int = 18, *, colour: bool = True
) -> str:
    """A line of prices with entries marked on it. Without `colour` it is ASCII as well, for any terminal or file."""
    plot = cast(_Plotext, import_module("plotext"))  # loaded only here: 50 ms that no other command should wait for
    plot.clear_figure()
    plot.theme("clear")
    plot.limit_size(False, False)
    plot.plot_size(max(width, _LEAST_WIDTH), max(height, _LEAST_HEIGHT))
    up, down = ("▲", "▼") if colour else ("L", "S")
    plot.title(f"{name} index, USD   {up} long   {down} short   UTC")
    plot.plot(*_columns(line), marker="braille" if colour else ".")
    for points, marker, tone in ((longs, up, "green+"), (shorts, down, "red+")):
        if points:
            plot.scatter(*_columns(points), marker=marker, color=tone)
    plot.xticks(*_times(line[0][0], line[-1][0]))
    drawn = plot.build()
    plot.clear_figure()
    lines = drawn if colour else plot.uncolorize(drawn).translate(_ASCII)
    return "\n".join(line.rstrip() for line in lines.splitlines())


def _columns(points: Points) -> tuple[list[float], list[float]]:
    return [float(at_ms) for at_ms, _ in points], [price for _, price in points]


def _times(first_ms: int, last_ms: int) -> tuple[list[float], list[str]]:
    shape = "%m-%d %H:%M" if last_ms - first_ms > _DAY_MS else "%H:%M"
    places = [first_ms + (last_ms - first_ms) * number / (_TICKS - 1) for number in range(_TICKS)]
    return places, [datetime.fromtimestamp(place / 1000, UTC).strftime(shape) for place in places]
