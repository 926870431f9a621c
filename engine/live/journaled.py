"""One command with the wallet: the same lease, journal, guard and sender as a run, for as long as it takes.

An engine and a command never send side by side: whoever holds the state directory has the only nonce table.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.belonging import belongs
from engine.chronicle import Chronicle
from engine.clock import Clock
from engine.config import Settings
from engine.live.chain_watch import ChainWatch, chain_watch
from engine.live.doors import claims_of, doors_of
from engine.live.wiring import Reading, Trading, trading
from engine.settlement import Settlement
from engine.stills.world import begin
from store.journal import Journal
from store.lease import Lease
from venue.avantis.claims import Claim
from venue.avantis.direct import Ending, Unclear, UnderWay
from venue.chain.envelope import RpcError
from venue.chain.machine import Refusal
from venue.chain.sender import Standing, Unsent
from venue.chain.signer import Signer
from venue.chain.state import Ended, Tx

LOOK_S: Final = 0.5
Say = Callable[[str], None]
"""Words for whoever waits."""


@dataclass(frozen=True, slots=True)
class OneShot:
    """A wallet that may send, once."""

    settlement: Settlement
    trade: Trading
    chain: ChainWatch
    clock: Clock

    async def claims(self) -> tuple[Claim, ...]:
        """Positions that desks of this journal own."""
        return await self.settlement.read(lambda world: claims_of(world, self.trade.wallet))

    async def settled(self, tx_id: str, say: Say, within_s: float) -> Ended | None:
        """The end of a transaction; None when it has none in time."""
        standing: Standing = Unsent()

        async def look() -> str:
            nonlocal standing
            standing = await self.trade.sender.standing(tx_id)
            return "" if isinstance(standing, Ended) else _where(standing)

        await self._until(look, tx_id, say, within_s)
        return standing if isinstance(standing, Ended) else None

    async def followed(self, order_id: str, say: Say, within_s: float) -> Ending:
        """What became of an order; UnderWay or Unclear when nobody could tell in time."""
        ending: Ending = UnderWay()

        async def look() -> str:
            nonlocal ending
            ending = await self.trade.route.ending(order_id)
            if isinstance(ending, Unclear) and not ending.stuck:
                return ending.why
            if not isinstance(ending, UnderWay):
                return ""
            if await self.trade.signed.knows(order_id):
                return "with the relay"
            standing = await self.trade.sender.standing(order_id)
            return "registered; waiting for a keeper" if isinstance(standing, Ended) else _where(standing)

        await self._until(look, order_id, say, within_s)
        return ending

    async def _until(self, look: Callable[[], Awaitable[str]], tx_id: str, say: Say, within_s: float) -> None:
        """Passes until `look` has nothing more to say, or time is up. A node that fails is asked again."""
        until, said = self.clock.monotonic() + within_s, ""
        while True:
            words = ""
            try:
                await self.trade.sender.pass_once()
                await self.trade.signed.pass_once()
            except RpcError as error:
                words = f"{error.code}: {error}"
            if not (state := await look()):
                return
            waiting = self.trade.sender.waiting | self.trade.signed.waiting
            words = words or waiting.get(tx_id, "") or state
            if words != said:
                say(words)
                said = words
            if self.clock.monotonic() >= until:
                return
            await self.clock.sleep(LOOK_S)


def _where(standing: Standing) -> str:
    if not isinstance(standing, Tx):
        return "not sent"
    if standing.included:
        return f"in block {standing.included.block}; waiting for confirmations"
    if not standing.attempts:
        return "reserved"
    return f"sent as {standing.attempts[-1].hash}; waiting for a block"


class Unwelcome(Exception):
    """The journal is another wallet's: a code, and one line."""


@asynccontextmanager
async def journaled(directory: Path, clock: Clock) -> AsyncGenerator[Settlement, None]:
    """The journal of a state directory, ours alone. Raises Locked while an engine has it, and what the store raises."""
    with Lease(directory):
        journal = await Journal.open(directory)
        try:
            settlement = Settlement(journal, clock, lambda _world, _recorded: None)
            await settlement.recover(start=begin(directory, Chronicle(logging=False)))
            writer = asyncio.create_task(settlement.run(), name="settlement")
            try:
                if wrong := await settlement.read(lambda world: belongs(world, demo=False, live=True)):
                    raise wrong
                yield settlement
            finally:
                writer.cancel()
                await asyncio.gather(writer, return_exceptions=True)
        finally:
            await journal.close()


@asynccontextmanager
async def one_shot(
    settings: Settings,
    read: Reading,
    directory: Path,
    unlock: Callable[[], Awaitable[Signer]],
    clock: Clock,
    beside: tuple[str, ...] = (),
) -> AsyncGenerator[OneShot, None]:
    """The wallet over the journal of `directory`; the password is asked for once the directory is ours.
    `beside`: the wallets that the settings name; one of them may be new to a journal that knows others.

    Raises Unwelcome when the journal is another wallet's, and what `unlock`, the node and the store raise.
    """
    async with journaled(directory, clock) as settlement:
        signer = await unlock()

        async def claims() -> tuple[Claim, ...]:
            return await settlement.read(lambda world: claims_of(world, signer.address))

        doors = doors_of(settlement, signer.address)
        chain = chain_watch(settings, read.endpoints, read.node, doors.chain, clock)
        trade = trading(settings, read, signer, doors, claims, lambda _: None, chain, clock)
        try:
            if isinstance(refused := await trade.sender.adopt(beside if signer.address in beside else ()), Refusal):
                raise Unwelcome(f"{refused.code}: {refused.detail}")
            yield OneShot(settlement, trade, chain, clock)
        finally:
            await trade.aclose()
