"""The `perpdesk` command. Data to stdout, words to stderr; no terminal library is loaded until one is painted."""

import sys
from importlib import import_module
from importlib.metadata import version

from tui import early

if __name__ == "__main__":
    early.guard()

from tui import lazy

lazy.forbid()

import click

from engine import logs
from tui import stdout
from tui.exits import Exit, status_of
from venue.net.undumped import undumped

COMMANDS = {
    **dict.fromkeys(("demo", "run"), "tui.run_verbs"),
    **dict.fromkeys(("status", "desks", "markets", "queue", "log", "events"), "tui.looks"),
    **dict.fromkeys(("halt", "resume", "close", "quarantine", "release", "note", "ack"), "tui.acts"),
    **dict.fromkeys(("requests", "pools", "account", "request", "credit"), "tui.verbs"),
    **dict.fromkeys(("init", "config"), "tui.config_verbs"),
    **dict.fromkeys(("verify", "backup", "restore"), "tui.audit_verbs"),
    "alert": "tui.alert_verbs",
    "attach": "tui.attach",
    "doctor": "tui.live.doctor",
    "index": "tui.index_verbs",
    "replay": "tui.replay_verbs",
    "serve": "tui.serve",
    "signals": "tui.signals",
    "simulate": "tui.simulate_verb",
    "venue": "tui.live.venue",
    "wallet": "tui.live.wallet",
}
"""Where every verb is. Only the one that is asked for is loaded: some of them need the whole engine."""


class Verbs(click.Group):
    """A group that knows its commands by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Loads one; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = getattr(import_module(COMMANDS[cmd_name]), cmd_name)
        early.begun()
        return found


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("perpdesk"), prog_name="perpdesk")
def cli() -> None:
    """Run perpetual-futures desks, and watch them in a terminal."""


def main() -> None:
    """Runs the command line; every refusal is one line on stderr and a documented exit status."""
    early.guard()
    stdout.guard()
    undumped()
    logs.setup()
    try:
        _run()
    except (click.Abort, KeyboardInterrupt):
        sys.exit(Exit.INTERRUPTED)
    finally:
        early.over()
        logs.close()


def _run() -> None:
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
        raise
    except stdout.Untold as error:
        if error.unread:
            sys.exit(Exit.UNREAD)
        click.echo(f"perpdesk: {error}", err=True)
        sys.exit(Exit.STORE)
    except Exception as error:
        if (status := status_of(error)) is not None:
            click.echo(f"perpdesk: {error}", err=True)
            sys.exit(status)
        logs.log_failure(error)
        click.echo(f"perpdesk: internal error, {type(error).__name__}: {error}", err=True)
        sys.exit(Exit.SOFTWARE)


if __name__ == "__main__":
    main()
