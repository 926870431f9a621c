"""Themes while the screen runs: which there are, which is worn, and what becomes of a file that is changed.

Files are looked at on a thread of its own, because a folder may be on a network that does not answer.
"""

import threading
from pathlib import Path

from textual.app import App

from themes import Shelf, Theme, ThemeError, shelf, theme_files
from tui.lines import Lines
from tui.tones import Palette, textual_theme
from tui.wire import DropDefaults

LOOK_S = 2.0
Stamp = tuple[tuple[str, int, int], ...]


class ThemeWatch:
    """The themes of a folder, read again when a file of it has changed."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._stamp = self._stamped()
        self.shelf = shelf(directory)
        """As the screen knows them."""
        self._found = self.shelf if self.shelf.problems else None  # told once there is a screen to tell it on
        self._why = ""
        """The failure that has been told, until it is over."""
        self._stop = threading.Event()

    def start(self) -> None:
        """Begins to look, where there is a folder to be looked at."""
        if self._directory is not None:
            threading.Thread(target=self._run, name="themes", daemon=True).start()

    def stop(self) -> None:
        """Looks no more."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                self.look()
                self._why = ""
            except Exception as error:
                # Whatever a folder is made to say: it is looked at again, and the operator knows that it failed.
                self._failed(error)

    def _failed(self, error: Exception) -> None:
        why = f"themes: cannot be read again: {type(error).__name__}"
        if why != self._why:
            self._why = why
            self._found = Shelf(self.shelf.themes, {"": why})

    def look(self) -> None:
        """Reads the folder if anything in it has changed. Blocks."""
        stamp = self._stamped()
        if stamp != self._stamp:
            self._stamp = stamp
            self._found = shelf(self._directory)

    def _stamped(self) -> Stamp:
        stamps: list[tuple[str, int, int]] = []
        for path in theme_files(self._directory):
            try:
                found = path.stat()
            except OSError:
                stamps.append((path.name, 0, 0))  # gone, or not ours to see: reading it says which
            else:
                stamps.append((path.name, found.st_mtime_ns, found.st_size))
        return tuple(stamps)

    def take(self) -> Shelf | None:
        """The themes as they are now, once after each change; asks no disk."""
        found, self._found = self._found, None
        if found is not None:
            self.shelf = found
        return found


class Wardrobe:
    """What the screen wears. Raises ThemeError where a theme is named that cannot be worn."""

    def __init__(self, app: App[int], watch: ThemeWatch, name: str, colour: bool) -> None:
        self._app = app
        self._colour = colour
        self._number = 0
        self.watch = watch
        self.theme = watch.shelf.theme(name)
        self.palette = Palette(self.theme)
        self._tell_textual()

    @property
    def names(self) -> tuple[str, ...]:
        """Of all that can be worn now."""
        return tuple(self.watch.shelf.themes) if self._colour else (self.theme.name,)

    def wear(self, name: str) -> None:
        """Changes into another theme, and repaints every screen."""
        theme = self.watch.shelf.theme(name)
        if not self._colour and name != self.theme.name:
            raise ThemeError("NO_COLOR is set: the screen stays without colour")
        self._change(theme)

    def _change(self, theme: Theme) -> None:
        self.theme = theme
        self.palette.wear(theme)
        self._tell_textual()
        for screen in {*self._app.screen_stack, *self._app._installed_screens.values()}:
            if not callable(screen):
                for widget in screen.query(Lines):
                    widget.refresh()

    def _tell_textual(self) -> None:
        # A theme of a name that Textual knows already would change nothing.
        old, self._number = self._app.theme, self._number + 1
        name = f"perpdesk-{self._number}"
        self._app.register_theme(textual_theme(self.theme, name))
        self._app.theme = name
        if self._number > 1:
            self._app.unregister_theme(old)
        filters = [each for each in self._app._filters if not isinstance(each, DropDefaults)]
        self._app._filters = [*filters, DropDefaults()] if self.theme.ansi and self._colour else filters

    def reread(self) -> str:
        """Takes what was changed on disk; what the operator should be told, or nothing. All problems in one line."""
        found = self.watch.take()
        if found is None:
            return ""
        if found.problems:
            told = "; ".join(found.problems.values())
        elif self.theme.name not in found.themes:
            told = f"theme {self.theme.name} is gone: it is worn until another is chosen"
        else:
            told = ""
        now = found.themes.get(self.theme.name)
        if now is not None and now != self.theme:
            self._change(now)
            return told or f"theme {now.name}: changed"
        return told
