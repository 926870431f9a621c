"""The terminal program: a theme, a keymap, screens and one frame timer over a Port."""

import signal
import sys
import time
import traceback
from collections.abc import Callable

from rich.console import RenderableType
from rich.segment import Segment, Segments
from textual import events
from textual._compositor import ChopsUpdate
from textual.app import App
from textual.driver import Driver
from textual.screen import Screen

from engine.port import EVERYTHING, Port
from themes import ThemeError
from tui import terminal
from tui.arm_dialog import ArmDialog
from tui.bells import Bells
from tui.board import Board
from tui.deck import Deck
from tui.destinations import destinations
from tui.dialogs import Panel
from tui.driver import Patient, TerminalDriver
from tui.ending import Ending, alone
from tui.exchange import Exchange
from tui.format import clean
from tui.funds import Funds
from tui.keepers_board import Keepers
from tui.log_screen import AgentLog
from tui.memory import Memory
from tui.overview import Overview
from tui.session import Session
from tui.settings import UiSettings
from tui.tape import Tape
from tui.theme_watch import ThemeWatch, Wardrobe
from tui.tones import Tone
from tui.typed_dialog import TypedDialog
from tui.wire import DropColours, TightUpdate

_LATER: tuple[type[Board], ...] = (Exchange, AgentLog, Funds, Keepers)
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

    def __init__(
        self,
        port: Port,
        ui: UiSettings,
        clock_ms: Callable[[], int] = wall_clock_ms,
        driver: type[Driver] = TerminalDriver,
        memory: Memory | None = None,
        tape: Tape | None = None,
        ending: Ending | None = None,
    ) -> None:
        super().__init__(driver_class=driver)
        self._ui = ui
        self._wardrobe = Wardrobe(self, ThemeWatch(ui.themes), ui.theme, ui.colour)
        self._bells = Bells(self._ring, bell=ui.bell, desktop=ui.desktop, tmux=ui.tmux)
        self.set_keymap(dict(ui.keymap.chosen))
        if not ui.colour:
            self._filters = [DropColours()]
        self.session = Session(self, port, ui, self._wardrobe.palette, clock_ms)
        self.session.changed = self._draw_bars
        if memory is not None:
            self.session.memory = memory
        self.session.tape = tape
        self.session.show_pane = self._show_pane
        self.session.destinations = lambda: destinations(self, self.theme_names)
        self._ending = ending

    def get_default_screen(self) -> Screen[None]:
        """The overview."""
        return Overview(self.session)

    def on_load(self) -> None:
        """Before the terminal is touched: whoever ends the program from here on gives it back."""
        if self._ending is not None:
            self._ending.watch(self._leave, self._hang_up, self._abandon)

    def on_mount(self) -> None:
        """Starts the frame clock, and asks what has to be asked first."""
        status = self.session.frame.snapshot.status
        if not (status.armed or status.observing) and self.session.info.role == "operator":
            self.push_screen(ArmDialog(self.session))
        self.set_interval(1 / self._ui.fps, self.tick)
        if not self.is_headless:
            self._wardrobe.watch.start()

    async def on_key(self, event: events.Key) -> None:
        """A key that was typed for a panel before the panel was there, and went to the screen behind it."""
        if isinstance(self.screen, TypedDialog) and self.screen.ahead and event.is_printable:
            event.stop()
            event.prevent_default()
            self.screen.post_message(events.Key(event.key, event.character))

    def tick(self) -> None:
        """One beat of the frame clock: draws what changed, unless the terminal cannot take it."""
        if not self._takes_output() or not self.screen_stack:
            return  # the last beat of an app that is closing
        if told := self.session.memory.beat():
            self.session.say(told, Tone.WARN)
        if self.session.tape is not None:
            self.session.tape.beat()
        self.session.port.want(self.screen.fields() if isinstance(self.screen, Board) else EVERYTHING)
        if told := self._wardrobe.reread():
            self.session.say(told, Tone.WARN)
        fresh = self.session.frame.pull()
        if self.session.tape is None:  # nobody is called to what is past
            self._bells.look(self.session.frame.snapshot.status.alarms, time.monotonic())
        if isinstance(self.screen, Deck | Panel):
            self.screen.draw_frame(fresh)
        if isinstance(self.screen, Panel):
            # Rows stand still behind a question, so that nobody is distracted from it; alarms do not wait.
            behind = next((screen for screen in reversed(self.screen_stack) if isinstance(screen, Deck)), None)
            if behind is not None:
                behind.draw_status()

    def _takes_output(self) -> bool:
        """Whether the terminal is there and has taken what it was sent; leaves when it is gone."""
        driver = self._driver
        if not isinstance(driver, Patient):
            return True
        if driver.gone:
            self._hang_up()
            return False
        if driver.congested:
            return False
        if driver.incomplete:
            driver.incomplete = False
            self.screen.refresh()
        return True

    @property
    def theme_names(self) -> tuple[str, ...]:
        """Themes that can be worn now, those of the operator among them."""
        return self._wardrobe.names

    def use_theme(self, name: str) -> None:
        """Changes into another theme, or says why not."""
        try:
            self._wardrobe.wear(name)
        except ThemeError as error:
            self.session.say(str(error), Tone.WARN)
        else:
            self.session.say(f"theme {name}")

    def _ring(self, sent: str) -> None:
        if self._driver is not None:
            self._driver.write(sent)

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
        driver = self._driver
        if isinstance(driver, Patient) and (driver.gone or driver.congested):  # one that listens is given back whole
            driver.let_go()
        self._leave(terminal.EXIT_HANGUP)

    def _abandon(self) -> None:
        if isinstance(self._driver, TerminalDriver):
            self._driver.abandon()

    def _leave(self, code: int) -> None:
        self.call_later(self.exit, return_code=code)  # not before the first screen stands: half of one cannot be drawn

    def exit(self, result: int | None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """As Textual does; from here on it may take only so long."""
        if self._ending is not None:
            self._ending.begun(return_code)
        super().exit(result, return_code, message)

    def _display(self, screen: Screen[object], renderable: object) -> None:
        if isinstance(renderable, ChopsUpdate):
            renderable = TightUpdate(renderable.chops, renderable.spans, renderable.chop_ends)
        super()._display(screen, renderable)  # type: ignore[arg-type]

    def _fatal_error(self) -> None:
        """Prints where it happened, and never what the variables held."""
        lines = [clean(line) for line in traceback.format_exc().splitlines()]
        self._exit_renderables.append(Segments(Segment(line + "\n") for line in lines))
        self._close_messages_no_wait()


def run_app(
    port: Port,
    ui: UiSettings,
    browser: tuple[int, int] | None = None,
    memory: Memory | None = None,
    tape: Tape | None = None,
    ending: Ending | None = None,
) -> int:
    """Runs the screen until the operator leaves or the terminal does; the exit code says which.

    `browser`: columns and rows of the tab that is painted instead of a terminal. `memory`: what the screen looked like
    before; without it nothing is written. `tape`: what plays the past that the port shows. `ending`: that of the whole
    process, where more is to be stopped than the screen.
    """
    driver: type[Driver] = TerminalDriver
    if browser is not None:
        from tui.serve_driver import BrowserDriver

        driver = BrowserDriver
    ending = ending or alone()
    app = PerpdeskApp(port, ui, driver=driver, memory=memory, tape=tape, ending=ending)
    try:
        app.run(mouse=ui.mouse, size=browser)
    except BaseException:
        terminal.restore()
        raise
    finally:
        ending.over()
        ending.begun(app.return_code or 0)
        told = app.session.memory.close()
        if told and app.return_code != terminal.EXIT_HANGUP:
            sys.stderr.write(told + "\n")
        if app.return_code == terminal.EXIT_HANGUP:
            # The engine is still to be stopped in order; a second hang-up must not cut that short.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return app.return_code or 0
