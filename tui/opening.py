"""How a command comes by a screen: its options, whether there can be one, and opening it with what it remembers."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import platformdirs

from engine.config import Settings, load
from engine.port import Port
from tui import lazy, terminal
from tui.ui_table import UiTable, ui_table

if TYPE_CHECKING:
    from tui.ending import Ending
    from tui.settings import UiSettings
    from tui.tape import Tape


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command line says about the configuration and the screen."""

    config: Path | None
    theme: str | None
    fps: int | None
    low_bandwidth: bool

    def load(self) -> tuple[Settings, UiTable]:
        """The configuration, and what becomes of its `[ui]` table. Raises ConfigError."""
        settings = load(self.config)
        return settings, ui_table(settings, self.theme, self.fps, self.low_bandwidth, self.config)


def with_screen(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options of a screen; the command is given them as `asked`."""

    @wraps(command)
    def called(
        *,
        config: Path | None,
        theme: str | None,
        fps: int | None,
        low_bandwidth: bool,
        **others: Any,  # noqa: ANN401
    ) -> None:
        command(asked=Asked(config, theme, fps, low_bandwidth), **others)

    for option in (
        click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="Configuration file (TOML)."),
        click.option("--theme", help="night, day, high-contrast, ansi, mono or one of your own."),
        click.option("--fps", type=click.IntRange(1, 30), help="Frames a second; 4, or 2 over SSH."),
        click.option(
            "--low-bandwidth",
            is_flag=True,
            help="One frame a second in the terminal's own 16 colours, without the mouse.",
        ),
    ):
        called = option(called)
    return called


def needs_terminal(instead: str = "") -> None:
    """Raises UsageError where no screen can be shown, with what to do `instead` of what is said of --headless."""
    refusal = terminal.why_not(sys.stdin, sys.stdout, os.environ)
    if refusal:
        raise click.UsageError(f"{refusal.partition(';')[0]}; {instead}" if instead else refusal)


def settled(ui: UiTable, environ: Mapping[str, str] = os.environ) -> "UiSettings":
    """What becomes of the table at this terminal; from here on the terminal library may be loaded."""
    settings = ui.for_terminal(environ)
    lazy.allow()
    terminal.prepare(os.environ)
    return settings


def load_screen() -> None:
    """Loads what paints, which takes as long as an engine takes to be ready."""
    import_module("tui.app")


def paint(
    port: Port,
    settings: "UiSettings",
    *,
    browser: tuple[int, int] | None = None,
    tape: "Tape | None" = None,
    ending: "Ending | None" = None,
) -> int:
    """The screen, until the operator leaves it; its exit code. A browser's tab remembers nothing, and what is asked
    of the past is not remembered for the next live run. Without an `ending` the process is to end with the screen."""
    from tui.app import run_app
    from tui.memory import Memory

    path = None if browser else platformdirs.user_state_path("perpdesk") / "screen.json"
    return run_app(port, settings, browser, Memory(path, settings.profile, writes=tape is None), tape, ending)
