"""The `perpdesk` command. Data to stdout, words to stderr; no terminal library is loaded until one is painted."""

import asyncio
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui import lazy

lazy.forbid()

import click

from engine import daemon, logs
from engine.agent.recording import RecordingError
from engine.config import ConfigError, load
from engine.demo.stage import Demo, PortTaken
from engine.engine import Options
from engine.remote import BadAnswer, NoAnswer, NoEngine, NotYours
from engine.settlement import StoreFailed
from store.errors import Damaged, Locked, StoreError, WrongState
from tui import acts, alert_verbs, attach, config_verbs, looks, replay_verbs, serve, signals, verbs
from tui.counter import Counter
from tui.exits import Exit
from tui.live import doctor, shared, venue, wallet
from tui.opening import Asked, needs_terminal, paint, settled, with_screen
from tui.ui_table import UiTable
from venue.chain.passwords import KeystoreError
from venue.exchange.scenario import ScenarioError

if TYPE_CHECKING:
    from engine.live.places import Live
    from tui.hangup import OnHangup

_EXITS: tuple[tuple[type[Exception], Exit], ...] = (
    (ConfigError, Exit.CONFIG),
    (ScenarioError, Exit.DATA),
    (RecordingError, Exit.DATA),
    (Locked, Exit.LOCKED),
    (Damaged, Exit.DAMAGED),
    (WrongState, Exit.CONFIG),
    (StoreFailed, Exit.STORE),
    (StoreError, Exit.STORE),
    (PortTaken, Exit.UNAVAILABLE),
    (NoEngine, Exit.UNAVAILABLE),
    (NoAnswer, Exit.UNANSWERED),
    (BadAnswer, Exit.UNANSWERED),
    (NotYours, Exit.NOT_YOURS),
    (verbs.Refused, Exit.REFUSED),
    (KeystoreError, Exit.NO_KEY),
    (shared.OutOfReach, Exit.UNAVAILABLE),
    (shared.NotKnown, Exit.UNANSWERED),
)


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


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("perpdesk"), prog_name="perpdesk")
def cli() -> None:
    """Run perpetual-futures desks, and watch them in a terminal."""


@cli.command()
@_shared
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="What is invented.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the price simulator; 0 is any.")
def demo(seed: int, port: int, **shared: Any) -> None:  # noqa: ANN401
    """Everything simulated, at 60 times real cadence: prices, fees and other traders.

    The journal lives in a temporary directory unless --state names one.
    """
    _start(Demo(seed=seed, port=port), **shared)


@cli.command()
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


@cli.command()
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--table", is_flag=True, help="Readable tables instead of JSON.")
@click.option("--from-state", type=click.Path(path_type=Path), help="Start from the exchange of a state directory.")
@click.option("--market", help="With --from-state: which of its markets; the first one otherwise.")
def simulate(file: str, table: bool, from_state: Path | None, market: str | None) -> None:
    """Try operations on the clearinghouse and see every number; FILE is a scenario, - is stdin.

    A running state directory is only read. docs/scenarios.md has the format.
    """
    from tui import simulate as what_if

    if market and not from_state:
        raise click.UsageError("--market needs --from-state")
    outcome = what_if.simulate(file, from_state, market)
    click.echo(what_if.tables(outcome) if table else json.dumps(outcome))


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
            summary = asyncio.run(daemon.run(options, seconds))
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
    from tui import hangup, terminal

    try:
        options.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        logs.setup(options.directory / "perpdesk.log")
    except OSError as error:
        raise StoreError("STATE_UNUSABLE", f"state directory {options.directory}: {error.strerror}") from error
    settings = settled(ui)
    counter = Counter(sys.stderr, "recovering the journal")
    runtime = Runtime(replace(options, progress=counter.progress))
    try:
        runtime.start()
    finally:
        counter.end()
    try:
        code = paint(runtime, settings)
        if code == terminal.EXIT_HANGUP:
            code = hangup.after_hangup(runtime, on_hangup)
    finally:
        runtime.stop()
    if runtime.failure is not None:
        raise runtime.failure
    sys.exit(code)


_CONFIG = (config_verbs.init, config_verbs.config_group, alert_verbs.alert)
for _verb in (
    *looks.LOOKS,
    *acts.ACTS,
    *verbs.VERBS,
    *_CONFIG,
    signals.signals,
    doctor.doctor,
    wallet.wallet,
    venue.venue,
    serve.serve,
    replay_verbs.replay,
    attach.attach,
):
    cli.add_command(_verb)


def main() -> None:
    """Runs the command line; every refusal is one line on stderr and a documented exit status."""
    logs.setup()
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.exceptions.NoArgsIsHelpError as usage:
        click.echo(usage.format_message(), err=True)
        sys.exit(Exit.USAGE)
    except click.ClickException as error:
        click.echo(f"perpdesk: {error.format_message()}", err=True)
        sys.exit(Exit.USAGE)
    except click.Abort:
        sys.exit(130)
    except tuple(kind for kind, _ in _EXITS) as error:
        click.echo(f"perpdesk: {error}", err=True)
        sys.exit(next(status for kind, status in _EXITS if isinstance(error, kind)))
    except Exception as error:
        logs.log_failure(error)
        click.echo(f"perpdesk: internal error, {type(error).__name__}: {error}", err=True)
        sys.exit(Exit.SOFTWARE)
    finally:
        logs.close()


if __name__ == "__main__":
    main()
