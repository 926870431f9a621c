"""Someone at the screen: presses keys, reads what it says, and knows what reached the port."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from textual.pilot import Pilot

from tests.tui.scripted import NOW, ScriptedPort
from tui.app import PerpdeskApp
from tui.settings import UiSettings

Size = tuple[int, int]


class Operator:
    """Drives the app in a test."""

    def __init__(self, app: PerpdeskApp, pilot: Pilot[int], port: ScriptedPort) -> None:
        self.app = app
        self.pilot = pilot
        self.port = port

    async def press(self, *keys: str) -> None:
        """Presses keys one after the other."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def frame(self) -> None:
        """Lets one frame pass."""
        self.app.tick()
        await self.pilot.pause()

    async def waits(self, seconds: float) -> None:
        """Does nothing for a while."""
        await self.pilot.pause(seconds)

    async def until(self, true: Callable[[], object]) -> None:
        """Waits until something is so."""
        end = monotonic() + 10
        while not true():
            assert monotonic() < end, "\n".join(self.lines())
            await self.pilot.pause(0.02)

    async def resize(self, width: int, height: int) -> None:
        """Gives the terminal another size."""
        await self.pilot.resize_terminal(width, height)
        await self.pilot.pause()
        await self.frame()

    def lines(self) -> list[str]:
        """The screen as text, without what is right of the last character."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    def sees(self, text: str) -> bool:
        """True if some line of the screen contains this."""
        return any(text in line for line in self.lines())

    def line(self, text: str) -> str:
        """The first line that contains this."""
        return next(line for line in self.lines() if text in line)

    @property
    def message(self) -> str:
        """The line above the keys."""
        return self.lines()[-2].strip()

    @property
    def keys(self) -> str:
        """The bottom line."""
        return self.lines()[-1].strip()


@asynccontextmanager
async def watching(
    port: ScriptedPort | None = None,
    size: Size = (160, 45),
    ui: UiSettings | None = None,
) -> AsyncIterator[Operator]:
    """The app over a scripted port, with its first frame drawn."""
    port = port or ScriptedPort()
    app = PerpdeskApp(port, ui or UiSettings(), lambda: NOW)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        operator = Operator(app, pilot, port)
        await operator.frame()
        yield operator


def focused(operator: Operator) -> str:
    """The id of the pane with the focus."""
    widget: Any = operator.app.screen.focused
    return str(widget.id)
