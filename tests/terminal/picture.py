"""Draws the pictures of the docs from a real demo: `python -m tests.terminal.picture docs`.

`docs/overview.svg` is the README's; `docs/screens/` holds every other screen.
"""

import asyncio
import re
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from textual.pilot import Pilot

from engine import logs
from engine.config import Settings
from engine.demo.stage import Demo
from engine.engine import Options
from engine.rewind import Rewind
from engine.runtime import Runtime
from tui.app import PerpdeskApp
from tui.settings import UiSettings
from tui.tape import Player

SIZE = (140, 40)
SECONDS = 13.0
SETTLES = 0.6
"""For a worker to have read the past of a market."""
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
UI = UiSettings(close_seconds=30)


@dataclass(frozen=True)
class Shot:
    """One picture: the keys that lead there from the overview."""

    name: str
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = SIZE
    theme: str = "night"


SHOTS = (
    Shot("desk", ("j", "enter")),
    Shot("market", ("2", "enter")),
    Shot("position", ("4", "enter")),
    Shot("requests", ("5",)),
    Shot("request", ("5", "enter")),
    Shot("pools", ("6", "z")),
    Shot("pool", ("6", "enter")),
    Shot("new-request", ("5", "n", "enter")),
    Shot("log", ("7",)),
    Shot("funds", ("8",)),
    Shot("keepers", ("0",)),
    Shot("filter", ("slash", *"side:long lev>10")),
    Shot("columns", ("f",)),
    Shot("palette", ("colon", *"ha")),
    Shot("help", ("question_mark",)),
    Shot("alarms", ("a",)),
    Shot("close", ("j", "c")),
    Shot("close-all", ("C",)),
    Shot("small", (), (80, 24)),
    Shot("wide", (), (250, 70)),
    Shot("day", (), SIZE, "day"),
    Shot("high-contrast", (), SIZE, "high-contrast"),
    Shot("ansi", (), SIZE, "ansi"),
    Shot("mono", (), SIZE, "mono"),
)


async def drawn(app: PerpdeskApp, pilot: Pilot[int], shot: Shot) -> str:
    """The screen as SVG, without the remote fonts that the exporter links to."""
    for key in shot.keys:
        await pilot.press(key)
    await pilot.pause(SETTLES)
    app.tick()
    await pilot.pause()
    return _FONTS.sub("", app.export_screenshot(title="perpdesk demo"))


async def picture(runtime: Runtime, shot: Shot, wait: float = 0.0) -> str:
    """One picture of a running engine."""
    ui = replace(UI, theme=shot.theme, colour=shot.theme != "mono")
    app = PerpdeskApp(runtime, ui)
    async with app.run_test(size=shot.size) as pilot:
        await pilot.pause(wait)
        return await drawn(app, pilot, shot)


async def past(state: Path) -> str:
    """The same journal, looked back at."""
    reel = Rewind(state, Settings(), lambda read, newest: None)
    app = PerpdeskApp(reel, UI, tape=Player(reel))
    async with app.run_test(size=SIZE) as pilot:
        return await drawn(app, pilot, Shot("replay", ("left",) * 40))


def main(docs: Path) -> None:
    """Runs a demo of its own in a temporary directory."""
    (docs / "screens").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        logs.setup(Path(directory) / "log")
        runtime = Runtime(Options(Settings(), Path(directory), Demo(seed=11)))
        runtime.start()
        try:
            overview = asyncio.run(picture(runtime, Shot("overview", size=(150, 42)), SECONDS))
            (docs / "overview.svg").write_text(overview, encoding="utf-8")
            for shot in SHOTS:
                text = asyncio.run(picture(runtime, shot))
                (docs / "screens" / f"{shot.name}.svg").write_text(text, encoding="utf-8")
        finally:
            runtime.stop()
        (docs / "screens" / "replay.svg").write_text(asyncio.run(past(Path(directory))), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
