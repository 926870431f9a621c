"""`python -m tests.proof.faulty FAULT ... -- ARGUMENTS`: the real program with faults in it, whose frames hold secrets.

A fault is `snapshots` (the next is made after a few facts), `loops` (every worker's first pass raises), `thread`,
`task`, `callback`, `finaliser` (each raises where nobody catches it), `engine` (a task of the engine ends it), `disk`
(it may stop to answer; `index-disk`, for the index alone; `start-disk`, before it is ready), `patient` (a stop may take
a minute, also with one of those before it), `screen` (the screen crashes), `stuck-beginning`, `stuck-frames` and
`stuck-leaving` (it may wait for a pipe, before it stands, in a frame or while it is left), `screenshots` (it is drawn
into files), `main` (the verb does), or one of the leaks that a search must find: `says`, `shows`, `hands-on`.
"""

import asyncio
import gc
import itertools
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Never

import structlog

WORDS = "a fault"


def held() -> None:
    """Raises from a frame that has every secret of the environment in its variables, as text and in an object."""
    keys = {name: value for name, value in os.environ.items() if name.startswith(("PERPDESK", "VENICE", "BASE"))}
    first, rest = next(iter(keys.values()), ""), list(keys.values())
    if keys or first or rest:
        raise RuntimeError(WORDS)


def _put(where: object, name: str, what: object) -> None:
    """Something else in the place of what is there."""
    assert hasattr(where, name)
    setattr(where, name, what)


def snapshots() -> None:
    from engine import assembly
    from engine.stills import maker as still_maker
    from engine.worker import Cadence

    still_maker.ENOUGH = 200
    assembly.SNAPSHOTS = Cadence(1.0, 1.0)


def loops() -> None:
    from engine import worker

    begin = worker.Worker.__init__

    def faulty(
        self: worker.Worker, name: str, cadence: Any, work: Callable[[], Awaitable[str]], *rest: Any, **named: Any
    ) -> None:
        left = 1

        async def once_more() -> str:
            nonlocal left
            if left:
                left -= 1
                held()
            return await work()

        begin(self, name, cadence, once_more, *rest, **named)

    worker.Worker.__init__ = faulty  # type: ignore[method-assign]


def _in_the_engine(do: Callable[[], None]) -> None:
    """Does something on the engine's loop, soon after it began."""
    from engine.pulse import Pulse

    run = Pulse.run

    async def faulty(self: Pulse) -> Never:
        asyncio.get_running_loop().call_later(0.5, do)
        await run(self)

    Pulse.run = faulty  # type: ignore[method-assign]


def thread() -> None:
    _in_the_engine(lambda: threading.Thread(target=held, name="faulty").start())


def task() -> None:
    async def fails() -> None:
        held()

    def begin() -> None:
        made = asyncio.get_running_loop().create_task(fails())
        made.add_done_callback(lambda _: None)
        asyncio.get_running_loop().call_later(0.2, gc.collect)

    _in_the_engine(begin)


def callback() -> None:
    _in_the_engine(held)


def finaliser() -> None:
    class Faulty:
        def __del__(self) -> None:
            held()

    def drop() -> None:
        Faulty()
        gc.collect()

    _in_the_engine(drop)


def engine() -> None:
    from engine.engine import Engine

    async def faulty(_: Engine) -> None:
        await asyncio.sleep(0.5)
        held()

    _put(Engine, "_run_later", faulty)


def screen() -> None:
    from tui import opening, run_verbs

    paint = opening.paint

    def faulty(*arguments: Any, **named: Any) -> int:
        from tui.app import PerpdeskApp  # not before the terminal is prepared

        mounted = PerpdeskApp.on_mount

        def on_mount(self: PerpdeskApp) -> None:
            mounted(self)
            self.set_timer(1.0, held)

        PerpdeskApp.on_mount = on_mount  # type: ignore[method-assign]
        return paint(*arguments, **named)

    _put(run_verbs, "paint", faulty)


def screenshots() -> None:
    """What is on the screen as pictures, many a second, in `shots` beside the configuration."""
    from tui import opening, run_verbs

    paint, folder = opening.paint, Path(os.environ["XDG_CONFIG_HOME"]) / "shots"
    folder.mkdir()
    number = itertools.count()

    def pictured(*arguments: Any, **named: Any) -> int:
        from tui.app import PerpdeskApp  # not before the terminal is prepared

        mounted = PerpdeskApp.on_mount

        def on_mount(self: PerpdeskApp) -> None:
            mounted(self)
            self.set_interval(0.15, lambda: self.save_screenshot(f"{next(number)}.svg", str(folder)))

        PerpdeskApp.on_mount = on_mount  # type: ignore[method-assign]
        return paint(*arguments, **named)

    _put(run_verbs, "paint", pictured)


def _stuck(where: str) -> None:
    from tests.proof import plants
    from tui import opening, run_verbs

    paint = opening.paint

    def stuck(*arguments: Any, **named: Any) -> int:
        plants.gets_stuck(where)
        return paint(*arguments, **named)

    _put(run_verbs, "paint", stuck)


def stuck_beginning() -> None:
    _stuck("tui.app.PerpdeskApp.get_default_screen")


def stuck_frames() -> None:
    _stuck("tui.memory.Memory.beat")


def stuck_leaving() -> None:
    _stuck("tui.memory.Memory.close")


def main() -> None:
    from tui import run_verbs

    _put(run_verbs, "Options", lambda *_: held())


def says() -> None:
    from engine.engine import Engine

    run = Engine.run

    async def faulty(self: Engine, *rest: Any) -> None:
        key = self._options.settings.venice_api_key
        structlog.get_logger().info("settings", key=key.get_secret_value() if key else "")
        await run(self, *rest)

    _put(Engine, "run", faulty)


def shows() -> None:
    def hook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        while trace is not None:
            sys.stderr.write(f"{trace.tb_frame.f_locals}\n")
            trace = trace.tb_next

    threading.excepthook = lambda given: hook(given.exc_type, given.exc_value or Exception(), given.exc_traceback)
    thread()


def hands_on() -> None:
    from engine.stills import maker as still_maker

    still_maker.environment = lambda environ: dict(environ)
    snapshots()


def disk() -> None:
    from tests.proof import plants

    plants.hangs()


def start_disk() -> None:
    from tests.proof import plants

    plants.hangs_at_the_start()


def patient() -> None:
    from engine import stopping

    stopping.STOP_S = 60.0


def index_disk() -> None:
    from tests.proof import plants

    plants.hangs_in_the_index()


FAULTS: dict[str, Callable[[], None]] = {
    each.__name__.replace("_", "-"): each
    for each in (
        snapshots,
        loops,
        thread,
        task,
        callback,
        finaliser,
        engine,
        disk,
        start_disk,
        index_disk,
        patient,
        screen,
        stuck_beginning,
        stuck_frames,
        stuck_leaving,
        screenshots,
        main,
        says,
        shows,
        hands_on,
    )
}


if __name__ == "__main__":
    from tui import cli

    between = sys.argv.index("--")
    for asked in sys.argv[1:between]:
        FAULTS[asked]()
    sys.argv = ["perpdesk", *sys.argv[between + 1 :]]
    cli.main()
