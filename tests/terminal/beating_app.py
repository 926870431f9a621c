"""The real demo below the real screen, with a pulse in the engine's own loop: `beating_app STATE FILE`.

Every fifth of a second a line is added to FILE: when it was (monotonic seconds), beats so far, and the longest gap
between two of them since the last line, in milliseconds.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from tui import terminal

terminal.prepare(os.environ)

from engine import logs  # noqa: E402
from engine.config import Settings  # noqa: E402
from engine.demo.stage import Demo  # noqa: E402
from engine.engine import Options  # noqa: E402
from engine.runtime import Runtime  # noqa: E402
from engine.stopping import Stopping  # noqa: E402
from tui import hangup  # noqa: E402
from tui.app import run_app  # noqa: E402
from tui.ending import Ending  # noqa: E402
from tui.settings import UiSettings  # noqa: E402

BEAT_S, LINE_S = 0.01, 0.2


async def pulse(file: Path) -> None:
    """Beats until the loop ends."""
    beats, longest, last, written = 0, 0.0, time.monotonic(), time.monotonic()
    with file.open("a", encoding="utf-8", buffering=1) as lines:
        while True:
            await asyncio.sleep(BEAT_S)
            now = time.monotonic()
            beats, longest, last = beats + 1, max(longest, now - last - BEAT_S), now
            if now - written >= LINE_S:
                lines.write(f"{now:.3f} {beats} {longest * 1000:.1f}\n")
                longest, written = 0.0, now


def main(state: Path, file: Path) -> int:
    """Goes on without the terminal when that is gone."""
    state.mkdir(mode=0o700, exist_ok=True)
    logs.setup(state / "log")
    runtime = Runtime(Options(Settings(), state, Demo(seed=3)))
    runtime.start()
    assert runtime._loop is not None
    asyncio.run_coroutine_threadsafe(pulse(file), runtime._loop)
    stopping = Stopping(runtime.why_not_stopped)
    try:
        code = run_app(runtime, UiSettings.for_terminal(os.environ), ending=Ending(stopping, outlived=True))
        return hangup.after_hangup(runtime, "detach", stopping) if code == terminal.EXIT_HANGUP else code
    finally:
        runtime.stop()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
