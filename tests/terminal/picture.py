"""Draws the README's picture: the real demo, thirteen seconds old. `python -m tests.terminal.picture FILE`."""

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from engine import logs
from engine.config import Settings
from engine.demo.stage import Demo
from engine.engine import Options
from engine.runtime import Runtime
from tui.app import PerpdeskApp
from tui.settings import UiSettings

SIZE = (150, 42)
SECONDS = 13.0


async def picture(runtime: Runtime) -> str:
    """The screen as SVG, without the remote fonts that the exporter links to."""
    app = PerpdeskApp(runtime, UiSettings())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(SECONDS)
        drawn = app.export_screenshot(title="perpdesk demo")
    return re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)


def main(file: Path) -> None:
    """Runs a demo of its own in a temporary directory."""
    with tempfile.TemporaryDirectory() as directory:
        logs.setup(Path(directory) / "log")
        runtime = Runtime(Options(Settings(), Path(directory), Demo(seed=11)))
        runtime.start()
        try:
            file.write_text(asyncio.run(picture(runtime)), encoding="utf-8")
        finally:
            runtime.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
