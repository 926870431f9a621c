"""What commands with a wallet share: their options, where secrets come from, and how refusals read."""

import getpass
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import platformdirs

from engine.arming import Arming
from engine.config import ConfigError, Settings
from engine.text import clean
from tui.live import remedies
from tui.verbs import Refused
from venue.chain.passwords import (
    FromDescriptor,
    FromFile,
    FromKeyring,
    FromPrompt,
    KeystoreCode,
    KeystoreError,
    Secret,
    once,
)

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress

    from engine.live.places import Live
    from venue.chain.signer import Signer

SERVICE = "perpdesk"
_FIRST_ANSWER_S = 10.0


class OutOfReach(Exception):
    """A node or a server of the venue gives no answer; nothing was signed."""


class NotKnown(Exception):
    """Something was sent, and nobody can tell yet what became of it."""


def live_state(state: Path | None) -> Path:
    """The state directory of a run with real money."""
    return state or platformdirs.user_data_path("perpdesk") / "live"


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Configuration, state directory and keystore."""
    for option in (
        click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="Configuration file (TOML)."),
        click.option("--state", type=click.Path(path_type=Path, file_okay=False), help="State directory; live's own."),
        click.option(
            "--keystore",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Keystore; [wallet] keystore, or wallet.json in the state directory.",
        ),
    ):
        command = option(command)
    return command


def password_options(command: Callable[..., None]) -> Callable[..., None]:
    """Where the password comes from."""
    for option in (
        click.option(
            "--password-file", type=click.Path(path_type=Path, dir_okay=False), help="Its first line is the password."
        ),
        click.option(
            "--password-fd", type=click.IntRange(0, 1023), metavar="N", help="The same of an open descriptor."
        ),
    ):
        command = option(command)
    return command


as_json = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
dry_run = click.option("--dry-run", is_flag=True, help="Show the call and every verdict; sign nothing.")
waiting = click.option(
    "--wait", type=click.IntRange(1, 3600), default=180, show_default=True, metavar="SECONDS", help="For the outcome."
)


def signing(command: Callable[..., None]) -> Callable[..., None]:
    """Everything that commands share which sign something and wait for what becomes of it."""
    for option in (options, password_options, as_json, waiting, dry_run):
        command = option(command)
    return command


def keystore_of(settings: Settings, keystore: Path | None, state: Path | None) -> Path:
    """The file with the key."""
    return keystore or settings.wallet.keystore or live_state(state) / "wallet.json"


def secret_of(settings: Settings, file: Path | None, descriptor: int | None, *, twice: bool = False) -> Secret:
    """The password's source: what the command line names, then the configuration, then whoever sits there."""
    if file is not None and descriptor is not None:
        raise click.UsageError("--password-file and --password-fd exclude each other")
    if descriptor is not None:
        return FromDescriptor(descriptor)
    if file or settings.wallet.password_file:
        return FromFile(file or settings.wallet.password_file or Path())
    if settings.wallet.keyring:
        return FromKeyring(SERVICE, settings.wallet.address or "wallet")
    return FromPrompt(lambda: _typed(twice))


def _typed(twice: bool) -> str:
    """Typed at the terminal itself: stdin may hold a key."""
    if not _terminal():
        text = "no terminal to ask for the password at: give --password-file or --password-fd"
        raise KeystoreError(KeystoreCode.NO_PASSWORD, text)
    password = getpass.getpass("Password of the keystore: ")
    if twice and getpass.getpass("Once more: ") != password:
        raise KeystoreError(KeystoreCode.NO_PASSWORD, "the two passwords differ: nothing was written")
    return password


def _terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return sys.stderr.isatty()


def address_of(settings: Settings, path: Path) -> Any:  # noqa: ANN401 - ChecksumAddress, whose module is heavy
    """The wallet's address, without its password. Raises KeystoreError, also when it is not the configured one."""
    from venue.chain import keystore

    found = keystore.address_of(path)
    expected = "" if path in settings.wallet.more else settings.wallet.address
    if expected and found.lower() != expected.lower():
        text = f"{path} is the key of {found}: wallet.address expects {settings.wallet.address}"
        raise KeystoreError(KeystoreCode.WRONG_ADDRESS, text)
    return found


def confirmable(otherwise: str = "; --yes confirms") -> None:
    """Raises UsageError when nobody can be asked; `otherwise`: what to do then."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"stdin is not a terminal to confirm at{otherwise}")


def confirmed(size: str, what: str) -> None:
    """Asks for the size to be typed. Raises Refused for anything else."""
    typed = click.prompt(f"{what}\nType {size} to confirm", err=True, default="", show_default=False)
    if typed.strip() != size:
        raise Refused(f"NOT_CONFIRMED: {size} was not typed; nothing was signed")


def say(words: str) -> None:
    """Progress, for people."""
    click.echo(f"perpdesk: {clean(words)}", err=True)


def refusal(code: str, text: str) -> Refused | OutOfReach:
    """Why nothing was signed, and what to do about it."""
    words = remedies.told(code, text)
    return OutOfReach(words) if code in remedies.SILENT else Refused(words)


@contextmanager
def told() -> Iterator[None]:
    """Turns what the chain, the venue and the guard raise into one line each."""
    from engine.live.journaled import Unwelcome
    from venue.avantis.envelope import NotOffered
    from venue.avantis.translate import Unfit
    from venue.avantis.wire import AvantisError
    from venue.chain.abi import AbiError
    from venue.chain.envelope import RpcCode, RpcError
    from venue.chain.guard import Refused as NotPassed

    try:
        yield
    except (NotOffered, NotPassed, Unfit) as error:
        raise refusal(error.code, clean(str(error))) from None
    except AbiError as error:
        raise Refused(f"WRONG_CODE: a contract does not answer as it should: {clean(str(error))}") from None
    except Unwelcome as error:
        raise Refused(str(error)) from None
    except AvantisError as error:
        words = f"{error.code}: {error.text}; {error.remedy}"
        raise (OutOfReach(words) if error.code in _SILENT else Refused(words)) from None
    except RpcError as error:
        if error.code is RpcCode.WRONG_CHAIN:
            raise ConfigError(f"BASE_RPC_URL: {clean(str(error))}; name nodes of Base") from None
        raise OutOfReach(f"BASE_RPC_URL: {error.code}: {clean(str(error))}") from None


_SILENT = ("UNREACHABLE", "TOO_SLOW", "SERVER_FAILED", "UPSTREAM_ERROR")


def unlocked(
    settings: Settings, state: Path, file: Path | None, descriptor: int | None, *, armed: bool = False
) -> "Live":
    """The keys of a live run, opened before anything else starts. Raises KeystoreError and ConfigError."""
    import asyncio

    from engine.live.places import Live
    from venue.avantis.addresses import BASE
    from venue.chain import keystore

    need_chain(settings)
    wallets = wallets_of(settings, state)
    silent = asyncio.run(_nodes_silent(settings))
    secret = once(secret_of(settings, file, descriptor))

    async def opened() -> "list[Signer]":
        return [await keystore.open_keystore(path, secret, BASE, address) for path, address in wallets]

    signers = tuple(asyncio.run(opened()))
    return Live(signers, Arming(armed), _said(silent))


def watched(settings: Settings, state: Path) -> "Live":
    """The wallets of a run that only looks. Raises KeystoreError and ConfigError."""
    import asyncio

    from eth_utils.address import to_checksum_address

    from engine.live.places import Live
    from venue.avantis.addresses import BASE
    from venue.chain.signer import keyless

    need_chain(settings)
    if settings.wallet.address and not settings.wallet.more and not keystore_of(settings, None, state).exists():
        wallets = [to_checksum_address(settings.wallet.address)]
    else:
        wallets = [address for _, address in wallets_of(settings, state)]
    silent = asyncio.run(_nodes_silent(settings))
    return Live(tuple(keyless(wallet, BASE) for wallet in wallets), Arming(armed=False, observing=True), _said(silent))


async def _nodes_silent(settings: Settings) -> str:
    """Why no node answers now, or nothing: a run finds them again by itself. Raises ConfigError for another chain."""
    import asyncio

    from engine.clock import SystemClock
    from engine.live.wiring import reading

    read = reading(settings, SystemClock())
    try:
        async with asyncio.timeout(_FIRST_ANSWER_S):
            with told():
                await read.node.head()
    except OutOfReach as error:
        return str(error)
    except TimeoutError:
        return f"BASE_RPC_URL: no answer within {_FIRST_ANSWER_S:g} s"
    finally:
        await read.aclose()
    return ""


def _said(silent: str) -> str:
    if silent:
        say(f"{silent}; it starts without them: nothing is opened or closed until nodes answer")
    return silent


def wallets_of(
    settings: Settings, state: Path | None, first: Path | None = None
) -> "list[tuple[Path, ChecksumAddress]]":
    """Every keystore of the settings and its address, each wallet once. Raises KeystoreError and ConfigError."""
    from venue.chain import keystore

    path = keystore_of(settings, first, state)
    found = [(path, address_of(settings, path)), *((more, keystore.address_of(more)) for more in settings.wallet.more)]
    if len({address for _, address in found}) < len(found):
        raise ConfigError("wallet.more: two keystores hold the same wallet; expected each once")
    return found


def beside(settings: Settings, state: Path | None) -> tuple[str, ...]:
    """The wallets that the settings name, as far as their keystores can be read: a command works with one of them."""
    from venue.chain import keystore

    found: list[str] = []
    for path in (keystore_of(settings, None, state), *settings.wallet.more):
        with suppress(KeystoreError):
            found.append(keystore.address_of(path))
    return tuple(found)


def need_chain(settings: Settings) -> None:
    """Raises ConfigError when there is no node to ask."""
    if settings.base_rpc_url is None:
        raise ConfigError("BASE_RPC_URL: not set; expected the URL of a Base node, or several separated by commas")
