"""`perpdesk venue avantis`: look at the live venue, and open or close a position by hand."""

import asyncio
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from engine.config import load
from tui.live import shared
from tui.options import Amount
from tui.tables import table

if TYPE_CHECKING:
    from engine.live.ticket import Inspected
    from venue.avantis.pair import Pair

_UNITS = 10**6
_TEN = 10**10
_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def _checked_id(_context: click.Context, _option: click.Parameter, text: str) -> str:
    if text and not _ID.fullmatch(text):
        raise click.UsageError("--id: expected at most 64 letters, digits or any of _ . : -")
    return text


_market = click.argument("market")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")
_id = click.option(
    "--id",
    "id_",
    default="",
    callback=_checked_id,
    help="Good for one order: with the same one it is never sent twice.",
)


@click.group()
def venue() -> None:
    """Look at a live venue, and trade on it by hand. Real money."""


@venue.group()
def avantis() -> None:
    """Avantis, directly: no desk owns what is opened here, and an engine on the same state directory must not run.

    Exit status 79 when the venue, the chain or the guard refused and nothing came of it, 69 when nobody answered and
    nothing was signed, 76 when an order was sent and its outcome is not known yet: look, or repeat it with its --id.
    """


@avantis.command("read")
@shared.as_json
@shared.options
def read_(config: Path | None, state: Path | None, keystore: Path | None, as_json: bool) -> None:
    """Compare the venue's addresses with the pinned ones; show prices, and what the wallet holds."""
    from tui.live.venue_read import overview

    settings = load(config)
    with shared.told():
        found = asyncio.run(overview(settings, shared.keystore_of(settings, keystore, state)))
    click.echo(json.dumps(found) if as_json else table([{"what": key, "value": found[key]} for key in found]))


@avantis.command("pairs")
@click.option("--all", "every", is_flag=True, help="All that are listed, not only exchange.markets.")
@shared.as_json
@shared.options
def pairs(config: Path | None, state: Path | None, keystore: Path | None, every: bool, as_json: bool) -> None:
    """List pairs, within our own ceilings."""
    from tui.live.venue_read import catalogue

    settings = load(config)
    with shared.told():
        found, left_out = asyncio.run(catalogue(settings))
    wanted = [pair for pair in found if every or pair.symbol in settings.exchange.markets]
    for symbol in settings.exchange.markets:
        if f"{symbol}/USD" in left_out:
            shared.say(f"{symbol}/USD is left out: {left_out[f'{symbol}/USD']}")
    rows = [_pair_cells(pair) for pair in wanted]
    click.echo(json.dumps(rows) if as_json else table(rows))


def _pair_cells(pair: "Pair") -> dict[str, object]:
    from venue.avantis.units import written

    return {
        "pair": f"{pair.symbol}/{pair.quote}",
        "index": str(pair.index),
        "opens": "yes" if pair.opens else "no",
        "min leverage": written(pair.min_leverage, _TEN),
        "max leverage": written(pair.max_leverage, _TEN),
        "min notional": written(pair.min_notional, _UNITS),
        "max notional": written(pair.max_notional, _UNITS),
        "taker fee %": written(pair.fees.open_taker, _TEN),
        "spread %": written(pair.fees.spread, _TEN),
    }


@avantis.command("positions")
@shared.as_json
@shared.options
def positions(config: Path | None, state: Path | None, keystore: Path | None, as_json: bool) -> None:
    """List the wallet's positions, with the sources that know of each."""
    from tui.live.venue_read import held

    settings = load(config)
    shared.need_chain(settings)
    address = shared.address_of(settings, shared.keystore_of(settings, keystore, state))
    with shared.told():
        rows, silent = asyncio.run(held(settings, address))
    for words in silent:
        shared.say(words)
    click.echo(json.dumps(rows) if as_json else table(rows))


@avantis.command("open")
@_market
@click.argument("side", type=click.Choice(["long", "short"]))
@click.argument("collateral", type=Amount())
@click.option("--leverage", type=Amount(), required=True, help="Within risk.leverage and the venue's own cap.")
@_yes
@_id
@shared.signing
def open_(
    market: str,
    side: str,
    collateral: Decimal,
    leverage: Decimal,
    config: Path | None,
    state: Path | None,
    keystore: Path | None,
    password_file: Path | None,
    password_fd: int | None,
    as_json: bool,
    wait: int,
    dry_run: bool,
    id_: str,
    yes: bool,
) -> None:
    """Open a position on MARKET with COLLATERAL USDC, at the market."""
    from tui.live import venue_ids, venue_orders

    if (micros := collateral * _UNITS) != int(micros) or not micros:
        raise click.UsageError(f"COLLATERAL: {collateral}; expected USDC above 0 in steps of 0.000001")
    settings = load(config)
    shared.need_chain(settings)
    place = venue_orders.place(settings, state, keystore, (password_file, password_fd))
    wanted = venue_ids.Wanted(market.upper(), side == "long", int(micros), leverage)
    with shared.told():
        venue_orders.run(place, wanted, venue_orders.How(id_, dry_run, yes, as_json, wait))


@avantis.command("close")
@_market
@click.option("--index", type=click.IntRange(0, 10_000), help="Which of several, as `positions` lists it.")
@click.option("--share", type=Amount(), default="1", show_default=True, help="Of its collateral; 1 is all of it.")
@click.option("--desk-too", is_flag=True, help="Even if a desk of this state directory owns it.")
@_yes
@_id
@shared.signing
def close(
    market: str,
    index: int | None,
    share: Decimal,
    desk_too: bool,
    config: Path | None,
    state: Path | None,
    keystore: Path | None,
    password_file: Path | None,
    password_fd: int | None,
    as_json: bool,
    wait: int,
    dry_run: bool,
    id_: str,
    yes: bool,
) -> None:
    """Close the wallet's position on MARKET, or a share of it, at the market."""
    from tui.live import venue_ids, venue_orders

    if not 0 < share <= 1:
        raise click.UsageError(f"--share: {share}; expected more than 0 and at most 1, like 0.5")
    settings = load(config)
    shared.need_chain(settings)
    place = venue_orders.place(settings, state, keystore, (password_file, password_fd))
    wanted = venue_ids.Leaving(market.upper(), index, share, desk_too)
    with shared.told():
        venue_orders.run(place, wanted, venue_orders.How(id_, dry_run, yes, as_json, wait))


@avantis.command("accept-upgrade")
@shared.options
def accept_upgrade(config: Path | None, state: Path | None, keystore: Path | None) -> None:
    """Show contracts that were changed since they were first used, and believe what stands there now, one by one.

    Until then nothing is opened and no rule closes anything. Asks for no password and sends nothing; an engine on the
    same state directory must not run.
    """
    from tui.live import venue_upgrade

    settings = load(config)
    shared.need_chain(settings)
    shared.confirmable(": repeat it at one")
    with shared.told():
        asyncio.run(venue_upgrade.accept(settings, shared.live_state(state)))


@avantis.command("resolve")
@click.argument("order")
@click.option(
    "--executed", type=click.IntRange(0), metavar="NUMBER", help="It was: the venue's number of it, with --block."
)
@click.option("--block", type=click.IntRange(1), metavar="NUMBER", help="The block that executed it.")
@click.option("--canceled", "--cancelled", is_flag=True, help="The venue gave it back.")
@click.option("--why", required=True, help="Why that is certain, for the journal.")
@shared.as_json
@shared.options
def resolve(
    order: str,
    config: Path | None,
    state: Path | None,
    keystore: Path | None,
    as_json: bool,
    executed: int | None,
    block: int | None,
    canceled: bool,
    why: str,
) -> None:
    """Record how the signed ORDER ended that an alarm names, once nobody but a person can tell.

    An execution is read from the chain and held against what was signed. Refused while the order may still be taken.
    """
    from tui.live import venue_resolve

    del keystore  # nothing is signed
    if canceled == (executed is not None) or (executed is None) != (block is None):
        raise click.UsageError("expected either --canceled, or --executed with --block")
    if not why.strip():
        raise click.UsageError("--why: empty; expected what makes it certain")
    settings = load(config)
    shared.need_chain(settings)
    ended: venue_resolve.Executed | venue_resolve.Canceled = venue_resolve.Canceled()
    if executed is not None and block is not None:
        ended = venue_resolve.Executed(executed, block)
    word = venue_resolve.Word(order, ended, why)
    with shared.told():
        row = asyncio.run(venue_resolve.run(settings, shared.live_state(state), word))
    click.echo(json.dumps(row) if as_json else table([row]))


def show_inspected(found: "Inspected", as_json: bool, **more: object) -> None:
    """The decoded call and every verdict on stdout. Raises Refused when one of them is a refusal."""
    verdicts: list[dict[str, object]] = [
        {"wall": each.wall, "verdict": each.code or "ok", "text": each.text} for each in found.verdicts
    ]
    if as_json:
        click.echo(json.dumps({**more, "call": found.decoded or None, "verdicts": verdicts}))
    else:
        rows = more | found.decoded
        click.echo(table([{"field": name, "value": value} for name, value in rows.items()]))
        click.echo()
        click.echo(table(verdicts))
    if found.refused:
        raise shared.refusal(found.refused.code, found.refused.text)
    shared.say("nothing was signed: this was a dry run")
