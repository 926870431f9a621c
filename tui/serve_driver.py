"""Textual's web driver, made so that a browser which stalls or goes away holds nobody up.

It speaks packets over stdin and stdout to the process that serves the tab, and is used when `attach` is told so.
"""

from typing import TYPE_CHECKING

from textual.drivers.web_driver import WebDriver

from tui.driver import Patient
from tui.terminal import hung_up

if TYPE_CHECKING:
    from textual.app import App


class BrowserDriver(Patient, WebDriver):
    """Never blocks on output, and leaves when nobody serves the tab any more."""

    def __init__(
        self,
        app: "App[object]",
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._mouse = mouse
        self._write = self.send  # type: ignore[assignment]  # whole packets, as everything else that is queued

    @property
    def gone(self) -> bool:
        """The tab was closed, or whoever serves it has ended."""
        return self._let_go or hung_up(self.fileno)

    def start_application_mode(self) -> None:
        """As the web driver does, which asks for the mouse whether it is wanted or not."""
        super().start_application_mode()
        if not self._mouse:
            self._disable_mouse_support()

    def run_input_thread(self) -> None:
        """Reads packets until there are no more."""
        super().run_input_thread()
        self._let_go = True
