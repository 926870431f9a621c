"""Every part of the chain and of the live venue, made once and wired. Nothing here does anything yet."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from eth_typing import ChecksumAddress

from engine.clock import Clock
from engine.config import ConfigError, Settings
from engine.live.chain_watch import ChainWatch
from engine.live.doors import Doors
from engine.live.intents import signed_route
from engine.live.money import allowed
from engine.live.purse import ChainPurse
from venue.avantis.adapter import AvantisVenue
from venue.avantis.addresses import BASE
from venue.avantis.builder import Builder
from venue.avantis.catalogue import Catalogues
from venue.avantis.claims import Claims, Marks, PositionWatch
from venue.avantis.direct import DirectRoute
from venue.avantis.endings import History
from venue.avantis.hosts import Api, Hosts, Service, family_of
from venue.avantis.intent_chain import IntentChain
from venue.avantis.orders import OrderStatus, Unknown, fetch_status
from venue.avantis.pair import Ceilings
from venue.avantis.positions import ChainFault
from venue.avantis.routes import TwoRoutes
from venue.avantis.signed import SignedRoute
from venue.avantis.trust import Trust
from venue.avantis.units import TEN
from venue.avantis.wire import AvantisError
from venue.chain.agreed import AgreedNode
from venue.chain.bucket import Budget
from venue.chain.call import Call
from venue.chain.endpoints import Endpoints
from venue.chain.envelope import RpcError
from venue.chain.fees import MOST_MARK
from venue.chain.guard import Guard, Simulate
from venue.chain.rpc import Rpc
from venue.chain.sender import Sender
from venue.chain.signer import Signer
from venue.chain.step import Policy
from venue.net.client import Client
from venue.net.url import checked_url

GWEI = 10**9
ETHER = 10**18
RELAY_STREAMS = 200
"""Each order holds a connection to the relay until it has ended; a close must find one when many are open."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What can be asked without a key."""

    endpoints: Endpoints
    node: AgreedNode
    api: Api
    trust: Trust
    catalogues: Catalogues

    async def aclose(self) -> None:
        """Closes idle connections."""
        await self.endpoints.aclose()
        await self.api.aclose()


@dataclass(frozen=True, slots=True)
class Trading:
    """What a key can do with it."""

    wallet: ChecksumAddress
    sender: Sender
    guard: Guard
    route: TwoRoutes
    signed: SignedRoute
    watch: PositionWatch
    venue: AvantisVenue
    purse: ChainPurse
    clients: tuple[Client, ...]

    async def keep_sending(self, beside: tuple[str, ...]) -> str:
        """One look at everything that was sent; takes the wallet on first, once per journal."""
        if refused := await self.sender.adopt(beside):
            return f"{refused.code}: {refused.detail}"
        return await self.sender.pass_once()

    async def aclose(self) -> None:
        """Leaves the relay's streams, and closes idle connections."""
        await self.signed.aclose()
        await self.sender.aclose()
        for client in self.clients:
            await client.aclose()


def reading(settings: Settings, clock: Clock) -> Reading:
    """Raises ConfigError, which shows no URL of a node: it may hold a key."""
    urls = settings.base_rpc_url.get_secret_value().split(",") if settings.base_rpc_url else []
    rpcs: list[Rpc] = []
    for number, text in enumerate(urls, start=1):
        try:
            rpcs.append(Rpc(checked_url(text.strip(), f"BASE_RPC_URL number {number}")))
        except ValueError as error:
            raise ConfigError(f"BASE_RPC_URL: {error}") from None
    if not rpcs:
        raise ConfigError("BASE_RPC_URL: empty; expected the URL of a Base node, or several separated by commas")
    endpoints = Endpoints(rpcs, BASE, budget=Budget.of(settings.chain.requests_per_s))
    api = Api(hosts_of(settings))
    ceilings = Ceilings(max_leverage=settings.avantis_max_leverage * TEN)
    return Reading(
        endpoints, AgreedNode(endpoints), api, Trust(api, clock.now_ms), Catalogues(api, clock.now_ms, ceilings)
    )


def hosts_of(settings: Settings) -> Hosts:
    """The venue's families of servers. Raises ConfigError."""
    try:
        return Hosts(tuple(family_of(name) for name in settings.avantis.hosts))
    except ValueError as error:
        raise ConfigError(f"avantis.hosts: {error}") from error


def policy_of(settings: Settings) -> Policy:
    """How patient the sender is, and what it may pay."""
    chain = settings.chain
    return Policy(
        confirmations=chain.confirmations,
        expires_blocks=chain.expires_blocks,
        fee_cap=int(chain.max_fee_gwei * GWEI),
    )


def trading(
    settings: Settings,
    read: Reading,
    signer: Signer,
    doors: Doors,
    claims: Claims,
    marks: Marks,
    chain: ChainWatch,
    clock: Clock,
    tokens: Collection[ChecksumAddress] = (),
) -> Trading:
    """`tokens`: launches whose fees may be collected and which may be bought back. Raises ConfigError."""
    wallet, policy = signer.address, policy_of(settings)
    sender = Sender(doors.chain, read.node, signer, policy, clock.now_ms, secrets.randbelow(MOST_MARK))
    builders, relay = builders_of(settings), relay_of(settings)
    builder = Builder(builders, clock.monotonic, most_fee=int(settings.avantis.max_execution_fee_eth * ETHER))
    guard = Guard(allowed(settings, wallet, tokens), _simulating(read.node, wallet), chain.changed)
    history, deep = history_of(read.api), policy.confirmations
    direct = DirectRoute(wallet, builder, guard, sender, read.node, history, deep)
    signed = signed_route(signer, doors.intents, IntentChain(wallet, read.node, history, deep), relay, clock)
    gasless = settings.avantis.route == "signed"
    route = TwoRoutes(signed, direct) if gasless else TwoRoutes(direct, signed)
    watch = PositionWatch(read.api, NodeReader(read.node, wallet), wallet, claims, clock.now_ms)
    venue = AvantisVenue(
        wallet,
        settings.exchange.markets,
        read.api,
        read.catalogues,
        route,
        watch,
        marks,
        int(settings.avantis.slippage_pct * 100 * TEN),
        clock.now_ms,
        lambda: read.trust.why_not() or chain.why_not(),
        gas=not gasless,
        why_stay=chain.why_stay,
    )
    purse = ChainPurse(read.node, wallet)
    return Trading(wallet, sender, guard, route, signed, watch, venue, purse, (*builders, relay))


def builders_of(settings: Settings) -> tuple[Client, ...]:
    """One for each family, in their order."""
    families = hosts_of(settings).families
    urls = [checked_url(family.url(Service.TX_BUILDER), Service.TX_BUILDER) for family in families]
    return tuple(Client(url, within_s=8.0) for url in urls)


def relay_of(settings: Settings) -> Client:
    """That of the first family only: what is signed is handed over once, to whom the operator names first."""
    url = checked_url(hosts_of(settings).families[0].url(Service.GATEWAY), Service.GATEWAY)
    return Client(url, within_s=8.0, connections=RELAY_STREAMS)


def _simulating(node: AgreedNode, wallet: ChecksumAddress) -> Simulate:
    async def simulate(call: Call) -> str:
        return await node.would_revert(call, wallet)

    return simulate


def history_of(api: Api) -> History:
    """What the venue's history says of a transaction; its faults are `Unknown`."""

    async def history(tx_hash: str) -> OrderStatus:
        try:
            return await fetch_status(api, tx_hash)
        except AvantisError as error:
            return Unknown(error.text)

    return history


class NodeReader:
    """The chain for those who look at positions."""

    def __init__(self, node: AgreedNode, wallet: ChecksumAddress) -> None:
        self._node = node
        self._wallet = wallet

    async def call(self, call: Call) -> bytes:
        try:
            return await self._node.call(call, self._wallet)
        except RpcError as error:
            raise ChainFault(f"{error.code}: {error}") from None
