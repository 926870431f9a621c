"""An order by hand: priced like those of desks, within the same limits, and held against the builder's answer."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from eth_typing import ChecksumAddress

from engine.clock import Clock
from engine.config import ConfigError, Settings
from engine.live.wiring import ETHER, NodeReader, Reading, builders_of
from venue.avantis.asked import Asked
from venue.avantis.builder import Builder
from venue.avantis.contracts import CLOSE_TRADE_MARKET, INCREASE_POSITION_SIZE, OPEN_TRADE
from venue.avantis.envelope import NotOffered
from venue.avantis.meta import fetch_meta
from venue.avantis.pair import Pair
from venue.avantis.positions import Held, Report, read_slots, scan_pairs
from venue.avantis.prices import check_deviation, fetch_price, fetch_spread
from venue.avantis.rules import rules
from venue.avantis.translate import Prepared, Unfit, prepared, quoted, spread_ask
from venue.avantis.units import TEN, TO_WAD, USDC, written
from venue.avantis.wire import AvantisError
from venue.chain.abi import AbiError
from venue.chain.call import Call
from venue.chain.erc20 import APPROVE
from venue.chain.guard import Guard, Refused
from venue.perp import OpenOrder, Order, Quote
from venue.pyth import FEEDS, HermesError, PricePolicy, Refusal
from venue.pyth import check as checked_price
from venue.pyth.hermes import HermesClient

WAD: Final = 10**18
BY_HAND: Final = "by hand"
"""The account of orders that no desk asked for."""
_NAMES: Final = {
    OPEN_TRADE: ("trade", "type", "slippage"),
    CLOSE_TRADE_MARKET: ("pair", "index", "collateral", "price"),
    INCREASE_POSITION_SIZE: ("added", "slippage"),
    APPROVE: ("spender", "amount"),
}
_TRADE: Final = ("trader", "pair", "index", "0", "collateral", "price", "buy", "leverage", "tp", "sl", "timestamp")


@dataclass(frozen=True, slots=True)
class Ticket:
    """An order, ready to be sent. `quote` is None when nobody could tell what it comes to: `doubts` say why."""

    ready: Prepared
    quote: Quote | None
    doubts: tuple[str, ...] = ()

    @property
    def asked(self) -> Asked:
        return self.ready.asked


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one of the walls says of a call; `code` is empty when it lets it through."""

    wall: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Inspected:
    """The call that would be signed, if any, and every wall it met."""

    call: Call | None
    decoded: dict[str, str]
    verdicts: tuple[Verdict, ...]

    @property
    def refused(self) -> Verdict | None:
        return next((each for each in self.verdicts if each.code), None)


async def our_price(settings: Settings, symbol: str, clock: Clock) -> int:
    """The price of our own oracle, 1e-18. Raises Unfit."""
    if symbol not in FEEDS:
        raise Unfit("NO_PRICE", f"{symbol}: perpdesk has no price feed of it")
    try:
        client = HermesClient(settings.pyth.url, settings.pyth.key, FEEDS, lambda *_: None, clock.now_ms)
    except ValueError as error:
        raise ConfigError(f"pyth: {error}") from None
    try:
        async with client:
            items = await client.latest((symbol,))
    except HermesError as error:
        raise Unfit("NO_PRICE", f"our own price of {symbol}: {error.reason}") from None
    policy = PricePolicy()
    for item in items:
        price = checked_price(FEEDS[symbol], None, item, clock.now_ms(), policy)
        if isinstance(price, Refusal):
            raise Unfit("NO_PRICE", f"our own price of {symbol}: {price.detail}")
        if clock.now_ms() - price.publish_time * 1000 > policy.trade_age_s * 1000:
            raise Unfit("NO_PRICE", f"our own price of {symbol} is older than {policy.trade_age_s} s")
        return price.wad
    raise Unfit("NO_PRICE", f"our own price of {symbol}: Hermes sent none")


async def opening(settings: Settings, read: Reading, order: OpenOrder, wallet: ChecksumAddress, clock: Clock) -> Ticket:
    """Prices an opening, after everything that forbids one. Raises Unfit, AvantisError, ConfigError."""
    _within_limits(settings, order)
    await fetch_meta(read.api)
    pair = (await read.catalogues.newest()).pair(order.market)
    price = (await fetch_price(read.api, pair.index, clock.now_ms)).price
    check_deviation(price, await our_price(settings, order.market, clock) // TO_WAD, pair.max_open_deviation)
    ready = prepared(order, pair, price, None, wallet, slippage_of(settings))
    spread = await fetch_spread(read.api, spread_ask(ready, wallet))
    return Ticket(ready, quoted(ready, spread.percent))


async def closing(
    settings: Settings, read: Reading, order: Order, pair: Pair, held: Held, wallet: ChecksumAddress, clock: Clock
) -> Ticket:
    """Prices a way out. It is there without our own oracle and without a spread; two oracles that contradict each other
    still bar it. Raises Unfit, AvantisError."""
    price = (await fetch_price(read.api, pair.index, clock.now_ms)).price
    ready = prepared(order, pair, price, held, wallet, slippage_of(settings))
    doubts: list[str] = []
    try:
        mark = await our_price(settings, pair.symbol, clock)
    except Unfit as unfit:
        doubts.append(unfit.detail)
    else:
        check_deviation(price, mark // TO_WAD, pair.max_open_deviation)
    try:
        spread = await fetch_spread(read.api, spread_ask(ready, wallet))
    except AvantisError as error:
        return Ticket(ready, None, (*doubts, error.text))
    return Ticket(ready, quoted(ready, spread.percent), tuple(doubts))


def slippage_of(settings: Settings) -> int:
    """In percent, 1e-10."""
    return int(settings.avantis.slippage_pct * 100 * TEN)


def _within_limits(settings: Settings, order: OpenOrder) -> None:
    risk = settings.risk
    if order.leverage > risk.leverage * WAD:
        shown = written(order.leverage // TO_WAD, TEN)
        raise Unfit("OVER_LIMIT", f"leverage {shown}: expected at most {risk.leverage} (risk.leverage)")
    if order.collateral > risk.max_position_usdc * USDC:
        shown, most = written(order.collateral, USDC), risk.max_position_usdc
        raise Unfit("OVER_LIMIT", f"collateral {shown}: expected at most {most} (risk.max_position_usdc)")


async def held_by(read: Reading, wallet: ChecksumAddress, pair: Pair, index: int | None, most: int) -> Held:
    """The one position of the wallet on a pair, as the chain holds it. Raises Unfit."""
    reader = NodeReader(read.node, wallet)
    if index is None:
        answer = await scan_pairs(reader, wallet, [pair.index], most)
    else:
        answer = await read_slots(reader, wallet, [(pair.index, index)])
    if not isinstance(answer, Report):
        raise Unfit("NO_CHAIN", f"the chain cannot tell what is held: {answer.why}")
    if not answer.held:
        where = pair.symbol if index is None else f"{pair.symbol} index {index}"
        raise Unfit("NO_POSITION", f"{where}: the wallet holds none")
    if len(answer.held) > 1:
        indexes = ", ".join(str(held.trade_index) for held in answer.held)
        raise Unfit("SEVERAL", f"{pair.symbol}: the wallet holds several; expected --index with one of {indexes}")
    return answer.held[0]


@asynccontextmanager
async def builder_of(settings: Settings, clock: Clock) -> AsyncGenerator[Builder, None]:
    """The tx-builders, as `trading` asks them."""
    clients = builders_of(settings)
    try:
        yield Builder(clients, clock.monotonic, most_fee=int(settings.avantis.max_execution_fee_eth * ETHER))
    finally:
        for client in clients:
            await client.aclose()


async def inspected(read: Reading, builder: Builder, asked: Asked, wallet: ChecksumAddress) -> Inspected:
    """What would be signed for `asked`, and what every wall says of it. Signs nothing."""
    try:
        call = await builder.call(asked)
    except (NotOffered, Refused) as error:
        return Inspected(None, {}, (Verdict("builder", str(error.code), str(error)),))
    verdict = Verdict("builder", "", "the same call as ours")
    return await judged(read, call, wallet, verdict)


async def judged(read: Reading, call: Call, wallet: ChecksumAddress, *before: Verdict) -> Inspected:
    """What the guard says of a call, simulation included."""

    async def simulate(asked: Call) -> str:
        return await read.node.would_revert(asked, wallet)

    guard, decoded = Guard(rules(wallet), simulate), decoded_call(call)
    try:
        guard.allow(call)
    except Refused as error:
        return Inspected(call, decoded, (*before, Verdict("allow-list", str(error.code), str(error))))
    before = (*before, Verdict("allow-list", "", "may be called"))
    try:
        await guard.passes(call)
    except Refused as error:
        return Inspected(call, decoded, (*before, Verdict("simulation", str(error.code), str(error))))
    return Inspected(call, decoded, (*before, Verdict("simulation", "", "does not revert")))


def decoded_call(call: Call) -> dict[str, str]:
    """Target, function and arguments, for people; raw units of the chain."""
    told = {"to": str(call.to), "value": str(call.value)}
    function = next((each for each in _NAMES if call.data[:4] == each.selector), None)
    if function is None:
        return told | {"data": f"0x{call.data.hex()}"}
    try:
        arguments = function.decode(call.data)
    except AbiError as error:
        return told | {"function": function.name, "data": str(error)}
    told["function"] = function.name
    for name, value in zip(_NAMES[function], arguments, strict=True):
        told |= _named(name, value)
    return told


def _named(name: str, value: Any) -> dict[str, str]:  # noqa: ANN401 - whatever the ABI decodes to
    if name == "trade":
        return {inner: str(each) for inner, each in zip(_TRADE, value, strict=True) if inner != "0"}
    if name == "added":
        names = ("trader", "pair", "index", "price", "collateral", "leverage")
        return {inner: str(each) for inner, each in zip(names, value, strict=True)}
    return {name: str(value)}
