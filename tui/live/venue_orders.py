"""What `perpdesk venue avantis open` and `close` do. Loaded by these commands only."""

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import click
from eth_typing import ChecksumAddress

from engine.clock import SystemClock
from engine.config import Settings
from engine.live.chain_watch import VENUE
from engine.live.intent_ticket import inspected_intent
from engine.live.journaled import OneShot, one_shot
from engine.live.ticket import BY_HAND, WAD, Ticket, builder_of, closing, held_by, inspected, opening
from engine.live.wiring import Reading, reading
from tui.live import shared
from tui.live.venue import show_inspected
from tui.live.venue_ids import Leaving, Wanted, need_same
from tui.live.wallet import need_contracts, need_gas
from tui.tables import table
from tui.verbs import Refused
from venue.avantis.addresses import BASE
from venue.avantis.asked import Close, Open
from venue.avantis.catalogue import Catalogue
from venue.avantis.direct import Done, Ending, NoEffect, RouteCode, Unclear, UnderWay
from venue.avantis.translate import filled
from venue.avantis.units import TEN, TO_WAD, USDC, written
from venue.chain.keystore import open_keystore
from venue.chain.passwords import Secret
from venue.chain.signer import Signer
from venue.chain.state import Ended
from venue.perp import WHOLE, CloseOrder, Filled, OpenOrder, Order, PositionRef, ReduceOrder


@dataclass(frozen=True, slots=True)
class Place:
    """Where the key and the journal are."""

    settings: Settings
    directory: Path
    keystore: Path
    wallet: ChecksumAddress
    secret: Secret
    clock: SystemClock


@dataclass(frozen=True, slots=True)
class How:
    """The manner of it."""

    id_: str
    dry_run: bool
    yes: bool
    as_json: bool
    wait: int

    @property
    def order_id(self) -> str:
        return f"cli:{self.id_ or uuid.uuid4().hex}"


def place(
    settings: Settings, state: Path | None, keystore: Path | None, password: tuple[Path | None, int | None]
) -> Place:
    """Raises KeystoreError when there is no key; asks for no password."""
    path = shared.keystore_of(settings, keystore, state)
    address = shared.address_of(settings, path)
    secret = shared.secret_of(settings, *password)
    return Place(settings, shared.live_state(state), path, address, secret, SystemClock())


def run(where: Place, wanted: Wanted | Leaving, how: How) -> None:
    """Shows, asks, sends and follows. Raises what `shared.told` knows."""
    order_id = how.order_id
    if how.dry_run:
        asyncio.run(_try(where, wanted, order_id, how))
        return
    if not how.yes:
        shared.confirmable()
        ticket = asyncio.run(_first(where, wanted, order_id))
        shared.confirmed(_size(ticket), _what(ticket))
    asyncio.run(_do(where, wanted, order_id, how))


@asynccontextmanager
async def _reading(where: Place) -> AsyncGenerator[Reading, None]:
    read = reading(where.settings, where.clock)
    try:
        await read.node.head()  # names a wrong chain, which a quorum only counts as a missing voice
        yield read
    finally:
        await read.aclose()


async def _first(where: Place, wanted: Wanted | Leaving, order_id: str) -> Ticket:
    async with _reading(where) as read:
        return await _ticket(where, read, wanted, order_id)


async def _ticket(where: Place, read: Reading, wanted: Wanted | Leaving, order_id: str) -> Ticket:
    settings, wallet, clock = where.settings, where.wallet, where.clock
    if isinstance(wanted, Wanted):
        leverage = int(wanted.leverage * WAD)
        order = OpenOrder(order_id, BY_HAND, wanted.market, wanted.is_long, wanted.collateral, leverage)
        return await opening(settings, read, order, wallet, clock)
    listed = await read.catalogues.newest()
    pair = listed.pair(wanted.market)
    held = await held_by(read, wallet, pair, wanted.index, listed.max_trades)
    ref = PositionRef(pair.symbol, held.is_long, *held.slot)
    leaving: Order = CloseOrder(order_id, BY_HAND, ref)
    if wanted.share != 1:
        leaving = ReduceOrder(order_id, BY_HAND, ref, int(wanted.share * WHOLE))
    return await closing(settings, read, leaving, pair, held, wallet, clock)


def _size(ticket: Ticket) -> str:
    return written(ticket.ready.worth // USDC * USDC or ticket.ready.worth, USDC)


def _what(ticket: Ticket) -> str:
    """The order in a few lines, for whoever confirms it."""
    ready, quote = ticket.ready, ticket.quote
    verb, side = "Open" if isinstance(ready.asked, Open) else "Close", "long" if ready.is_long else "short"
    lines = [
        f"{verb} {ready.pair.symbol} {side}: {written(ready.asked.collateral, USDC)} USDC of collateral at "
        f"{written(ready.leverage, TEN)}x, {_size(ticket)} USDC of notional, "
        f"at about {written(quote.price // TO_WAD if quote else ready.asked.price, TEN)}",
        *(f"Not known: {doubt}" for doubt in ticket.doubts),
    ]
    return "\n".join(lines)


def _summary(ticket: Ticket) -> dict[str, object]:
    quote = ticket.quote
    return {
        "market": ticket.ready.pair.symbol,
        "side": "long" if ticket.ready.is_long else "short",
        "notional": written(ticket.ready.worth, USDC),
        "fee": written(quote.fee, USDC) if quote else "?",
        "executable": written(ticket.ready.asked.price, TEN),
        "with spread": written(quote.price // TO_WAD, TEN) if quote else "?",
    }


async def _try(where: Place, wanted: Wanted | Leaving, order_id: str, how: How) -> None:
    async with _reading(where) as read, builder_of(where.settings, where.clock) as builder:
        ticket = await _ticket(where, read, wanted, order_id)
        if where.settings.avantis.route == "signed":
            found = await inspected_intent(where.settings, read, ticket.ready.asked, where.wallet, where.clock)
        else:
            found = await inspected(read, builder, ticket.asked, where.wallet)
    for doubt in ticket.doubts:
        shared.say(doubt)
    show_inspected(found, how.as_json, **_summary(ticket))


async def _do(where: Place, wanted: Wanted | Leaving, order_id: str, how: How) -> None:
    async def unlock() -> Signer:
        return await open_keystore(where.keystore, where.secret, BASE, where.wallet)

    beside = shared.beside(where.settings, where.directory)
    async with _reading(where) as read:
        listed = await read.catalogues.newest()  # before a password is asked for, and not again once money has moved
        async with one_shot(where.settings, read, where.directory, unlock, where.clock, beside) as shot:
            await need_same(shot, order_id, listed, wanted)
            before = await shot.trade.route.ending(order_id)
            if isinstance(before, NoEffect) and before.code == RouteCode.NEVER_SENT:
                await _need_contracts(shot, wanted, how)
                await _send(where, read, shot, wanted, order_id)
                shared.say(f"--id {order_id.removeprefix('cli:')} follows this order if this is interrupted")
            else:
                shared.say("this --id was sent before: nothing is sent again")
            ending = await shot.followed(order_id, shared.say, how.wait)
            standing = await shot.trade.sender.standing(order_id)
            tx_hash = standing.hash if isinstance(standing, Ended) else ""
            _report(ending, _filled(listed, order_id, ending), tx_hash, order_id, how)


async def _need_contracts(shot: OneShot, wanted: Wanted | Leaving, how: How) -> None:
    """Raises Refused when the venue's contracts are not what they were; whoever leaves may insist. Raises RpcError."""
    if isinstance(wanted, Wanted):
        await need_contracts(shot)
        return
    pins = shot.chain.pins
    await pins.compare(*VENUE)
    if not (why := pins.changed(*VENUE)):
        return
    if how.yes:
        raise Refused(f"CHANGED: {why}; without --yes you are asked whether to close all the same")
    shared.confirmed("all the same", f"{why}\nWhat a close does there now is not known.")


async def _send(where: Place, read: Reading, shot: OneShot, wanted: Wanted | Leaving, order_id: str) -> None:
    if where.settings.avantis.route == "transactions":
        await need_gas(shot)
    ticket = await _ticket(where, read, wanted, order_id)
    if isinstance(wanted, Leaving) and not wanted.desk_too:
        held = ticket.ready.held
        for claim in await shot.claims():
            if held is not None and claim.slot == held.slot:
                raise Refused(f"OF_A_DESK: {claim.account} owns it; halt the desk, or give --desk-too")
    for doubt in ticket.doubts:
        shared.say(doubt)
    if nothing := await shot.trade.route.send(order_id, ticket.ready.asked):
        raise shared.refusal(nothing.code, nothing.detail)


def _filled(listed: Catalogue, order_id: str, ending: Ending) -> Filled | None:
    if not isinstance(ending, Done):
        return None
    pair = next((pair for pair in listed.pairs.values() if pair.index == ending.asked.pair_index), None)
    if pair is None:
        raise shared.NotKnown(
            f"executed, and the venue lists no pair {ending.asked.pair_index} now: look at `positions`"
        )
    return filled(order_id, pair, ending)


def _report(ending: Ending, done: Filled | None, tx_hash: str, order_id: str, how: How) -> None:
    match ending:
        case NoEffect():
            raise Refused(f"{ending.code}: {ending.detail}")
        case UnderWay() | Unclear():
            why = ending.why if isinstance(ending, Unclear) else f"no outcome after {how.wait} s"
            raise shared.NotKnown(f"{why}; repeat it with --id {order_id.removeprefix('cli:')} to follow it further")
        case Done():
            _show(_verb(ending), done, tx_hash, how.as_json)
        case _:
            assert_never(ending)


def _verb(done: Done) -> str:
    return "close" if isinstance(done.asked, Close) else "open"


def _show(verb: str, done: Filled | None, tx_hash: str, as_json: bool) -> None:
    if done is None:
        raise AssertionError("an execution is a fill")
    row: dict[str, object] = {
        "order": verb,
        "market": done.ref.market,
        "side": "long" if done.ref.is_long else "short",
        "index": str(done.ref.trade_index),
        "price": written(done.price // TO_WAD, TEN),
        "notional": written(done.notional, USDC),
        "fee": written(done.fee, USDC),
        "payout": written(done.payout, USDC),
        "hash": tx_hash,
    }
    click.echo(json.dumps(row) if as_json else table([row]))
