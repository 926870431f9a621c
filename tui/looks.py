"""The verbs that read a running engine, once or line by line: for scripts, for screen readers, for a narrow line."""

import asyncio
import json
import time
from collections.abc import Coroutine
from pathlib import Path

import click

from engine.keeper_rows import Spread, Vitals
from engine.plain import plain
from engine.remote import RemotePort
from engine.snapshot import DeskRow, Event, LiquidationRow, MarketRow, Snapshot
from engine.text import called, clean
from tui.verbs import amount, as_json, ask, reached, show, state

LOOK_S = 1.0
"""Between two looks of `log --follow`."""


@click.command()
@as_json
@state
def status(as_json: bool, state: Path | None) -> None:
    """Say how a running engine is: mode, feed, keepers, desks, alarms. Exit status 0 also when there are alarms."""
    seen: Snapshot = ask(state, RemotePort.latest)
    if as_json:
        click.echo(json.dumps(_told(seen)))
        return
    now = seen.status
    lines = {
        "mode": f"{now.mode} on {now.venue}" + ("" if now.armed else ", not armed") + (_simulated(seen)),
        "block": "?" if now.block is None else f"{now.block:,}",
        "feed": f"{now.feed} {now.feed_text}".rstrip()
        + ("" if now.feed_age_ms is None else f", {now.feed_age_ms / 1000:.1f} s old"),
        "agent": now.agent,
        "desks": f"{now.desks_open} open, {now.desks_halted} halted, {now.desks_waiting} waiting",
        "keepers": f"{now.keepers} {now.keepers_text}".rstrip(),
        "engine": _engine(seen.vitals),
        "alarms": str(len(now.alarms)),
    }
    for name, words in lines.items():
        click.echo(f"{name:<8} {clean(words)}")
    for alarm in now.alarms:
        click.echo(f"{'alarm':<8} {clean(alarm)}")
    for alarm in now.acknowledged:
        click.echo(f"{'known':<8} {clean(alarm)}")


def _told(seen: Snapshot) -> dict[str, object]:
    """Everything by which a script tells an engine that has nothing to do from one that is broken."""
    feeds = [
        {"symbol": row.symbol, "health": row.health, "age_ms": row.age_ms, "tradable": row.tradable}
        for row in seen.markets
    ]
    whole = ("status", "vitals", "queue", "request_counts")
    return {
        "seq": seen.seq,
        "at_ms": seen.at_ms,
        **{name: plain(getattr(seen, name)) for name in whole},
        "keepers": [plain(row) for row in seen.keepers],
        "feeds": feeds,
    }


def _engine(vitals: Vitals) -> str:
    commit = f"commits in {_ms(vitals.commit)}" if vitals.commit else "nothing written yet"
    lag = f", loop late by {_ms(vitals.lag)}" if vitals.lag else ""
    return f"{commit}{lag}, {vitals.waiting} waiting"


def _ms(spread: Spread) -> str:
    return f"{spread.median_ms:.1f} ms (99 % within {spread.p99_ms:.1f})"


def _simulated(seen: Snapshot) -> str:
    return f", simulated: {seen.status.simulated}" if seen.status.simulated else ""


def _age(ms: int | None) -> str:
    return "" if ms is None else f", {ms / 1000:.1f} s old"


@click.command()
@as_json
@state
def desks(as_json: bool, state: Path | None) -> None:
    """List the desks of a running engine."""
    show(ask(state, RemotePort.latest).desks, as_json, _desk)


def _desk(row: DeskRow) -> dict[str, object]:
    return {
        "token": called(row.token, row.address),
        "phase": row.phase if row.halted_by is None else f"{row.phase}, halted",
        "market": clean(row.market) if row.market else "",
        "side": row.side or "",
        "leverage": "" if row.leverage is None else f"{row.leverage:.1f}x",
        "notional": amount(row.notional, ""),
        "mark": amount(row.mark, ""),
        "pnl": amount(row.pnl, "" if row.side is None else "?"),
        "to liq": "" if row.liq_move is None else f"{row.liq_move:.2%}",
        "pending": amount(row.pending),
        "note": clean(row.quarantine or row.note) if row.quarantine or row.note else "",
        "address": row.address,
    }


@click.command()
@as_json
@state
def markets(as_json: bool, state: Path | None) -> None:
    """List the markets of a running engine."""
    show(ask(state, RemotePort.latest).markets, as_json, _market)


def _market(row: MarketRow) -> dict[str, object]:
    return {
        "market": row.symbol,
        "index": amount(row.index),
        "mark": amount(row.mark),
        "feed": row.health,
        "move": "" if row.change is None else f"{row.change:+.3%}",
        "carry/h": "" if row.carry_per_hour is None else f"{row.carry_per_hour:+.5%}",
        "long oi": amount(row.long_oi, ""),
        "short oi": amount(row.short_oi, ""),
    }


@click.command()
@as_json
@state
def queue(as_json: bool, state: Path | None) -> None:
    """List the positions nearest to liquidation, nearest first."""
    show(ask(state, RemotePort.latest).liquidations, as_json, _queued)


def _queued(row: LiquidationRow) -> dict[str, object]:
    return {
        "position": row.position_id,
        "market": row.market,
        "owner": clean(row.owner),
        "side": row.side,
        "notional": amount(row.notional),
        "leverage": f"{row.leverage:.1f}x",
        "loss of allowed": f"{row.loss_share:.1%}",
        "price": f"{row.move:.2%}",
        "state": row.state,
    }


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens, until interrupted.")
@click.option("-n", "--lines", type=click.IntRange(0, 5_000), default=20, show_default=True, help="Newest events.")
@as_json
@state
def log(follow: bool, lines: int, as_json: bool, state: Path | None) -> None:
    """Print what happened, oldest first, one event a line; with --json one JSON object a line."""

    async def read() -> None:
        async with await RemotePort.connect(reached(state)) as port:
            page = await port.events(0)
            _print(page.events[-lines:] if lines else (), as_json)
            last = page.events[-1].number if page.events else 0
            while follow:
                await asyncio.sleep(LOOK_S)
                page = await port.events(last)
                if page.dropped:
                    click.echo(f"perpdesk: {page.dropped} events were not read in time", err=True)
                _print(page.events, as_json)
                last = page.events[-1].number if page.events else last

    _until_interrupted(read())


@click.command()
@click.option("--since", type=click.IntRange(0), default=0, show_default=True, help="Only those numbered above.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens, until interrupted.")
@state
def events(since: int, follow: bool, state: Path | None) -> None:
    """Print events for a machine: one JSON object a line, numbered; ask again since the last number.

    Exit status 0; what had left the engine's memory before it could be read is counted on stderr.
    """

    async def read() -> None:
        last = since
        async with await RemotePort.connect(reached(state)) as port:
            while True:
                page = await port.events(last)
                if page.dropped and last:
                    click.echo(f"perpdesk: {page.dropped} events were not read in time", err=True)
                _print(page.events, True)
                last = page.events[-1].number if page.events else last
                if not follow:
                    return
                await asyncio.sleep(LOOK_S)

    _until_interrupted(read())


def _until_interrupted(reading: Coroutine[None, None, None]) -> None:
    try:
        asyncio.run(reading)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _print(events: tuple[Event, ...], as_json: bool) -> None:
    for event in events:
        click.echo(json.dumps(plain(event)) if as_json else _line(event))


def _line(event: Event) -> str:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(event.at_ms / 1000))
    who = called(event.token, event.address) if event.token else ""
    return f"{at}  {event.kind:<11} {who:<14} {clean(event.text)}".rstrip()


LOOKS: tuple[click.Command, ...] = (status, desks, markets, queue, log, events)
