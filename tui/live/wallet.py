"""`perpdesk wallet`: the key at rest, what its address holds, and what the venue may take of it."""

import asyncio
import json
import sys
import uuid
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from engine.config import Settings, load
from tui.live import shared
from tui.options import Amount
from tui.tables import table
from tui.verbs import Refused
from venue.chain.passwords import FromDescriptor, FromFile

if TYPE_CHECKING:
    from engine.live.journaled import OneShot
    from venue.chain.call import Call

_UNITS = 10**6
_kdf = click.option(
    "--kdf", type=click.Choice(["scrypt", "pbkdf2"]), default="scrypt", show_default=True, help="How the key is locked."
)


@click.group()
def wallet() -> None:
    """Make or import the key of the live venue's wallet, look at it, and approve USDC.

    Neither the key nor its password can be given in the arguments or the environment. Exit status 80: there is no key.
    """


@wallet.command("new")
@_kdf
@shared.password_options
@shared.options
def new(
    config: Path | None,
    state: Path | None,
    keystore: Path | None,
    password_file: Path | None,
    password_fd: int | None,
    kdf: Literal["scrypt", "pbkdf2"],
) -> None:
    """Make a new key, lock it with a password, and print its address."""
    from venue.chain.keystore import Kdf, create

    settings = load(config)
    path = shared.keystore_of(settings, keystore, state)
    secret = shared.secret_of(settings, password_file, password_fd, twice=True)
    address = asyncio.run(create(path, secret, Kdf(kdf)))
    shared.say(f"{path} holds the key: keep a copy of it and of its password, nobody can restore either")
    click.echo(address)


@wallet.command("import", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.option("--key-file", type=click.Path(path_type=Path, dir_okay=False), help="Its first line is the key in hex.")
@click.option("--key-fd", type=click.IntRange(0, 1023), metavar="N", help="The same of an open descriptor.")
@_kdf
@shared.password_options
@shared.options
@click.pass_context
def import_(
    context: click.Context,
    config: Path | None,
    state: Path | None,
    keystore: Path | None,
    password_file: Path | None,
    password_fd: int | None,
    kdf: Literal["scrypt", "pbkdf2"],
    key_file: Path | None,
    key_fd: int | None,
) -> None:
    """Lock an existing key, read from --key-file, --key-fd or stdin, and print its address."""
    from venue.chain.keystore import Kdf, import_key

    if context.args:  # not repeated: it may be a key
        raise click.UsageError(
            "import takes no arguments and knows no such option: every process can see a key there; "
            "expected --key-file, --key-fd or stdin"
        )
    settings = load(config)
    key = _key_source(key_file, key_fd)
    if isinstance(key, FromDescriptor) and key.descriptor == password_fd:
        raise click.UsageError(f"key and password both from descriptor {password_fd}; expected two")
    path = shared.keystore_of(settings, keystore, state)
    secret = shared.secret_of(settings, password_file, password_fd, twice=True)
    click.echo(asyncio.run(import_key(path, key, secret, Kdf(kdf))))


def _key_source(file: Path | None, descriptor: int | None) -> FromFile | FromDescriptor:
    if file is not None and descriptor is not None:
        raise click.UsageError("--key-file and --key-fd exclude each other")
    if file is not None:
        return FromFile(file)
    if descriptor is None and sys.stdin.isatty():
        raise click.UsageError("stdin is a terminal, which would show the key; expected --key-file, --key-fd or a pipe")
    return FromDescriptor(descriptor or 0)


@wallet.command("show")
@shared.as_json
@shared.options
def show(config: Path | None, state: Path | None, keystore: Path | None, as_json: bool) -> None:
    """Print the address; with BASE_RPC_URL also what it holds, and what the venue may take."""
    settings = load(config)
    path = shared.keystore_of(settings, keystore, state)
    address = shared.address_of(settings, path)
    found: dict[str, object] = {"address": address, "keystore": str(path)}
    if settings.base_rpc_url is not None:
        with shared.told():
            found |= asyncio.run(holdings(settings, address))
    else:
        shared.say("BASE_RPC_URL is not set: what it holds is not known")
    click.echo(json.dumps(found) if as_json else table([found]))


async def holdings(settings: Settings, address: Any) -> dict[str, object]:  # noqa: ANN401 - see shared.address_of
    """Coins and tokens in whole ones, exact. Raises RpcError, AbiError."""
    from engine.clock import SystemClock
    from engine.live.purse import ChainPurse
    from engine.live.wiring import reading
    from venue.avantis.addresses import AVANTIS
    from venue.avantis.units import written
    from venue.chain.call import Call
    from venue.chain.erc20 import ALLOWANCE

    read = reading(settings, SystemClock())
    try:
        await read.node.head()  # names a wrong chain, which a quorum only counts as a missing voice
        allowance = Call(AVANTIS.usdc, ALLOWANCE.encode(address, AVANTIS.storage))
        counted, returned = await asyncio.gather(
            ChainPurse(read.node, address).balances(), read.node.call(allowance, address)
        )
    finally:
        await read.aclose()
    (allowed,) = ALLOWANCE.decode_returned(returned)
    eth = written(counted.gas or 0, 10**18)
    return {"eth": eth, "usdc": written(counted.usdc, _UNITS), "allowance": written(allowed, _UNITS)}


@wallet.command("approve")
@click.argument("amount", type=Amount())
@shared.signing
def approve(
    amount: Decimal,
    config: Path | None,
    state: Path | None,
    keystore: Path | None,
    password_file: Path | None,
    password_fd: int | None,
    as_json: bool,
    wait: int,
    dry_run: bool,
) -> None:
    """Let the venue's storage take exactly AMOUNT USDC, instead of what it may take now; 0 takes the permission back.

    Prints the hash of the transaction once it has settled. Exit status 79 when it was refused or reverted, 76 when it
    was sent and has not settled in time.
    """
    if (exact := amount * _UNITS) != int(exact):
        raise click.UsageError(f"AMOUNT: {amount} has more than 6 decimals; expected USDC in steps of 0.000001")
    settings = load(config)
    shared.need_chain(settings)
    path = shared.keystore_of(settings, keystore, state)
    address = shared.address_of(settings, path)
    if amount > settings.risk.max_wallet_usdc:
        shared.say(f"{amount} is more than risk.max_wallet_usdc ({settings.risk.max_wallet_usdc}) ever puts at risk")
    with shared.told():
        if dry_run:
            asyncio.run(_try(settings, address, int(exact), as_json))
            return
        secret = shared.secret_of(settings, password_file, password_fd)
        tx_hash = asyncio.run(_approve(settings, shared.live_state(state), path, address, secret, int(exact), wait))
    click.echo(json.dumps({"hash": tx_hash}) if as_json else tx_hash)


def _call(address: Any, amount: int) -> "Call":  # noqa: ANN401
    from venue.avantis.asked import Approve, expected

    return expected(Approve(address, amount)).call


async def _try(settings: Settings, address: Any, amount: int, as_json: bool) -> None:  # noqa: ANN401
    from engine.clock import SystemClock
    from engine.live.ticket import judged
    from engine.live.wiring import reading
    from tui.live.venue import show_inspected

    read = reading(settings, SystemClock())
    try:
        await read.node.head()
        found = await judged(read, _call(address, amount), address)
    finally:
        await read.aclose()
    show_inspected(found, as_json)


async def _approve(
    settings: Settings,
    directory: Path,
    path: Path,
    address: Any,  # noqa: ANN401
    secret: Any,  # noqa: ANN401
    amount: int,
    wait: int,
) -> str:
    from engine.clock import SystemClock
    from engine.live.journaled import one_shot
    from engine.live.wiring import reading
    from venue.avantis.addresses import BASE
    from venue.chain.keystore import open_keystore
    from venue.chain.signer import Signer

    clock = SystemClock()
    read = reading(settings, clock)
    try:
        await read.node.head()

        async def unlock() -> Signer:
            return await open_keystore(path, secret, BASE, address)

        async with one_shot(settings, read, directory, unlock, clock, shared.beside(settings, directory)) as shot:
            await need_gas(shot)
            if amount:
                await need_contracts(shot)
            return await _send(shot, _call(address, amount), wait)
    finally:
        await read.aclose()


@wallet.command("readopt")
@shared.options
def readopt(config: Path | None, state: Path | None, keystore: Path | None) -> None:
    """Send from the wallet again after somebody else used its nonces, once you know who that was.

    Counts on from the chain's next nonce, once that is typed. Refused while anything that was sent has not ended. Asks
    for no password and sends nothing; an engine on the same state directory must not run.
    """
    from tui.live import wallet_readopt

    settings = load(config)
    shared.need_chain(settings)
    address = shared.address_of(settings, shared.keystore_of(settings, keystore, state))
    shared.confirmable(": repeat it at one")
    with shared.told():
        nonce = asyncio.run(wallet_readopt.readopt(settings, shared.live_state(state), address))
    shared.say(f"{address} sends again, from nonce {nonce} on; resume its desks when you are ready")


async def need_contracts(shot: "OneShot") -> None:
    """Raises Refused when the venue's contracts are not what they were, and RpcError."""
    from engine.live.chain_watch import VENUE

    pins = shot.chain.pins
    await pins.compare(*VENUE)
    if why := pins.changed(*VENUE):
        raise Refused(f"CHANGED: {why}; see `perpdesk venue avantis accept-upgrade`")


async def need_gas(shot: "OneShot") -> None:
    """Raises Refused for a wallet that cannot pay for anything."""
    counted = await shot.trade.purse.balances()
    if not counted.gas:
        raise Refused(f"NO_GAS: {shot.trade.wallet} holds no ETH on Base; send it some")


async def _send(shot: "OneShot", call: "Call", wait: int) -> str:
    from venue.chain.facts import Result
    from venue.chain.machine import Refusal

    tx_id = f"cli:{uuid.uuid4().hex}"
    if isinstance(refused := await shot.trade.sender.send(tx_id, await shot.trade.guard.passes(call)), Refusal):
        raise Refused(f"{refused.code}: {refused.detail}")
    ended = await shot.settled(tx_id, shared.say, wait)
    if ended is None:
        raise shared.NotKnown(f"sent, and not settled after {wait} s; `perpdesk wallet show` tells the allowance")
    if ended.result is not Result.DONE:
        raise Refused(f"{ended.result.upper()}: {ended.hash or 'somebody else used the nonce'}")
    return ended.hash
