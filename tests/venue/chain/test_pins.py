"""Contracts that are changed in place: seen, told, and believed again only when somebody says so."""

from dataclasses import dataclass, field

import pytest
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from tests.venue.chain.memory import Memory
from venue.chain.call import Call
from venue.chain.envelope import RpcCode, RpcError
from venue.chain.erc20 import BALANCE_OF
from venue.chain.facts import ContractPinned
from venue.chain.guard import Guard, GuardCode, Refused, Rule
from venue.chain.machine import ChainCode
from venue.chain.pins import STALE_MS, Change, Mark, Pins, judged, mark

PROXY = to_checksum_address("0x" + "aa" * 20)
PLAIN = to_checksum_address("0x" + "bb" * 20)
OLD = to_checksum_address("0x" + "01" * 20)
NEW = to_checksum_address("0x" + "02" * 20)


def word(address: str) -> bytes:
    return bytes.fromhex(address[2:]).rjust(32, b"\0")


@dataclass
class Nodes:
    """Code and implementation by address."""

    codes: dict[str, bytes] = field(default_factory=lambda: {PROXY: b"\x60", PLAIN: b"\x61"})
    slots: dict[str, bytes] = field(default_factory=lambda: {PROXY: word(OLD)})
    silent: bool = False

    async def code(self, address: ChecksumAddress) -> bytes:
        if self.silent:
            raise RpcError(RpcCode.DISAGREEMENT, "1 of 3 endpoints agree")
        return self.codes.get(address, b"")

    async def storage(self, address: ChecksumAddress, slot: int) -> bytes:
        assert slot == 0x360894A13BA1A3210667C828492DB98DCA3E2076CC3735A920A3CA505D382BBC
        return self.slots.get(address, bytes(32))


class House:
    def __init__(self, **named: str) -> None:
        self.nodes = Nodes()
        self.door = Memory()
        self.now_ms = 10**12
        self.named: dict[str, str] = {PROXY if name == "proxy" else PLAIN: text for name, text in named.items()}
        self.pins = self.process()

    def process(self) -> Pins:
        """One more process over the same journal."""
        return Pins(self.nodes, self.door, {PROXY: "trading", PLAIN: "router"}, self.named, lambda: self.now_ms)


@pytest.fixture
def house() -> House:
    return House()


async def test_what_is_seen_first_is_believed_and_survives_the_process(house: House) -> None:
    assert "not compared" in house.pins.why_not(PROXY)
    assert await house.pins.pass_once() == "2 contracts, 0 changed"
    assert house.pins.why_not(PROXY, PLAIN) == ""
    assert house.door.chain.pins[PROXY].implementation == OLD
    house.nodes.slots[PROXY] = word(NEW)
    again = house.process()
    assert await again.pass_once() == "2 contracts, 1 changed"
    assert again.why_not(PROXY) == f"trading {PROXY} was changed: {OLD} before, {NEW} now"
    assert again.changed(PROXY)
    assert again.why_not(PLAIN) == ""


async def test_a_change_is_there_until_it_is_accepted_or_undone(house: House) -> None:
    await house.pins.pass_once()
    house.nodes.slots[PROXY] = word(NEW)
    for _ in range(3):
        await house.pins.pass_once()
        assert house.pins.changed(PROXY)
    change = house.pins.changes[PROXY]
    refused = await house.pins.accept(change, "")
    assert refused
    assert refused.code is ChainCode.PINNED
    assert await house.pins.accept(change, "ops") is None
    await house.pins.pass_once()
    assert house.pins.why_not(PROXY) == ""
    assert house.door.chain.pins[PROXY] == ContractPinned(PROXY, change.now.code, NEW, "ops")
    house.nodes.slots[PROXY] = word(OLD)
    await house.pins.pass_once()
    assert house.pins.changed(PROXY), "what was believed before is another change"


async def test_code_that_changes_under_the_same_implementation(house: House) -> None:
    await house.pins.pass_once()
    house.nodes.codes |= {PROXY: b"\x62", PLAIN: b"\x63"}
    await house.pins.pass_once()
    assert set(house.pins.changes) == {PROXY, PLAIN}
    assert house.pins.changes[PROXY].before.startswith("0x")
    assert house.pins.changes[PROXY].before != OLD


async def test_nothing_is_not_believed(house: House) -> None:
    del house.nodes.codes[PLAIN]
    await house.pins.pass_once()
    assert house.pins.changed(PLAIN) == f"router {PLAIN}: nothing is deployed there"
    assert PLAIN not in house.door.chain.pins
    house.nodes.codes[PLAIN] = b"\x61"
    await house.pins.pass_once()
    assert house.pins.changed(PLAIN) == ""


async def test_nodes_that_do_not_agree_bar_opens_after_an_hour_and_closes_never(house: House) -> None:
    await house.pins.pass_once()
    house.nodes.silent = True
    assert "DISAGREEMENT" in await house.pins.pass_once()
    assert house.pins.why_not(PROXY) == ""
    house.now_ms += STALE_MS + 1
    assert "not compared" in house.pins.why_not(PROXY)
    assert house.pins.changed(PROXY) == ""
    house.nodes.silent = False
    await house.pins.pass_once()
    assert house.pins.why_not(PROXY) == ""


async def test_what_the_settings_name_goes_before_what_was_seen() -> None:
    house = House(proxy=NEW.lower())
    await house.pins.pass_once()
    assert house.pins.changes[PROXY].by_setting
    assert PROXY not in house.door.chain.pins
    house.nodes.slots[PROXY] = word(NEW)
    await house.pins.pass_once()
    assert not house.pins.changes


@pytest.mark.parametrize(
    ("named", "fine"), [("implementation", True), ("code", False), ("other", False)], ids=lambda each: str(each)
)
def test_a_proxy_is_named_by_whom_it_stands_for(named: str, fine: bool) -> None:
    now = mark(b"\x60", word(NEW))
    text = {"implementation": NEW, "code": now.code, "other": OLD}[named]
    assert (judged("x", PROXY, now, text, None) is None) is fine
    plain = mark(b"\x60", bytes(32))
    assert judged("x", PLAIN, plain, plain.code, None) is None
    assert judged("x", PLAIN, Mark("", ""), plain.code, None)


async def test_the_guard_passes_nothing_to_a_contract_that_was_changed(house: House) -> None:
    async def survives(_: Call) -> str:
        return ""

    guard = Guard({PLAIN: (Rule(BALANCE_OF),)}, survives, house.pins.changed)
    call = Call(PLAIN, BALANCE_OF.encode(OLD))
    await house.pins.pass_once()
    await guard.passes(call)
    house.nodes.codes[PLAIN] = b"\x63"
    await house.pins.pass_once()
    with pytest.raises(Refused) as caught:
        await guard.passes(call)
    assert caught.value.code is GuardCode.CHANGED


def test_a_change_says_before_and_now() -> None:
    change = Change("trading", PROXY, OLD, mark(b"\x60", word(NEW)))
    assert str(change) == f"trading {PROXY} was changed: {OLD} before, {NEW} now"
