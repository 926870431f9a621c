"""What tx-builder says it works with, held against what is pinned here. One difference, and nothing is traded."""

from dataclasses import dataclass
from typing import Final

from venue.avantis.addresses import AVANTIS, BASE, Addresses
from venue.avantis.answers import built
from venue.avantis.hosts import Api, Service
from venue.avantis.wire import AvantisCode, AvantisError, Fields
from venue.chain.call import Wei

DOMAIN: Final = "AvantisTrading"
"""Name under which intents are signed; the renaming of the venue left it as it was."""
MOST_EXECUTION_FEE: Final = 10**16
"""0.01 ETH. A server that wants more per order is not believed."""
_WHAT: Final = "meta"


@dataclass(frozen=True, slots=True)
class Meta:
    """What tx-builder is asked for and not only compared with."""

    execution_fee: Wei
    """Sent along with an order of our own."""


def read_meta(fields: Fields, pinned: Addresses = AVANTIS, chain_id: int = BASE) -> Meta:
    """Raises META_MISMATCH naming field, found and expected; WRONG_SHAPE for a field that is missing."""
    _same(fields, "chainId", fields.integer("chainId"), chain_id)
    addresses = fields.inner("addresses")
    _same(addresses, "tradingRouter", addresses.address("tradingRouter", "trading"), pinned.trading)
    _same(addresses, "tradingStorage", addresses.address("tradingStorage"), pinned.storage)
    _same(addresses, "usdc", addresses.address("usdc"), pinned.usdc)
    _check_domain(fields.inner("eip712").inner("trading"), pinned, chain_id)
    defaults = fields.inner("defaults")
    fee = defaults.integer("executionFeeWei")
    if fee > MOST_EXECUTION_FEE:
        raise _mismatch(defaults.path("executionFeeWei"), fee, f"at most {MOST_EXECUTION_FEE}")
    return Meta(execution_fee=fee)


def _check_domain(trading: Fields, pinned: Addresses, chain_id: int) -> None:
    domain = trading.inner("domain") if trading.get("domain") is not None else trading
    _same(domain, "name", domain.text("name"), DOMAIN)
    # The name is all that is promised. What else it says must be true as well.
    if domain.get("chainId") is not None:
        _same(domain, "chainId", domain.integer("chainId"), chain_id)
    if domain.get("verifyingContract") is not None:
        _same(domain, "verifyingContract", domain.address("verifyingContract"), pinned.trading)


def _same(fields: Fields, name: str, found: int | str, expected: int | str) -> None:
    if found != expected:
        raise _mismatch(fields.path(name), found, str(expected))


def _mismatch(where: str, found: int | str, expected: str) -> AvantisError:
    return AvantisError(AvantisCode.META_MISMATCH, f"{where} is {found}: expected {expected}")


async def fetch_meta(api: Api, pinned: Addresses = AVANTIS) -> Meta:
    """Asks tx-builder. Raises AvantisError."""
    return await api.read(Service.TX_BUILDER, "v2/meta", lambda reply: read_meta(built(reply, _WHAT), pinned))
