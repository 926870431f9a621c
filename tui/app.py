"""The terminal program: a theme, a keymap, screens and one frame timer over a Port."""

import asyncio
import signal
import time
import traceback
from collections.abc import Callable

from rich.segment import Segment, Segments
from textual._compositor import ChopsUpdate
from textual.app import App
from textual.screen import Screen

from engine.port import EVERYTHING, Port
from themes import load
from tui import terminal
from tui.arm_dialog import ArmDialog
from tui.board import Board
from tui.deck import Deck
from tui.dialogs import Panel
from tui.driver import TerminalDriver
from tui.exchange import Exchange
from tui.format import clean
from tui.funds import Funds
from tui.log_screen import AgentLog
from tui.overview import Overview
from tui.session import Session
from tui.settings import UiSettings
from tui.tones import Palette, textual_theme
from tui.wire import DropColours, DropDefaults, TightUpdate

_LATER: tuple[type[Board], ...] = (Exchange, AgentLog, Funds)
"""The boards above the overview; one at a time."""


def wall_clock_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class PerpdeskApp(App[int], inherit_bindings=False):
    """Shows what the port says and submits what the operator asks for; it never waits for the engine."""

    CSS = "Deck { background: $background; }"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    TITLE = "perpdesk"

    def __init__(self, port: Port, ui: UiSettings, clock_ms: Callable[[], int] = wall_clock_ms) -> None:
        super().__init__(driver_class=TerminalDriver)
        theme = load(ui.theme)
        self._ui = ui
        self.register_theme(textual_theme(theme))
        self.theme = f"perpdesk-{theme.name}"
        if not ui.colour:
            self._filters = [DropColours()]
        elif theme.ansi:
            self._filters.append(DropDefaults())
        self.session = Session(self, port, ui, Palette(theme), clock_ms)
        self.session.changed = self._draw_bars
        self.session.show_pane = self._show_pane

    def get_default_screen(self) -> Screen[None]:
        """The overview."""
        return Overview(self.session)

    def on_mount(self) -> None:
        """Starts the frame clock, asks what has to be asked first, and leaves in order when the terminal does."""
        status = self.session.frame.snapshot.status
        if not (status.armed or status.observing) and self.session.info.role == "operator":
            self.push_screen(ArmDialog(self.session))
        self.set_interval(1 / self._ui.fps, self.tick)
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGHUP, self._hang_up)
            loop.add_signal_handler(signal.SIGTERM, self._leave, terminal.EXIT_TERMINATED)

    def tick(self) -> None:
        """One beat of the frame clock: draws what changed, unless the terminal cannot take it."""
        driver = self._driver
        if isinstance(driver, TerminalDriver):
            if driver.gone:
                self._hang_up()
                return
            if driver.congested:
                return
            if driver.incomplete:
                driver.incomplete = False
                self.screen.refresh()
        if not self.screen_stack:
            return  # the last beat of an app that is closing
        self.session.port.want(self.screen.fields() if isinstance(self.screen, Board) else EVERYTHING)
        fresh = self.session.frame.pull()
        if isinstance(self.screen, Deck | Panel):
            self.screen.draw_frame(fresh)
        if isinstance(self.screen, Panel):
            # Rows stand still behind a question, so that nobody is distracted from it; alarms do not wait.
            behind = next((screen for screen in reversed(self.screen_stack) if isinstance(screen, Deck)), None)
            if behind is not None:
                behind.draw_status()

    def _show_pane(self, number: int) -> None:
        """Leaves pages and boards until the one with this pane is on top, and enters it if it was not below them."""
        wanted = next((kind for kind in reversed(_LATER) if number >= kind.first), None)
        while len(self.screen_stack) > 1 and (wanted is None or not isinstance(self.screen, wanted)):
            self.pop_screen()
        if wanted is not None and not isinstance(self.screen, wanted):
            name = wanted.__name__
            if not self.is_screen_installed(name):
                # Kept when it is left: its cursor, filters and order are still there when the operator is back.
                self.install_screen(wanted(self.session, number - wanted.first), name)
                self.push_screen(name)
                return
            self.push_screen(name)
        board = self.screen
        if isinstance(board, Board):
            board.focus_pane(number - board.first)

    def _draw_bars(self) -> None:
        if self.is_running and isinstance(self.screen, Deck):
            self.screen.draw_bars()

    def _hang_up(self) -> None:
        if self.return_code == terminal.EXIT_HANGUP:
            return
        if isinstance(self._driver, TerminalDriver):
            self._driver.let_go()
        self._leave(terminal.EXIT_HANGUP)

    def _leave(self, code: int) -> None:
        self.exit(return_code=code)

    def _display(self, screen: Screen[object], renderable: object) -> None:
        if isinstance(renderable, ChopsUpdate):
            renderable = TightUpdate(renderable.chops, renderable.spans, renderable.chop_ends)
        super()._display(screen, renderable)  # type: ignore[arg-type]

    def _fatal_error(self) -> None:
        """Prints where it happened, and never what the variables held."""
        lines = [clean(line) for line in traceback.format_exc().splitlines()]
        self._exit_renderables.append(Segments(Segment(line + "\n") for line in lines))
        self._close_messages_no_wait()


def run_app(port: Port, ui: UiSettings) -> int:
    """Runs the screen until the operator leaves or the terminal does; the exit code says which."""
    app = PerpdeskApp(port, ui)
    try:
        app.run(mouse=ui.mouse)
    except BaseException:
        terminal.restore()
        raise
    finally:
        if app.return_code == terminal.EXIT_HANGUP:
            # The engine is still to be stopped in order; a second hang-up must not cut that short.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return app.return_code or 0
