"""`perpdesk attach`: the screen on an engine that runs already."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from tui.browser_option import browser
from tui.opening import Asked, needs_terminal, paint, settled, with_screen
from tui.verbs import reached, state


@click.command()
@click.option("--observe", is_flag=True, help="Only look: the engine takes no command from here.")
@state
@with_screen
@browser
def attach(asked: Asked, observe: bool, state: Path | None, browser: tuple[int, int] | None) -> None:
    """The screen on an engine that runs already, here or in another session; q lets go, and the engine runs on.

    Sixteen may be attached at once, with those who follow the events; one more is refused (79). Every command is
    journaled with the user who gave it.
    """
    if browser is None:
        needs_terminal()
    from engine.attached import Attached

    _, ui = asked.load()
    settings = replace(settled(ui), browser=browser is not None)
    engine = Attached(reached(state), observe=observe, every_s=1 / settings.fps)
    engine.start()
    try:
        code = paint(engine, settings, browser=browser)
    finally:
        engine.stop()
    sys.exit(code)
