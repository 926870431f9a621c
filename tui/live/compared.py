"""A journal held against the chain, for `perpdesk verify --chain`."""

import asyncio
from collections.abc import Callable

from engine.audit import Finding
from engine.clock import SystemClock
from engine.config import Settings
from engine.live.audit_chain import against_chain
from engine.live.wiring import reading
from engine.world import World
from tui.live.shared import OutOfReach
from venue.chain.envelope import RpcError


def compared(world: World, settings: Settings, later: Callable[[], World]) -> tuple[Finding, ...]:
    """What the chain says otherwise; `later` is the world as journaled by when it is called. Raises ConfigError without
    a node, OutOfReach when none can be believed, and what `later` raises."""

    async def ask() -> tuple[Finding, ...]:
        read = reading(settings, SystemClock())
        try:
            return await against_chain(world, read.node, later)
        finally:
            await read.aclose()

    try:
        return asyncio.run(ask())
    except RpcError as error:
        raise OutOfReach(f"chain: {error}") from error
