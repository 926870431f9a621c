"""`perpdesk demo` and `perpdesk run`: an engine in this process, with a screen or without."""

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import structlog

from engine import daemon, logs
from engine.config import ConfigError, load
from engine.demo.stage import Demo
from engine.engine import Options
from store.errors import StoreError
from store.files import make_folder
from tui import early, verbs
from tui.counter import Counter
from tui.live import shared
from tui.opening import Asked, load_screen, needs_terminal, paint, settled, with_screen
from tui.ui_table import UiTable

if TYPE_CHECKING:
    from engine.live.places import Live
    from tui.hangup import OnHangup


class Duration(click.ParamType[float]):
    """`20s`, `5m` or `1h`; a bare number is seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)([smh]?)", str(value), re.ASCII)
        if not found:
            self.fail(f"{value!r} is not a duration; expected a number with s, m or h, like 20s", param, ctx)
        return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


def _shared(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        with_screen,
        click.option("--state", type=click.Path(path_type=Path, file_okay=False), help="Directory of the journal."),
        click.option("--headless", is_flag=True, help="No screen: log lines on stderr, one JSON object at the end."),
        click.option("--for", "seconds", type=Duration(), help="Stop after this long (headless)."),
        click.option(
            "--on-hangup",
            type=click.Choice(["detach", "halt", "exit"]),
            help="When the terminal is gone: go on without it (run), halt all and go on, or stop in order (demo).",
        ),
    ):
        command = option(command)
    return command


@click.command()
@_shared
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="What is invented.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the price simulator; 0 is any.")
def demo(seed: int, port: int, **shared: Any) -> None:  # noqa: ANN401
    """Everything simulated, at 60 times real cadence: prices, fees and other traders.

    The journal lives in a temporary directory unless --state names one.
    """
    _start(Demo(seed=seed, port=port), **shared)


@click.command()
@_shared
@click.option("--live", is_flag=True, help='Real money: with venue = "avantis", and an open keystore.')
@click.option("--armed", is_flag=True, help="With --live: desks may open without anybody confirming it first.")
@click.option("--observe", is_flag=True, help="With --live: only look; no key is opened, nothing is written down.")
@shared.password_options
def run(
    live: bool,
    armed: bool,
    observe: bool,
    password_file: Path | None,
    password_fd: int | None,
    **where: Any,  # noqa: ANN401
) -> None:
    """Live Pyth prices, paper positions on the embedded exchange; --live trades on Avantis for real.

    With real money, nothing is opened, claimed or bought until an operator of this session confirms it.
    """
    if (armed or observe) and not live:
        raise click.UsageError("--armed and --observe need --live")
    if armed and observe:
        raise click.UsageError("--armed and --observe exclude each other")
    if live and where["headless"] and not (armed or observe):
        raise click.UsageError("--headless --live needs --armed or --observe: nobody is there to confirm orders")
    settings = load(where["asked"].config)
    if live != (settings.venue == "avantis"):
        wanted = 'venue = "avantis" in the configuration, and --live' if live else "--live, because venue is avantis"
        raise ConfigError(f"venue: {settings.venue!r}: real money needs both; expected {wanted}")
    if not live:
        _start(None, **where)
        return
    where["state"] = shared.live_state(where["state"])
    if observe:
        _start(None, live=shared.watched(settings, where["state"]), **where)
    else:
        unlocked = shared.unlocked(settings, where["state"], password_file, password_fd, armed=armed)
        _start(None, live=unlocked, **where)


def _start(
    staged: Demo | None,
    *,
    live: "Live | None" = None,
    asked: Asked,
    state: Path | None,
    headless: bool,
    seconds: float | None,
    on_hangup: "OnHangup | None",
) -> None:
    if seconds is not None and not headless:
        raise click.UsageError("--for needs --headless")
    if not headless:
        needs_terminal()
    settings, ui = asked.load()
    with _directory(staged, state) as directory:
        options = Options(settings, directory, staged, live)
        if headless:
            try:
                summary = daemon.run(options, seconds)
            except daemon.Signalled as signalled:
                sys.exit(signalled.status)
            click.echo(json.dumps(summary.as_dict()))
        else:
            _show(options, ui, on_hangup or ("exit" if staged else "detach"))


@contextmanager
def _directory(staged: Demo | None, state: Path | None) -> Iterator[Path]:
    if state is not None or staged is None:
        yield state or verbs.default_state()
        return
    directory = Path(tempfile.mkdtemp(prefix="perpdesk-demo-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _show(options: Options, ui: UiTable, on_hangup: "OnHangup") -> None:
    from engine.runtime import Runtime
    from engine.stopping import Stopping
    from tui import hangup, terminal
    from tui.ending import Ending

    try:
        make_folder(options.directory, 0o700)
        logs.setup(options.directory / "perpdesk.log")
    except OSError as error:
        raise StoreError("STATE_UNUSABLE", f"state directory {options.directory}: {error.strerror}") from error
    settings = settled(ui)
    counter = Counter(sys.stderr, "recovering the journal")
    runtime = Runtime(replace(options, progress=counter.progress))
    stopping = Stopping(runtime.why_not_stopped)
    try:
        try:
            early.guard()  # two threads load modules: an exception in the middle of that would leave them waiting
            runtime.start(meanwhile=load_screen)
        finally:
            early.begun()
            counter.end()
        code = paint(runtime, settings, ending=Ending(stopping, outlived=on_hangup != "exit"))
        if code == terminal.EXIT_HANGUP:
            code = hangup.after_hangup(runtime, on_hangup, stopping)
    finally:  # the terminal is as it was
        stopping.thread = runtime.thread or stopping.thread
        stopping.by_signals()
        stopping.begin()
        structlog.get_logger().info("no screen any more, the engine stops")
        runtime.stop()
    if runtime.failure is not None:
        raise runtime.failure
    sys.exit(code)
