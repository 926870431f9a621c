"""Whether contracts still run the code that was believed when they were first used, or that an operator named.

A proxy keeps its address when what it does is replaced; what it stands for is in a slot of its own (EIP-1967). Code at
an address without such a slot cannot change, so that another is another chain, or a lie.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from venue.chain import machine
from venue.chain.envelope import RpcError
from venue.chain.facts import ContractPinned, Fact
from venue.chain.machine import Refusal
from venue.chain.state import Chain

IMPLEMENTATION: Final = int.from_bytes(keccak(text="eip1967.proxy.implementation"), "big") - 1
"""The slot in which proxies keep whom they stand for."""
STALE_MS: Final = 3_600_000
"""A comparison that was not repeated for so long has lapsed."""
T = TypeVar("T")


class Door(Protocol):
    """The journal, as pins are kept in it."""

    async def submit(self, command: machine.Command) -> tuple[Fact, ...] | Refusal: ...

    async def read(self, look: Callable[[Chain], T]) -> T: ...


class Node(Protocol):
    """The chain, agreed by most endpoints. Raises RpcError."""

    async def code(self, address: ChecksumAddress) -> bytes: ...

    async def storage(self, address: ChecksumAddress, slot: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands at an address."""

    code: str
    """Hash of it; empty: nothing stands there."""
    implementation: str
    """Whom it stands for; empty: it is no proxy of that kind."""

    @property
    def told(self) -> str:
        """As an operator names it: the implementation of a proxy, the hash of any other code."""
        return self.implementation or self.code or "nothing"


def mark(code: bytes, slot: bytes) -> Mark:
    """Of what a node says of an address."""
    stands_for = to_checksum_address(slot[-20:]) if any(slot) else ""
    return Mark(f"0x{keccak(code).hex()}" if code else "", stands_for)


async def seen(node: Node, address: ChecksumAddress) -> Mark:
    """What stands there now. Raises RpcError."""
    return mark(await node.code(address), await node.storage(address, IMPLEMENTATION))


@dataclass(frozen=True, slots=True)
class Change:
    """Other code than what is believed."""

    name: str
    address: ChecksumAddress
    before: str
    """Empty: nothing was believed yet, and nothing stands there."""
    now: Mark
    by_setting: bool = False
    """The settings name what is believed: only they can change it."""

    def __str__(self) -> str:
        if not self.now.code:
            return f"{self.name} {self.address}: nothing is deployed there"
        return f"{self.name} {self.address} was changed: {self.before} before, {self.now.told} now"


def judged(
    name: str, address: ChecksumAddress, now: Mark, named: str | None, believed: ContractPinned | None
) -> Change | None:
    """None: as believed, or to be believed from now on. What the settings name goes before what was seen first."""
    if named is not None:
        same = bool(now.code) and now.told.lower() == named.lower()
        return None if same else Change(name, address, named, now, by_setting=True)
    if believed is None:
        return None if now.code else Change(name, address, "", now)
    before = Mark(believed.code, believed.implementation)
    return None if before == now else Change(name, address, _apart(before, now), now)


def _apart(before: Mark, now: Mark) -> str:
    """What it was; by its code, where what it stands for is the same."""
    return before.code if before.told == now.told else before.told


class Pins:
    """The last comparison of `contracts`, which are names by address. `named` is what the settings expect."""

    def __init__(
        self,
        node: Node,
        door: Door,
        contracts: Mapping[ChecksumAddress, str],
        named: Mapping[str, str],
        now_ms: Callable[[], int],
    ) -> None:
        self._node = node
        self._door = door
        self.contracts = dict(contracts)
        self._named = {address.lower(): text for address, text in named.items()}
        self._now_ms = now_ms
        self._compared_ms: dict[ChecksumAddress, int] = {}
        self.changes: dict[ChecksumAddress, Change] = {}

    async def pass_once(self) -> str:
        """One comparison of each. Raises nothing that nodes raise."""
        try:
            await self.compare(*self.contracts)
        except RpcError as error:
            return f"{error.code}: {error}"
        return f"{len(self.contracts)} contracts, {len(self.changes)} changed"

    async def compare(self, *addresses: ChecksumAddress) -> None:
        """Of these; what was never seen before is pinned. Raises RpcError, and then the others were compared."""
        found = await asyncio.gather(*(self._compare(each) for each in addresses), return_exceptions=True)
        for error in filter(None, found):
            raise error

    def changed(self, *addresses: ChecksumAddress) -> str:
        """What of these was changed, or nothing."""
        return "; ".join(str(self.changes[each]) for each in addresses if each in self.changes)

    def why_not(self, *addresses: ChecksumAddress) -> str:
        """Why nothing new may be asked of these, or nothing: changed, or not compared lately."""
        since = self._now_ms() - STALE_MS
        if any(self._compared_ms.get(each, -1) < since for each in addresses if each in self.contracts):
            return self.changed(*addresses) or "its contracts were not compared with what is pinned lately"
        return self.changed(*addresses)

    async def accept(self, change: Change, who: str) -> Refusal | None:
        """Believes what stands there now."""
        pinned = ContractPinned(change.address, change.now.code, change.now.implementation, who)
        answer = await self._door.submit(machine.Pin(pinned))
        return answer if isinstance(answer, Refusal) else None

    async def _compare(self, address: ChecksumAddress) -> None:
        name, now = self.contracts[address], await seen(self._node, address)
        named = self._named.get(address.lower())
        believed = await self._door.read(lambda chain: chain.pins.get(address))
        change = judged(name, address, now, named, believed)
        if change is None and believed is None and named is None:
            await self._door.submit(machine.Pin(ContractPinned(address, now.code, now.implementation, "")))
        self._compared_ms[address] = self._now_ms()
        if change is None:
            self.changes.pop(address, None)
        else:
            self.changes[address] = change
