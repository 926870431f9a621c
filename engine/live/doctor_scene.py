"""What checks look at, and how they say what they saw."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from engine.clock import Clock
from engine.config import ConfigError, Settings
from engine.live.wiring import Reading, hosts_of, reading
from venue.avantis.catalogue import Catalogue, Catalogues
from venue.avantis.hosts import Api
from venue.avantis.meta import Meta, fetch_meta
from venue.avantis.orders import TradeHistory, fetch_history
from venue.avantis.pair import Ceilings
from venue.avantis.prices import Executable, fetch_price
from venue.avantis.units import TEN
from venue.avantis.wire import AvantisCode, AvantisError
from venue.chain.envelope import RpcError
from venue.chain.keystore import address_of
from venue.chain.passwords import KeystoreError

T = TypeVar("T")
ANY_LEVERAGE: Final = 10_000 * TEN
NOBODY: Final = to_checksum_address("0x000000000000000000000000000000000000dEaD")
_PASSING: Final = frozenset(
    (AvantisCode.RATE_LIMITED, AvantisCode.TOO_SLOW, AvantisCode.SERVER_FAILED, AvantisCode.UPSTREAM_ERROR)
)


class Status(StrEnum):
    """How a line is meant; only `fail` stands in the way of trading."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Line:
    """One finding. `remedy`: what an operator can do about it."""

    name: str
    status: Status
    text: str
    remedy: str = ""


def of_venue(name: str, error: AvantisError) -> Line:
    """A server of the venue gave no answer that may be acted on."""
    status = Status.WARN if error.code in _PASSING else Status.FAIL
    return Line(name, status, f"{error.code}: {error.text}", error.remedy)


def of_chain(name: str, error: RpcError) -> Line:
    """The endpoints gave no answer."""
    return Line(name, Status.FAIL, f"{error.code}: {error}", "see the lines `endpoint`")


@dataclass(slots=True)
class Scene:
    """Everything there is to ask. Each question is asked once, whoever wants its answer."""

    settings: Settings
    keystore: Path
    clock: Clock
    api: Api
    read: Reading | None
    no_chain: str
    wallet: ChecksumAddress | None
    state: Path | None = None
    """The state directory whose journal may be looked at."""
    more: tuple[ChecksumAddress, ...] = ()
    """Further wallets of a fleet."""
    _asked: dict[str, asyncio.Task[Any]] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """Whether anything but paper is meant."""
        return self.settings.venue != "paper" or self.settings.base_rpc_url is not None

    @property
    def chain(self) -> Reading:
        """For checks that are skipped without one."""
        if self.read is None:
            raise AssertionError("asked without a chain")
        return self.read

    @property
    def address(self) -> ChecksumAddress:
        """Whose holdings are looked at."""
        return self.wallet or NOBODY

    @property
    def fleet(self) -> tuple[tuple[str, ChecksumAddress], ...]:
        """Every wallet, and what tells its lines apart from those of the first."""
        return (("", self.address), *((f" {wallet[2:6]}", wallet) for wallet in self.more))

    def keystore_option(self, wallet: ChecksumAddress) -> str:
        """What a command needs to work with a further wallet; nothing for the first."""
        for path in self.settings.wallet.more if wallet in self.more else ():
            with suppress(KeystoreError):
                if address_of(path) == wallet:
                    return f" --keystore {path}"
        return ""

    async def meta(self) -> Meta:
        return await self._once("meta", lambda: fetch_meta(self.api))

    async def catalogue(self) -> Catalogue:
        """With the venue's own caps: ours are compared with them."""
        listed = Catalogues(self.api, self.clock.now_ms, Ceilings(max_leverage=ANY_LEVERAGE))
        return await self._once("catalogue", listed.newest)

    async def past(self) -> TradeHistory:
        return await self._once("history", lambda: fetch_history(self.api, self.address))

    async def price(self, symbol: str) -> Executable:
        """Raises NOT_LISTED as well."""

        async def ask() -> Executable:
            return await fetch_price(self.api, (await self.catalogue()).pair(symbol).index, self.clock.now_ms)

        return await self._once(f"price {symbol}", ask)

    async def aclose(self) -> None:
        """Ends what is still asked, and closes connections."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)
        await self.api.aclose()
        if self.read is not None:
            await self.read.aclose()

    async def _once(self, name: str, ask: Callable[[], Awaitable[T]]) -> T:
        async def answer() -> T:
            return await ask()

        if name not in self._asked:
            self._asked[name] = asyncio.create_task(answer(), name=name)
        task: asyncio.Task[T] = self._asked[name]
        return await asyncio.shield(task)  # a check that gives up takes no answer from the others


def scene_of(settings: Settings, keystore: Path, clock: Clock, state: Path | None = None) -> Scene:
    """Opens nothing yet. Raises ConfigError for hosts nothing may be sent to."""
    read, why = None, "BASE_RPC_URL is not set"
    if settings.base_rpc_url is not None:
        try:
            read = reading(settings, clock)
        except ConfigError as error:
            why = str(error)
    named = settings.wallet.address  # what it holds can be looked at without its key
    wallet = to_checksum_address(named) if named else None
    with suppress(KeystoreError):
        wallet = address_of(keystore)
    more: list[ChecksumAddress] = []
    for path in settings.wallet.more:  # one that cannot be read has its own line
        with suppress(KeystoreError):
            more.append(address_of(path))
    return Scene(settings, keystore, clock, Api(hosts_of(settings)), read, why, wallet, state, tuple(more))
