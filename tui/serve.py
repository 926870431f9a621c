"""`perpdesk serve`: the screen of a running engine in a browser on this machine, or at the end of an SSH tunnel."""

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from engine.remote import RemotePort
from engine.taken import PortTaken
from tui import verbs
from venue.chain.passwords import FromFile, password_of

HOST = "127.0.0.1"
MOST_TABS = 8
_LEAST_PASSWORD = 12
"""Characters: it can be guessed at for as long as this runs, by anybody on this machine."""
_PASSED_ON = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TZDIR", "TMPDIR", "VIRTUAL_ENV"),
    *("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "NO_COLOR", "SSH_CONNECTION", "PERPDESK_UI"),
)
_PASSED_ON_FROM = ("LC_", "XDG_", "PERPDESK_UI__")
"""How the names of others begin."""


@click.command()
@verbs.state
@click.option("--port", type=click.IntRange(0, 65535), default=8321, show_default=True, help="On 127.0.0.1; 0 is any.")
@click.option("--operate", is_flag=True, help="Who has the password may command; without it they may only look.")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Its first line; otherwise a fresh one, shown on the terminal.",
)
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="Configuration file (TOML), for [ui].")
@click.option("--theme", help="night, day, high-contrast, ansi or mono.")
def serve(
    state: Path | None, port: int, operate: bool, password_file: Path | None, config: Path | None, theme: str | None
) -> None:
    """Show the screen of a running engine in a browser of this machine, to whoever has the password.

    It listens on 127.0.0.1 only; `ssh -L 8321:127.0.0.1:8321 HOST` brings it to another machine. Ctrl-C ends it, and
    the engine runs on.
    """
    verbs.ask(state, RemotePort.info)  # no engine, or another user's: said here and not in every tab
    password = _password(password_file)
    command = [sys.executable, "-P", "-m", "tui.cli", "attach", "--state", str(verbs.reached(state).resolve())]
    command += [] if operate else ["--observe"]
    command += ["--config", str(config.resolve())] if config else []
    command += ["--theme", theme] if theme else []
    command.append("--browser")
    told = "" if password_file else f"\nperpdesk: password {password}"
    told += "\nperpdesk: any user name; " + ("they may command" if operate else "they may only look")
    asyncio.run(_serve(port, password, command, told, chosen=password_file is not None))


def _password(file: Path | None) -> str:
    """Raises KeystoreError for a file that others can read, UsageError for a password that is easily guessed, and for
    a fresh one where no terminal would show it: what a service says is kept in the journal of the machine."""
    if file is None:
        if not sys.stderr.isatty():
            raise click.UsageError("no terminal to show a password on: name one with --password-file")
        return secrets.token_urlsafe(18)
    password = password_of(FromFile(file)).get_secret_value()
    if len(password) < _LEAST_PASSWORD:
        raise click.UsageError(f"{file}: the password is short; expected {_LEAST_PASSWORD} characters or more")
    return password


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Of the process behind a tab, which only looks at an engine and so is told no secret. A browser paints every
    colour, whatever terminal this was started from."""
    kept = {name: value for name, value in environ.items() if name in _PASSED_ON or name.startswith(_PASSED_ON_FROM)}
    return kept | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_COLOR_SYSTEM": "truecolor"}


async def _serve(port: int, password: str, command: list[str], told: str, *, chosen: bool) -> None:
    from aiohttp import web

    from tui.serve_gate import Password
    from tui.serve_web import Site

    stop = asyncio.Event()  # before anybody is told where it is: who knows may end it
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    site = Site(Password.of(password, guessable=chosen), command, environment(os.environ), MOST_TABS)
    runner = web.AppRunner(site.app(), access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            raise PortTaken(f"cannot listen on {HOST}:{port}: {error.strerror}; name another with --port") from error
        click.echo(f"perpdesk: http://{HOST}:{runner.addresses[0][1]}/{told}", err=True)
        await stop.wait()
    finally:
        await runner.cleanup()
