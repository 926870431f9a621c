"""Checks of what is on this machine, and of those who serve it on paper as well."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.live.doctor_scene import Line, Scene, Status
from venue.chain.keystore import address_of
from venue.chain.passwords import KeystoreCode, KeystoreError, refuse_others_in
from venue.pyth import FEEDS, HermesError
from venue.pyth.hermes import HermesClient

MARKETS: Final = ("ETH", "BTC")
_UNKEYED, _NOT_ENTITLED, _LIMITED = 401, 403, 429


async def wallet(scene: Scene) -> Sequence[Line]:
    """The keystores as they lie there; no password is asked for."""
    more = scene.settings.wallet.more
    return [_wallet(scene, scene.keystore, scene.settings.wallet.address), *(_wallet(scene, path, "") for path in more)]


def _wallet(scene: Scene, path: Path, expected: str) -> Line:
    try:
        address = address_of(path)
        refuse_others_in(path.parent)
    except (KeystoreError, OSError) as error:
        if not scene.live and isinstance(error, KeystoreError) and error.code is KeystoreCode.MISSING:
            return Line("wallet", Status.SKIP, "not set up: paper needs none")
        return Line("wallet", Status.FAIL, _words(error), _remedy(error))
    if expected and address.lower() != expected.lower():
        text = f"{path} is the key of {address}: wallet.address expects {expected}"
        return Line("wallet", Status.FAIL, text, "name the right keystore, or correct wallet.address")
    return Line("wallet", Status.OK, f"{address} in {path}, which only its owner can read")


def _words(error: KeystoreError | OSError) -> str:
    return f"{error.code}: {error}" if isinstance(error, KeystoreError) else f"UNREADABLE: {error.strerror}"


def _remedy(error: KeystoreError | OSError) -> str:
    match error.code if isinstance(error, KeystoreError) else None:
        case KeystoreCode.MISSING:
            return "perpdesk wallet new, or perpdesk wallet import"
        case KeystoreCode.READABLE_BY_OTHERS:
            return "chmod 600 the file and chmod 700 its folder; if others were here, move the funds to a new key"
        case _:
            return "restore the file from a copy"


async def hermes(scene: Scene) -> Sequence[Line]:
    """Our own oracle, and its key."""
    pyth = scene.settings.pyth
    client = HermesClient(pyth.url, pyth.key, FEEDS, lambda *_: None, scene.clock.now_ms)
    try:
        async with client:
            items = await client.latest(MARKETS)
    except HermesError as error:
        status = Status.WARN if error.status == _LIMITED else Status.FAIL
        return (Line("hermes", status, error.reason, _hermes_remedy(error.status, pyth.key is None)),)
    if len(items) < len(MARKETS):
        text = f"prices of {len(items)} of {len(MARKETS)} markets"
        return (Line("hermes", Status.FAIL, text, "check pyth.url: this server does not have all feeds"),)
    age_s = scene.clock.now_ms() // 1000 - min(item.price.publish_time for item in items)
    key = "without a key" if pyth.key is None else "the key is accepted"
    return (Line("hermes", Status.OK, f"{', '.join(MARKETS)}: {age_s} s old; {key}"),)


def _hermes_remedy(status: int | None, keyless: bool) -> str:
    if status == _UNKEYED:
        return "set PERPDESK_PYTH__KEY" if keyless else "PERPDESK_PYTH__KEY is wrong or expired: get a new one"
    if status == _NOT_ENTITLED:
        return "the key is right and may not read these feeds: ask Pyth for them, a new key of the same kind is no help"
    if status == _LIMITED:
        return "wait a minute, and ask less often"
    return "check the network and pyth.url"


async def agent(scene: Scene) -> Sequence[Line]:
    """Whether the first tier has what it needs; it is not asked."""
    settings = scene.settings
    if settings.venice_agent_enabled and (settings.venice_api_key or settings.venice_auto_mint_key):
        source = "VENICE_API_KEY" if settings.venice_api_key else "VENICE_AUTO_MINT_KEY"
        return (Line("agent", Status.OK, f"{source} is set; the server was not asked"),)
    off = "no key" if settings.venice_agent_enabled else "VENICE_AGENT_ENABLED is false"
    if not settings.signal.enabled:
        text = f"{off}, and signal.enabled is false: desks open the first market without any filter"
        return (Line("agent", Status.WARN, text, "set VENICE_API_KEY, or signal.enabled = true"),)
    remedy = "set VENICE_API_KEY to let the agent decide" if settings.venice_agent_enabled else ""
    status = Status.WARN if settings.venice_agent_enabled else Status.OK
    return (Line("agent", status, f"{off}: the signal engine decides", remedy),)
