"""Signed intents in a run: the route over the venue's relay, its loop, and what a person should know of it."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from engine.clock import Clock
from engine.live.doors import IntentDoor
from venue.avantis.intent_chain import IntentChain
from venue.avantis.relay import Relay
from venue.avantis.signed import SignedRoute
from venue.avantis.typed_signer import IntentChecker, IntentSigner
from venue.chain.signer import Signer
from venue.net.client import Client

FOLLOW_S: Final = 3.0
"""Longest look at the relay in a pass; the next one looks again."""
NONCE_BITS: Final = 256


def signed_route(signer: Signer, door: IntentDoor, chain: IntentChain, relay: Client, clock: Clock) -> SignedRoute:
    """The route of the wallet that `signer` signs for."""
    return SignedRoute(
        door,
        Relay(relay, clock.now_ms, follow_s=FOLLOW_S),
        chain,
        IntentChecker(signer.address, clock.now_ms),
        signer.another(IntentSigner),
        clock.now_ms,
        lambda: secrets.randbits(NONCE_BITS),
    )


class IntentWatch:
    """Looks after the intents that have not ended."""

    def __init__(self, route: SignedRoute, now_ms: Callable[[], int]) -> None:
        self._route = route
        self._now_ms = now_ms
        self._until: dict[str, int] = {}

    async def look(self) -> str:
        """One pass. Raises what the journal raises."""
        said = await self._route.pass_once()
        self._until = await self._route.waiting_until(silent=True)
        return said

    def alarms(self) -> list[str]:
        """As of the last pass."""
        now_ms, waiting = self._now_ms(), self._route.waiting
        until = {order_id: due_ms for order_id, due_ms in self._until.items() if due_ms >= now_ms}
        told = [f"order {order_id}: {why}" for order_id, why in waiting.items()]
        return told + [f"order {order_id} may still be taken until {_utc(at_ms)}" for order_id, at_ms in until.items()]


def _utc(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%H:%M:%S} UTC"
