"""The verbs that command a running engine's desks, once: what the keys do, for scripts."""

import time
import uuid
from collections.abc import Callable
from pathlib import Path

import click

from engine.commands import (
    MOST_LEAVES,
    AckAlarm,
    CloseDesk,
    CloseDesks,
    Command,
    HaltAll,
    HaltDesk,
    NoteDesk,
    QuarantineDesk,
    Receipt,
    ReduceDesk,
    ReleaseDesk,
    ResumeDesk,
    alarm_key,
)
from engine.exchange_rows import Wad
from engine.remote import RemotePort
from engine.snapshot import DeskRow, Snapshot
from engine.text import called, clean
from tui.leaving import in_line, leaves
from tui.live.shared import confirmable
from tui.orders import WHOLE, EnvelopeFields, worst_price
from tui.verbs import Refused, answered, as_json, ask, cents, state

MEANT_FOR_MS = 30_000
WHOLE_PERCENT = 100
Make = Callable[[DeskRow, EnvelopeFields], Command]

_desk = click.argument("desk")
_id = click.option("--id", "id_", default="", help="Good for one command, so that a repetition does nothing.")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


def found(seen: Snapshot, words: str) -> DeskRow:
    """The desk of a name, `NAME·1a2b`, or an address or its beginning. Raises Refused."""
    name, _, tail = words.partition("·")
    rows = [row for row in seen.desks if row.address == words.lower()]
    rows = rows or [row for row in seen.desks if row.token.lower() == name.lower() and _starts(row, tail)]
    if not rows and words.lower().startswith("0x"):
        rows = [row for row in seen.desks if row.address.startswith(words.lower())]
    if len(rows) == 1:
        return rows[0]
    if not rows:
        raise Refused(f"UNKNOWN_DESK: {clean(words)}: no desk of that name or address; `perpdesk desks` lists them")
    several = ", ".join(called(row.token, row.address) for row in rows[:4])
    raise Refused(f"UNKNOWN_DESK: {clean(words)} is said of {len(rows)} desks: name one of {several}")


def _starts(row: DeskRow, tail: str) -> bool:
    return row.address.removeprefix("0x").startswith(tail.lower())


def _envelope(id_: str, who: str, seen: Snapshot) -> EnvelopeFields:
    until = time.time_ns() // 10**6 + MEANT_FOR_MS
    return EnvelopeFields(id=id_ or uuid.uuid4().hex, who=who, seen_seq=seen.seq, expires_at_ms=until)


def _send(state: Path | None, as_json: bool, make: Callable[[Snapshot, str], Command]) -> None:
    async def send(port: RemotePort) -> Receipt:
        seen = await port.latest()
        return await port.submit(make(seen, (await port.info()).operator))

    answered(ask(state, send), as_json)


def _one(desk: str, id_: str, make: Make) -> Callable[[Snapshot, str], Command]:
    return lambda seen, who: make(found(seen, desk), _envelope(id_, who, seen))


@click.command()
@click.argument("desk", required=False)
@click.option("--all", "every", is_flag=True, help="Every desk.")
@_id
@as_json
@state
def halt(desk: str | None, every: bool, id_: str, as_json: bool, state: Path | None) -> None:
    """Halt a desk, or all: no new risk; closing stays allowed."""
    if every == (desk is not None):
        raise click.UsageError("expected the name of a desk, or --all")
    if desk is None:
        _send(state, as_json, lambda seen, who: HaltAll(**_envelope(id_, who, seen)))
    else:
        _send(state, as_json, _one(desk, id_, lambda row, sent: HaltDesk(**sent, address=row.address)))


@click.command()
@_desk
@_id
@as_json
@state
def resume(desk: str, id_: str, as_json: bool, state: Path | None) -> None:
    """Lift a halt."""
    _send(state, as_json, _one(desk, id_, lambda row, sent: ResumeDesk(**sent, address=row.address)))


@click.command()
@click.argument("desk", required=False)
@click.option("--all", "every", is_flag=True, help="Every position of every desk.")
@click.option("--share", type=click.IntRange(1, 100), default=100, show_default=True, help="Percent of the position.")
@_yes
@_id
@as_json
@state
def close(desk: str | None, every: bool, share: int, yes: bool, id_: str, as_json: bool, state: Path | None) -> None:
    """Close a desk's position, or a share of it, or all positions, at most 1 % worse than they are quoted now.

    Asks for the notional to be typed; --yes does not.
    """
    if every == (desk is not None):
        raise click.UsageError("expected the name of a desk, or --all")
    if every and share != WHOLE_PERCENT:
        raise click.UsageError("--share is of one desk; --all closes whole positions")
    if not yes:
        confirmable()
    seen: Snapshot = ask(state, RemotePort.latest)
    if desk is None:
        _close_all(seen, yes, id_, as_json, state)
    else:
        _close_one(found(seen, desk), seen, share, yes, id_, as_json, state)


# With an id the engine is asked also where there is nothing to close by now: it may be a repetition, whose answer is
# that of the first. A position that is opened meanwhile is newer than what was seen, and is refused for that.
def _close_one(
    row: DeskRow, seen: Snapshot, share: int, yes: bool, id_: str, as_json: bool, state: Path | None
) -> None:
    worst = worst_price(row)
    if worst is None and not (id_ and row.side is None):
        raise Refused(f"NO_POSITION: {called(row.token, row.address)}: no position, or no price to close it at")
    if not yes and worst is not None:
        _confirmed([_words(row, share, row.exit.payout if row.exit else None)], row.notional)

    def make(_: Snapshot, who: str) -> Command:
        sent = _envelope(id_, who, seen)
        if share == WHOLE_PERCENT:
            return CloseDesk(**sent, address=row.address, worst_price=worst or 0)
        return ReduceDesk(**sent, address=row.address, share=share * WHOLE // WHOLE_PERCENT, worst_price=worst or 0)

    _send(state, as_json, make)


def _close_all(seen: Snapshot, yes: bool, id_: str, as_json: bool, state: Path | None) -> None:
    line = in_line(seen)
    if len(line) > MOST_LEAVES:
        click.echo(f"perpdesk: {len(line) - MOST_LEAVES} smaller positions are left for another call", err=True)
        line = line[:MOST_LEAVES]
    if not line and not id_:
        raise Refused("NO_POSITION: no desk has a position that can be closed now")
    if not yes and line:
        lines = [_words(each.desk, WHOLE_PERCENT, each.payout) for each in line]
        _confirmed(lines, sum(each.desk.notional or 0 for each in line))
    _send(state, as_json, lambda _, who: CloseDesks(**_envelope(id_, who, seen), leaves=leaves(line)))


def _words(row: DeskRow, share: int, payout: Wad | None) -> str:
    impact = f"{row.exit.impact:+.2%}" if row.exit else "?"
    whose = f"{row.side} {row.market} {cents(row.notional)} of {called(row.token, row.address)}"
    back = cents(None if payout is None else payout * share // WHOLE_PERCENT)
    return clean(f"{whose}: {share} %, {back} USDC, impact {impact}")


def _confirmed(lines: list[str], notional: Wad | None) -> None:
    """Shows what is about to be closed, and asks for its size, or for the sum of all. Raises Refused."""
    for line in lines:
        click.echo(line, err=True)
    size = cents(notional)
    if click.prompt(f"Type {size} to confirm", err=True, default="", show_default=False).strip() != size:
        raise Refused(f"NOT_CONFIRMED: {size} was not typed; nothing was sent")


@click.command()
@_desk
@click.argument("text", default="")
@_id
@as_json
@state
def note(desk: str, text: str, id_: str, as_json: bool, state: Path | None) -> None:
    """Leave words on a desk for whoever looks next; no TEXT takes the last ones away."""
    _send(state, as_json, _one(desk, id_, lambda row, sent: NoteDesk(**sent, address=row.address, text=text)))


@click.command()
@click.argument("words")
@_id
@as_json
@state
def ack(words: str, id_: str, as_json: bool, state: Path | None) -> None:
    """Acknowledge the alarm with these WORDS in it: it stays visible, but asks for nobody until it has ended."""

    def make(seen: Snapshot, who: str) -> Command:
        standing = [alarm for alarm in seen.status.alarms if words.casefold() in alarm.casefold()]
        if len(standing) != 1:
            many = f"{len(standing)} alarms have" if standing else "no alarm has"
            raise Refused(f"NO_SUCH_ALARM: {many} the words {clean(words)}; `perpdesk status` lists them")
        return AckAlarm(**_envelope(id_, who, seen), key=alarm_key(standing[0]))

    _send(state, as_json, make)


@click.command()
@_desk
@click.option("--why", default="", help="For whoever wonders later.")
@_id
@as_json
@state
def quarantine(desk: str, why: str, id_: str, as_json: bool, state: Path | None) -> None:
    """Set a desk aside: no loop touches it until it is released; closing stays allowed."""
    _send(state, as_json, _one(desk, id_, lambda row, sent: QuarantineDesk(**sent, address=row.address, why=why)))


@click.command()
@_desk
@_id
@as_json
@state
def release(desk: str, id_: str, as_json: bool, state: Path | None) -> None:
    """Give a desk that was set aside back to the loops."""
    _send(state, as_json, _one(desk, id_, lambda row, sent: ReleaseDesk(**sent, address=row.address)))


ACTS: tuple[click.Command, ...] = (halt, resume, close, quarantine, release, note, ack)
