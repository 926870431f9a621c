"""`perpdesk index`: how the index is, and making it anew."""

import json
import sys
import time
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui import verbs
from tui.counter import Counter
from tui.tables import table

if TYPE_CHECKING:
    from engine.indexing.rebuild import IndexStatus

_DAY_MS = 86_400_000


@click.group("index")
def index() -> None:
    """See how far the index is, the tables beside the journal, or make it anew."""


@index.command()
@verbs.state
@verbs.as_json
def status(state: Path | None, as_json: bool) -> None:
    """Say which fact the index includes, how far it is behind the journal, and what is in it."""
    from engine.indexing.rebuild import status as status_of
    from store.errors import Damaged
    from store.index import DAMAGED

    try:
        found = status_of(verbs.reached(state))
    except Damaged as error:
        if error.code != DAMAGED:
            raise
        todo = "a starting engine makes it anew, or `perpdesk index rebuild`"
        raise Damaged(error.code, f"{error}; {todo}") from error
    _show(found, as_json)


@index.command()
@verbs.state
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="Configuration file (TOML).")
@verbs.as_json
def rebuild(state: Path | None, config: Path | None, as_json: bool) -> None:
    """Make the index anew from the journal, while no engine runs; a running one repairs its own.

    Prices are kept: no journal has them. Blocks are kept for as long as the configuration says (`index.block_days`).
    """
    from engine.config import load
    from engine.indexing.rebuild import rebuild as rebuild_of

    days = load(config).index.block_days
    since_ms = int(time.time() * 1000) - days * _DAY_MS if days else 0
    counter = Counter(sys.stderr, "rebuilding the index")
    try:
        found = rebuild_of(verbs.reached(state), since_ms, counter.progress)
    finally:
        counter.end()
    counter.done(f"the index has been made anew from {found.seq:,} entries")
    _show(found, as_json)


def _show(found: "IndexStatus", as_json: bool) -> None:
    if as_json:
        from engine.plain import plain

        click.echo(json.dumps(plain(found)))
        return
    click.echo(table([{"what": name, "is": value} for name, value in _lines(found)]))


def _lines(found: "IndexStatus") -> list[tuple[str, str]]:
    return [
        ("fact", f"{found.seq:,}, {_time(found.at_ms or None)}"),
        ("behind the journal", f"{found.behind:,} facts"),
        ("older blocks", "being filled in" if found.gap else "complete"),
        *((each.name, f"{getattr(found.rows, each.name):,} rows") for each in fields(found.rows)),
        ("size", f"{found.size:,} bytes"),
        ("oldest price", _time(found.oldest_price_ms)),
        ("oldest block", "none" if found.oldest_block is None else f"{found.oldest_block:,}"),
    ]


def _time(at_ms: int | None) -> str:
    return "none" if at_ms is None else f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}Z"
