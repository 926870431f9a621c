"""`perpdesk simulate`: what the clearinghouse would do."""

import json
from pathlib import Path

import click

from tui import simulate as what_if


@click.command()
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--table", is_flag=True, help="Readable tables instead of JSON.")
@click.option("--from-state", type=click.Path(path_type=Path), help="Start from the exchange of a state directory.")
@click.option("--market", help="With --from-state: which of its markets; the first one otherwise.")
def simulate(file: str, table: bool, from_state: Path | None, market: str | None) -> None:
    """Try operations on the clearinghouse and see every number; FILE is a scenario, - is stdin.

    A running state directory is only read. docs/scenarios.md has the format.
    """
    if market and not from_state:
        raise click.UsageError("--market needs --from-state")
    outcome = what_if.simulate(file, from_state, market)
    click.echo(what_if.tables(outcome) if table else json.dumps(outcome))
