"""`perpdesk init` and `perpdesk config`: a file to begin with, and what is in force."""

import json
from pathlib import Path

import click

from engine.config import CONFIG_FILE, Settings, load
from tui.ui_table import ui_table
from tui.verbs import Refused

_config = click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="Configuration file (TOML).")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--stdout", "to_stdout", is_flag=True, help="Print it, and write nothing.")
def init(file: Path | None, to_stdout: bool) -> None:
    """Write a configuration with every setting, its default and what it means, commented out.

    FILE is the user's configuration by default. A file that is there is never overwritten.
    """
    from engine.sample import sample

    if to_stdout:
        click.echo(sample(), nl=False)
        return
    path = file or CONFIG_FILE
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as opened:
            opened.write(sample())
    except FileExistsError:
        raise Refused(f"EXISTS: {path} is there already: name another FILE, or move it away") from None
    except OSError as error:
        raise Refused(f"UNWRITABLE: {path}: {error.strerror}: name another FILE") from None
    path.chmod(0o600)
    click.echo(path)
    click.echo("perpdesk: next: `perpdesk config check`, then `perpdesk demo` or `perpdesk run`", err=True)


@click.group("config")
def config() -> None:
    """Check the configuration, show what is in force, or print its schema."""


@config.command()
@_config
def check(config: Path | None) -> None:
    """Read the configuration as a run would. Exit status 78 and one line when something is wrong with it."""
    ui_table(load(config), None, None, False, config)
    path = config or CONFIG_FILE
    read = str(path) if config or path.exists() else f"no {path}: defaults"
    click.echo(f"perpdesk: {read} and the environment are fine", err=True)


@config.command()
@_config
@click.option("--json", "as_json", is_flag=True, help="JSON instead of TOML.")
def show(config: Path | None, as_json: bool) -> None:
    """Print what is in force, from defaults, file and environment. Secrets only say whether they are set."""
    from engine.sample import shown, written

    settings = load(config)
    click.echo(json.dumps(shown(settings), ensure_ascii=False) if as_json else written(settings))


@config.command()
def schema() -> None:
    """Print the JSON schema of the configuration, for editors."""
    click.echo(json.dumps(Settings.model_json_schema(), ensure_ascii=False))
