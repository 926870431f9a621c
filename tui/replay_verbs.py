"""`perpdesk replay`: the screens on what a journal remembers, at any of its moments; or one picture of it as JSON."""

import gc
import json
import re
import sys
from datetime import UTC, date, datetime
from datetime import time as daytime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from engine.plain import plain
from engine.rewind import Rewind
from tui.counter import Counter
from tui.opening import Asked, needs_terminal, paint, settled, with_screen

if TYPE_CHECKING:
    from tui.settings import UiSettings

DAY_MS = 86_400_000
_WITH_COLON = re.compile(r"T?\d\d:")


class Moment(click.ParamType[datetime | daytime]):
    """An ISO date and time, UTC unless it says otherwise, or a time of the journal's last day."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime | daytime:
        if isinstance(value, datetime | daytime):
            return value
        text = str(value)
        found = _moment(text)
        if found is None:
            self.fail(f"{text[:40]!a} is not a time; expected one like 2026-11-21T16:48:56Z or 16:48", param, ctx)
        return found.replace(tzinfo=found.tzinfo or UTC)


def _moment(text: str) -> datetime | daytime | None:
    """Bare digits are none: ISO would have 2026 be a time, and 20261121 a day."""
    if _WITH_COLON.match(text):
        return _read(daytime, text)
    return None if text.isdecimal() else _read(datetime, text)


T = TypeVar("T", datetime, daytime)


def _read(kind: type[T], text: str) -> T | None:
    try:
        return kind.fromisoformat(text)
    except ValueError:
        return None


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--at", type=Moment(), help="Begin at this time: 2026-11-21T16:48:56Z, or 16:48 of the last day.")
@click.option("--seq", type=click.IntRange(min=1), help="Begin at this entry of the journal.")
@click.option("--json", "as_json", is_flag=True, help="No screen: the picture at that moment as JSON on stdout.")
@with_screen
def replay(asked: Asked, directory: Path, at: datetime | daytime | None, seq: int | None, as_json: bool) -> None:
    """Look back: the screens on the journal of the state directory DIR, at any of its moments, forward and backward.

    The journal is only read; an engine may be running on it. It begins at the newest entry unless --at or --seq names
    another. What no journal holds is shown as ?: index prices, the feed, keepers, the agent's state, and on a live
    venue what positions were worth. Limits are those of the configuration.
    """
    if at is not None and seq is not None:
        raise click.UsageError("--at and --seq exclude each other")
    if not as_json:
        needs_terminal("--json prints the picture of a moment instead")
    settings, ui = asked.load()
    counter = Counter(sys.stderr, "reading the journal")
    try:
        reel = Rewind(directory, settings, counter.progress)
    finally:
        counter.end()
    try:
        _begin(reel, at, seq)
        counter.done(f"the journal has {reel.newest:,} entries")
        if as_json:
            click.echo(json.dumps(plain(reel.latest())))
            return
        # All that was read stays to the end; without this the collector would look through it again and again.
        gc.collect()
        gc.freeze()
        sys.exit(_show(reel, settled(ui)))
    finally:
        reel.close()


def _show(reel: Rewind, settings: "UiSettings") -> int:
    from tui.tape import Player

    return paint(reel, settings, tape=Player(reel))


def _begin(reel: Rewind, at: datetime | daytime | None, seq: int | None) -> None:
    if seq is not None:
        if seq > reel.newest:
            raise click.BadParameter(f"the journal has entries 1 to {reel.newest}", param_hint="--seq")
        reel.go_to(seq)
    elif at is not None:
        at_ms = unix_ms(at, reel.last_ms)
        if at_ms < reel.first_ms:
            raise click.BadParameter(f"the journal begins at {_iso(reel.first_ms)}", param_hint="--at")
        reel.go_to_time(at_ms)


def unix_ms(at: datetime | daytime, last_ms: int) -> int:
    """A moment in ms since 1970; a time without a date is the last such time before `last_ms`."""
    if isinstance(at, datetime):
        return int(at.timestamp() * 1000)
    day: date = datetime.fromtimestamp(last_ms / 1000, at.tzinfo).date()
    found = int(datetime.combine(day, at).timestamp() * 1000)
    return found if found <= last_ms else found - DAY_MS


def _iso(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}Z"
