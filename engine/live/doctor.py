"""What stands between this machine and a trade: every check side by side, each alone, and none for long."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import structlog

from engine.clock import Clock
from engine.config import Settings
from engine.live import doctor_chain, doctor_here, doctor_key, doctor_pins, doctor_venue
from engine.live.doctor_scene import Line, Scene, Status, scene_of

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

DEADLINE_S: Final = 20.0
CLOSING_S: Final = 2.0


class Needs(StrEnum):
    """What a check cannot do without; without it, it says so and is skipped."""

    NOTHING = ""
    CHAIN = "chain"
    WALLET = "wallet"
    """On the chain."""
    VENUE = "venue"


@dataclass(frozen=True, slots=True)
class Check:
    """A question that has lines for an answer."""

    name: str
    ask: Callable[[Scene], Awaitable[Sequence[Line]]]
    needs: Needs = Needs.NOTHING


CHECKS: Final = (
    Check("clock", doctor_chain.clock, Needs.CHAIN),
    Check("endpoints", doctor_chain.endpoints, Needs.CHAIN),
    Check("blocks", doctor_chain.blocks, Needs.CHAIN),
    Check("hosts", doctor_venue.hosts, Needs.VENUE),
    Check("addresses", doctor_venue.addresses, Needs.VENUE),
    Check("code", doctor_chain.code, Needs.CHAIN),
    Check("pins", doctor_pins.pins, Needs.CHAIN),
    Check("wallet", doctor_here.wallet),
    Check("key", doctor_key.key),
    Check("balances", doctor_chain.balances, Needs.WALLET),
    Check("allowance", doctor_chain.allowance, Needs.WALLET),
    Check("hermes", doctor_here.hermes),
    Check("feed", doctor_venue.feed, Needs.VENUE),
    Check("agent", doctor_here.agent),
    Check("caps", doctor_venue.caps, Needs.VENUE),
    Check("execution fee", doctor_venue.execution_fee, Needs.VENUE),
    Check("place", doctor_venue.place, Needs.VENUE),
    Check("candles", doctor_venue.candles, Needs.VENUE),
    Check("multicall", doctor_venue.multicall, Needs.VENUE),
    Check("history", doctor_venue.history, Needs.VENUE),
    Check("pusher", doctor_venue.pusher, Needs.VENUE),
    Check("cancellations", doctor_chain.cancellations, Needs.CHAIN),
)


async def examine(
    settings: Settings,
    keystore: Path,
    clock: Clock,
    checks: Sequence[Check] = CHECKS,
    deadline_s: float = DEADLINE_S,
    state: Path | None = None,
) -> tuple[Line, ...]:
    """All lines, in the order of the checks. Raises ConfigError for settings nothing can be asked with."""
    scene = scene_of(settings, keystore, clock, state)
    try:
        found = await asyncio.gather(*(_one(check, scene, deadline_s) for check in checks))
    finally:
        with_time = asyncio.wait_for(scene.aclose(), CLOSING_S)
        await asyncio.gather(with_time, return_exceptions=True)
    return tuple(line for lines in found for line in lines)


async def _one(check: Check, scene: Scene, deadline_s: float) -> Sequence[Line]:
    """The lines of one check, whatever happens in it."""
    if skipped := _skipped(check, scene):
        return (skipped,)
    try:
        async with asyncio.timeout(deadline_s):
            return await check.ask(scene)
    except TimeoutError:
        return (Line(check.name, Status.FAIL, f"no answer within {deadline_s:g} s", "check the network, then repeat"),)
    except Exception as error:  # one crash is one line; its text may hold anything, so only its kind is told
        log.debug("a check crashed", check=check.name, kind=type(error).__name__)
        remedy = "this is a fault of perpdesk: report it with the configuration, without keys"
        return (Line(check.name, Status.FAIL, f"the check itself failed: {type(error).__name__}", remedy),)


def _skipped(check: Check, scene: Scene) -> Line | None:
    if check.needs is Needs.NOTHING:
        return None
    if not scene.live:
        return Line(check.name, Status.SKIP, "not set up: venue is paper and BASE_RPC_URL is empty", "")
    if check.needs is Needs.VENUE:
        return None
    if scene.read is None:
        remedy = "set BASE_RPC_URL to Base nodes, separated by commas"
        return Line(check.name, Status.FAIL, scene.no_chain, remedy)
    if check.needs is Needs.WALLET and scene.wallet is None:
        return Line(check.name, Status.SKIP, "no wallet to look at", "see the line `wallet`")
    return None
