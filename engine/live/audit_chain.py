"""Whether the chain says what the journal says: every transaction and signed intent that ended, and the nonces.

An engine may go on meanwhile. What the journal said before the chain was asked is what the chain must have seen; what
it says afterwards is what it may have seen, because nothing is sent that the journal does not hold.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from eth_utils.address import to_checksum_address

from engine.audit import Finding
from engine.world import World
from venue.avantis.addresses import AVANTIS, Addresses
from venue.avantis.contracts import NONCE_BITMAP
from venue.avantis.intent_facts import IntentResult
from venue.avantis.intent_state import EndedIntent
from venue.avantis.tracking import nonce_slot
from venue.chain.agreed import AgreedNode
from venue.chain.call import Call
from venue.chain.facts import Result
from venue.chain.state import Ended

AT_ONCE: Final = 16
_WENT_THROUGH: Final = {Result.DONE: True, Result.CANCELLED: True, Result.REVERTED: False}
_USED: Final = {IntentResult.DONE: True, IntentResult.CANCELED: True, IntentResult.EXPIRED: False}
"""Of an intent that was refused or never handed over nobody knows: its nonce may have been used since."""


async def against_chain(
    world: World, node: AgreedNode, later: Callable[[], World], addresses: Addresses = AVANTIS
) -> tuple[Finding, ...]:
    """Asks only; nothing is signed. `later` reads what has been journaled by the time it is called, which may be folded
    into `world` itself; it is called when the chain knows of more, and last.

    Raises RpcError when too few nodes agree, and what `later` raises.
    """
    nonces, sent, intents = Finding("nonces"), Finding("sent"), Finding("intents")
    gate = asyncio.Semaphore(AT_ONCE)

    async def compare(tx_id: str, ended: Ended) -> None:
        async with gate:
            receipt = await node.receipt(ended.hash)
        if receipt is None:
            sent.fault(f"{tx_id}: the chain does not know {ended.hash}, which ended {ended.result}")
        elif receipt.succeeded != _WENT_THROUGH[ended.result]:
            went = "went through" if receipt.succeeded else "reverted"
            sent.fault(f"{tx_id}: {ended.hash} {went} on the chain, and ended {ended.result}")

    of_chain: dict[str, int] = {}
    for address, chain in world.wallets.chains.items():
        of_chain[address] = await node.nonce(to_checksum_address(address))
        known = {tx_id: ended for tx_id, ended in chain.ended.items() if ended.hash and ended.result in _WENT_THROUGH}
        sent.cases += len(known)
        await asyncio.gather(*(compare(tx_id, ended) for tx_id, ended in known.items()))
    for order_id, intent in world.intents.ended.items():
        expected = _USED.get(intent.ended.result)
        if expected is None:
            continue
        intents.cases += 1
        if await _is_used(intent, node, addresses) != expected:
            was = "never used" if expected else "used"
            intents.fault(f"{order_id}: its nonce was {was} on the chain, and it ended {intent.ended.result}")
    nonces.cases = len(of_chain)
    nonces.faults += (*_behind(world, of_chain), *_ahead(world, of_chain, later))
    return nonces, sent, intents


def _behind(world: World, of_chain: Mapping[str, int]) -> Iterator[str]:
    """Wallets of which the chain has seen less than the journal has seen end."""
    for address, nonce in of_chain.items():
        chain = world.wallets.chains[address]
        if nonce < (ended := chain.next_nonce - len(chain.open)):
            yield f"{address}: the chain expects nonce {nonce}, the journal saw all below {ended} end: another chain?"


def _ahead(world: World, of_chain: Mapping[str, int], later: Callable[[], World]) -> Iterator[str]:
    """Wallets of which the chain has seen more than the journal knows even now."""
    ahead = {address: nonce for address, nonce in of_chain.items() if nonce > world.wallets.chains[address].next_nonce}
    known = later().wallets.chains if ahead else {}
    for address, nonce in ahead.items():
        if nonce > (expected := known[address].next_nonce):
            yield f"{address}: the chain expects nonce {nonce}, the journal {expected}: somebody else sent from it"


async def _is_used(intent: EndedIntent, node: AgreedNode, addresses: Addresses) -> bool:
    trader = to_checksum_address(intent.signed.trader)
    slot, bit = nonce_slot(intent.signed.nonce)
    returned = await node.call(Call(addresses.trading, NONCE_BITMAP.encode(trader, slot)), trader)
    (word,) = NONCE_BITMAP.decode_returned(returned)
    return bool(int(word) >> bit & 1)
