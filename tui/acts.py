"""The verbs that command a running engine's desks, once: what the keys do, for scripts."""

import time
import uuid
from collections.abc import Callable
from pathlib import Path

import click

from engine.commands import (
    CloseDesk,
    Command,
    HaltAll,
    HaltDesk,
    QuarantineDesk,
    Receipt,
    ReduceDesk,
    ReleaseDesk,
    ResumeDesk,
)
from engine.remote import RemotePort
from engine.snapshot import DeskRow, Snapshot
from engine.text import clean
from tui.live.shared import confirmable
from tui.orders import WHOLE, EnvelopeFields, worst_price
from tui.verbs import Refused, answered, as_json, ask, called, cents, state

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
@_desk
@click.option("--share", type=click.IntRange(1, 100), default=100, show_default=True, help="Percent of the position.")
@_yes
@_id
@as_json
@state
def close(desk: str, share: int, yes: bool, id_: str, as_json: bool, state: Path | None) -> None:
    """Close a desk's position, or a share of it, at most 1 % worse than it is quoted now.

    Asks for the notional to be typed; --yes does not.
    """

    if not yes:
        confirmable()
    seen: Snapshot = ask(state, RemotePort.latest)
    row = found(seen, desk)
    worst = worst_price(row)
    if worst is None:
        raise Refused(f"NO_POSITION: {called(row.token, row.address)}: no position, or no price to close it at")
    if not yes:
        _confirmed(row, share)

    def make(_: Snapshot, who: str) -> Command:
        sent = _envelope(id_, who, seen)
        if share == WHOLE_PERCENT:
            return CloseDesk(**sent, address=row.address, worst_price=worst)
        return ReduceDesk(**sent, address=row.address, share=share * WHOLE // WHOLE_PERCENT, worst_price=worst)

    _send(state, as_json, make)


def _confirmed(row: DeskRow, share: int) -> None:
    size = cents(row.notional)
    payout = cents(row.exit.payout * share // WHOLE_PERCENT if row.exit else None)
    impact = f"{row.exit.impact:+.2%}" if row.exit else "?"
    whose = f"{row.side} {row.market} {size} of {called(row.token, row.address)}"
    what = f"{whose}: {share} %, {payout} USDC, impact {impact}"
    if click.prompt(f"{clean(what)}\nType {size} to confirm", err=True, default="", show_default=False).strip() != size:
        raise Refused(f"NOT_CONFIRMED: {size} was not typed; nothing was sent")


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


ACTS: tuple[click.Command, ...] = (halt, resume, close, quarantine, release)
