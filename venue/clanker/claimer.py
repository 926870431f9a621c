"""Live fees: launches are collected one by one, and what they earned is claimed at once. Nothing waits for a block.

`claim_pooled_fees` begins a round and reports what earlier ones brought; `pass_once` carries the round on. What was
collected is earned once it has arrived: by a claim of ours that is done, or by a stranger's that lies as deep. All of
that is read from the wallet's journal and the receipts it names, again after every crash.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from venue.chain.call import Call
from venue.chain.envelope import RpcError
from venue.chain.guard import Guard, Refused
from venue.chain.machine import ChainCode, Refusal
from venue.chain.sender import Door, Sender
from venue.chain.state import Ended
from venue.clanker import locker
from venue.clanker.launches import Launches
from venue.clanker.reader import MOST_LOG_BLOCKS, Found, Reader, Source, reference
from venue.clanker.trail import Books, Ids, books, ids_of
from venue.perp import Usdc

PER_PASS: Final = 5
"""Most collections sent in a pass."""
TRIES: Final = 3
"""Most claims sent in a round: a stranger's that comes first makes ours revert, and that costs gas."""


@dataclass(frozen=True, slots=True)
class Fees:
    """What one collection brought for a launch, in USDC (1e-6). References of a launch only grow."""

    token: str
    """As it was asked for."""
    ref: str
    amount: Usdc


@dataclass(frozen=True, slots=True)
class Parts:
    """What the claimer works with."""

    reader: Reader
    launches: Launches
    guard: Guard
    sender: Sender
    door: Door
    confirmations: int
    """How deep a stranger's claim must lie."""


class Claimer:
    """One round at a time. `least` is the USDC (1e-6) for which a collection is worth its gas."""

    def __init__(self, parts: Parts, least: Usdc = 1) -> None:
        self._parts = parts
        self._least = max(least, 1)
        self._lock = asyncio.Lock()
        self._ids: Ids | None = None
        self._batch: tuple[ChecksumAddress, ...] = ()
        self._todo: list[Source] = []
        self._tries = 0
        self._resting = True
        """Whether the last round has come to its end, its claim included."""
        self._arrived_to = -1
        self._looked_to = 0
        self._counted_to = -1
        self._unattributed: Usdc = 0
        self._troubles: dict[str, str] = {}

    @property
    def troubles(self) -> Mapping[str, str]:
        """What a person should know, by launch, or by what it is about."""
        return dict(self._troubles)

    @property
    def unattributed(self) -> Usdc:
        """USDC that claims brought since this process began, and that no collection of ours stored."""
        return self._unattributed

    @property
    def others(self) -> Mapping[ChecksumAddress, int]:
        """WETH and launched tokens that wait in the fee locker by the collections this process has read: never fees."""
        return self._parts.reader.others

    async def claim_pooled_fees(self, last: dict[str, str]) -> tuple[Fees, ...]:
        """What the launches in `last` earned beyond the references that are booked; begins a round for them unless one
        is under way. Raises RpcError."""
        async with self._lock:
            now = await self._books()
            tokens = self._addresses(last)
            found = [
                fees for text, token in tokens.items() for fees in await self._beyond(text, token, last[text], now)
            ]
            self._tries = 0
            if self._resting and not (self._batch or self._todo or now.collecting or now.claiming):
                self._batch = tuple(tokens.values())
                self._resting = False
            return tuple(found)

    async def pass_once(self) -> str:
        """The next step of the round. Raises RpcError, and AbiError for answers that cannot be."""
        async with self._lock:
            now = await self._books()
            await self._count(now)
            if self._batch:
                await self._look()
            if self._todo:
                await self._collect()
                return f"{len(self._todo)} launches to collect"
            if now.collecting or now.claiming:
                self._resting = False
                return f"{now.collecting} collections and {now.claiming} claims open"
            return "nothing to claim" if self._resting else await self._claim(now)

    # Collecting

    async def _look(self) -> None:
        """Which launches of the batch are worth collecting."""
        sources: list[Source] = []
        for token in self._batch:
            launch = await self._parts.launches.find(token)
            if launch is None or not launch.rewards.indexes(self._parts.reader.wallet):
                self._troubles[token] = "no locker knows it" if launch is None else "its fees are not for us"
                continue
            self._troubles.pop(token, None)
            sources.append((token, launch.locker))
        brings = await self._parts.reader.would_bring(sources) if sources else {}
        self._todo = [each for each in sources if brings is None or brings[each[0]] >= self._least]
        self._batch = ()

    async def _collect(self) -> None:
        for _ in range(min(PER_PASS, len(self._todo))):
            token, at = self._todo[0]
            why = await self._send(locker.collect(at, token), token)
            if why == ChainCode.TOO_MANY:
                return
            self._todo.pop(0)

    async def _send(self, call: Call, token: ChecksumAddress | None) -> str:
        """A collection, or a claim. Says why not, or nothing. Raises RpcError when nobody can tell."""
        about, code = token or "claim", ""
        try:
            passed = await self._parts.guard.passes(call)
            ids = await self._known()
            tx_id = ids.collect(token) if token else ids.claim()
            refusal = await self._parts.sender.send(tx_id, passed)
        except Refused as error:
            refusal, code, text = None, str(error.code), str(error)
        except RpcError as error:
            if error.revert is None:
                raise
            refusal, code, text = None, str(error.code), str(error)
        if isinstance(refusal, Refusal):
            code, text = str(refusal.code), refusal.detail
        if code:
            self._troubles[about] = f"{code}: {text}"
        else:
            self._troubles.pop(about, None)
        return code

    # Claiming

    async def _claim(self, now: Books) -> str:
        """After a round: claims what waits, or finds that somebody did."""
        reader = self._parts.reader
        newest = await self._newest(now)
        available = await reader.available()
        if available == 0:
            if newest is None:
                self._resting = True
                return "nothing to claim"
            return await self._claimed_by_others(*newest)
        if newest is None and available < self._least:
            self._resting = True
            return "too little to claim"
        if self._tries >= TRIES:
            return "claims failed; tried again with the next round"
        self._tries += 1
        code = await self._send(locker.claim(reader.addresses, reader.wallet, reader.usdc), None)
        if code and await reader.available() == 0:
            self._troubles.pop("claim", None)
            return "somebody claimed first"
        return f"claim not sent: {code}" if code else "claim sent"

    async def _claimed_by_others(self, collect: Ended, found: Found) -> str:
        """Nothing is left of what we collected: somebody claimed it for us. Believed once that lies deep."""
        deep = (await self._parts.reader.node.head()).number - self._parts.confirmations
        first = max(int(found.ref.partition(":")[0]), self._looked_to)
        last = min(first + MOST_LOG_BLOCKS - 1, deep)
        if last < first:
            return "somebody claims for us"
        logs = await self._parts.reader.paid(first, last)
        if any(reference(log.block, log.index) > found.ref for log in logs):
            self._arrived_to, self._resting = collect.nonce, True
            return "somebody claimed for us"
        self._looked_to = last + 1
        return "somebody claims for us"

    async def _newest(self, now: Books) -> tuple[Ended, Found] | None:
        """The newest collection whose USDC has not arrived, as far as we know."""
        waiting = [(each, token) for token, done in now.collects.items() for each in done if each.nonce > self._to(now)]
        for each, token in sorted(waiting, key=lambda pair: pair[0].nonce, reverse=True):
            found = await self._found(each, token)
            if found and found.ref:
                return each, found
        return None

    # Reporting

    async def _beyond(self, text: str, token: ChecksumAddress, ref: str, now: Books) -> list[Fees]:
        """Oldest first. None of them when one cannot be read: what is booked out of order would be lost."""
        fresh: list[Fees] = []
        for collect in now.collects.get(token, ()):
            if collect.nonce > self._to(now):
                continue
            found = await self._found(collect, token)
            if found is None:
                return []
            if found.ref and found.ref <= ref:
                (await self._known()).forget_before(token, collect.reserved.tx_id)
                break
            if found.ref:
                fresh.append(Fees(text, found.ref, found.what.usdc))
        return fresh[::-1]

    async def _found(self, collect: Ended, token: ChecksumAddress) -> Found | None:
        found = await self._parts.reader.found(collect.hash, token)
        if found is None:
            self._troubles[token] = f"no receipt of {collect.hash}"
        return found

    async def _count(self, now: Books) -> None:
        """What the oldest claim not yet counted brought beyond our collections."""
        at = next((at for at, claim in enumerate(now.claims) if claim.nonce > self._counted_to), None)
        if at is None:
            return
        claim, before = now.claims[at], now.claims[at - 1] if at else None
        own, first = 0, None
        for token, done in now.collects.items():
            for each in done:
                if not (before.nonce if before else -1) < each.nonce < claim.nonce:
                    continue
                found = await self._found(each, token)
                if found is None:
                    return
                if found.ref:
                    own += found.what.usdc
                    block = int(found.ref.partition(":")[0])
                    first = block if first is None else min(first, block)
        last = await self._parts.reader.block_of(claim.hash)
        since = await self._parts.reader.block_of(before.hash) if before else None
        start = last if since is None and first is None else first if since is None else since + 1
        if last is None or start is None:
            return
        paid = await self._parts.reader.paid(max(start, last - MOST_LOG_BLOCKS), last)
        self._counted_to = claim.nonce
        if (extra := self._parts.reader.sum_of(paid) - own) > 0:
            self._unattributed += extra
            self._troubles["unattributed"] = f"{extra} of 1e-6 USDC in {claim.hash}: collected by others, no launch's"

    # What is known

    def _to(self, now: Books) -> int:
        """The nonce up to which everything collected has arrived."""
        return max(now.claimed_to, self._arrived_to)

    async def _known(self) -> Ids:
        if self._ids is None:
            self._ids = await self._parts.door.read(ids_of)
            self._counted_to = (await self._parts.door.read(lambda chain: books(chain, self._ids or Ids()))).claimed_to
        return self._ids

    async def _books(self) -> Books:
        ids = await self._known()
        return await self._parts.door.read(lambda chain: books(chain, ids))

    def _addresses(self, last: Mapping[str, str]) -> dict[str, ChecksumAddress]:
        found: dict[str, ChecksumAddress] = {}
        for text in last:
            try:
                found[text] = to_checksum_address(text)
            except ValueError:
                self._troubles[text] = "no address of a launch"
        return found
