"""`perpdesk doctor`: everything that stands between this machine and a trade, with a remedy for each."""

import asyncio
import json
import sys
from pathlib import Path

import click

from engine.config import load
from engine.text import clean
from tui.exits import Exit
from tui.live import shared

_LONGEST = 200


@click.command()
@shared.as_json
@shared.options
def doctor(config: Path | None, state: Path | None, keystore: Path | None, as_json: bool) -> None:
    """Check clock, nodes, hosts, contracts, wallet, prices, keys and limits, within about 20 seconds.

    Sends nothing, signs nothing, and does not ask for the password. Exit status 0 when no line says fail, 81 otherwise.
    """
    from engine.clock import SystemClock
    from engine.live.doctor import examine
    from engine.live.doctor_scene import Status

    settings = load(config)
    path, directory = shared.keystore_of(settings, keystore, state), shared.live_state(state)
    lines = asyncio.run(examine(settings, path, SystemClock(), state=directory))
    if as_json:
        told = [{"name": each.name, "status": each.status, "text": each.text, "remedy": each.remedy} for each in lines]
        click.echo(json.dumps(told))
    else:
        for each in lines:
            click.echo(f"{each.status:<5} {each.name:<17} {clean(each.text, _LONGEST)}".rstrip())
            if each.remedy and each.status in (Status.WARN, Status.FAIL):
                click.echo(f"{'':23} -> {clean(each.remedy, _LONGEST)}")
    if failed := [each.name for each in lines if each.status is Status.FAIL]:
        shared.say(f"{len(failed)} of {len(lines)} lines fail: {', '.join(failed)}")
        sys.exit(Exit.UNFIT)
