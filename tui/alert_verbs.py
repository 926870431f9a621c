"""`perpdesk alert`: whether those who should be told can be."""

import asyncio
from pathlib import Path

import click

from engine.config import load
from tui.verbs import Refused

_NOWHERE = "NOT_SET_UP: no place is configured: set alerts.ntfy_topic, alerts.telegram_chat or alerts.webhook"


@click.group()
def alert() -> None:
    """Whom a run tells what goes wrong: see [alerts] in the configuration."""


@alert.command()
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="Configuration file (TOML).")
def test(config: Path | None) -> None:
    """Send one test message to every place that is configured, and say whether it was taken."""
    from engine.alerts.desk import tried
    from engine.clock import SystemClock

    found = asyncio.run(tried(load(config).alerts, SystemClock()))
    if not found:
        raise Refused(_NOWHERE)
    for name, why in found.items():
        click.echo(f"{name:<10} {why or 'taken'}")
    if refused := [name for name, why in found.items() if why]:
        raise Refused(f"NOT_TAKEN: {', '.join(refused)}: check its address and key, and the network")
