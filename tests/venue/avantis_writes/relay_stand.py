"""A relay, what it is used with, and an intent that the wallet has signed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from eth_account import Account
from eth_utils.address import to_checksum_address

from tests.venue.avantis_writes import relay_server as told
from tests.venue.avantis_writes.relay_server import RelayServer, serving
from venue.avantis.asked import Open
from venue.avantis.intents import Intent, OpenIntent
from venue.avantis.relay import Rejected, Relay, Unsettled
from venue.avantis.tracking import Stage, Track
from venue.avantis.typed_signer import IntentChecker, IntentSigner, SignedIntent
from venue.avantis.units import TEN, USDC
from venue.net.client import Client

ACCOUNT = Account.from_key("0x" + "5e" * 32)
WALLET = to_checksum_address(ACCOUNT.address)
NOW = 1_800_000_000_000
LIFE = [told.ACCEPTED, told.ATTEMPT, told.INITIATED, told.EXECUTED]
OPENED = Open(WALLET, 0, True, 100 * USDC, 10 * TEN, 3 * 10**13, TEN)


def signed(intent: Intent | None = None) -> SignedIntent:
    passed = IntentChecker(WALLET, lambda: NOW).passes(intent or OpenIntent(OPENED, NOW + 120_000, 7))
    return IntentSigner(ACCOUNT).signed(passed)


@dataclass
class Stand:
    """A relay and what it is used with."""

    server: RelayServer
    relay: Relay
    now: int = NOW
    journal: list[str] = field(default_factory=list)

    async def on_accepted(self, tracking_id: str) -> None:
        self.journal.append(tracking_id)

    async def submit(self) -> Rejected | Unsettled | Track:
        return await self.relay.submit(signed(), self.on_accepted)


@asynccontextmanager
async def standing(**options: float) -> AsyncIterator[Stand]:
    async with serving() as server:
        client = Client(httpx.URL(server.url), within_s=2)
        times = {"silence_s": 0.3, "stream_s": 2.0, "follow_s": 2.0, "poll_s": 0.02} | options
        stand = Stand(server, Relay(client, lambda: stand.now, **times))
        server.log = list(LIFE)
        yield stand
        await client.aclose()


def executed(outcome: Rejected | Unsettled | Track) -> Track:
    assert isinstance(outcome, Track), outcome
    assert outcome.stage is Stage.EXECUTED
    return outcome
