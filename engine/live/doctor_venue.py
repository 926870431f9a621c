"""Checks that ask the venue's servers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from engine.live.doctor_scene import Line, Scene, Status, of_venue
from venue.avantis.answers import bare
from venue.avantis.hosts import Service
from venue.avantis.pair import Pair
from venue.avantis.units import TEN, USDC, written
from venue.avantis.wire import AvantisCode, AvantisError
from venue.net.client import Reply

ETHER: Final = 10**18
MARKETS: Final = ("ETH", "BTC")
YOUNG_MS: Final = 5_000
CANDLES: Final = "v1/shims/tradingview/history"
_HOUR_S: Final = 3600


def _questions(scene: Scene) -> dict[Service, Callable[[], Awaitable[object]]]:
    """One for each server."""
    return {
        Service.TX_BUILDER: scene.meta,
        Service.GATEWAY: scene.catalogue,
        Service.HISTORY: scene.past,
        Service.FEED: lambda: scene.price(MARKETS[0]),
    }


async def hosts(scene: Scene) -> Sequence[Line]:
    """Which family of hosts answers for each server."""
    return await asyncio.gather(*(_host(scene, service, ask) for service, ask in _questions(scene).items()))


async def _host(scene: Scene, service: Service, ask: Callable[[], Awaitable[object]]) -> Line:
    name = f"host {service}"
    try:
        await ask()
    except AvantisError as error:
        return of_venue(name, error)
    answering, troubles = scene.api.answering(service), scene.api.troubles(service)
    if troubles:
        silent = "; ".join(f"{family}: {error.code}" for family, error in troubles.items())
        text = f"{answering} answers; {silent}"
        if service is not Service.GATEWAY or scene.settings.avantis.route != "signed":
            return Line(name, Status.WARN, text, "who answers is asked instead: check avantis.hosts, or wait")
        # What is signed is handed over once, to the first family only, as `relay_of` has it.
        first = scene.settings.avantis.hosts[0]
        remedy = f"orders are relayed by {first} alone: put the family that answers first into avantis.hosts"
        return Line(name, Status.FAIL if answering != first else Status.WARN, text, remedy)
    return Line(name, Status.OK, f"{answering} answers")


async def addresses(scene: Scene) -> Sequence[Line]:
    """Whether tx-builder works with the contracts that are pinned here."""
    try:
        await scene.meta()
    except AvantisError as error:
        return (of_venue("addresses", error),)
    return (Line("addresses", Status.OK, "tx-builder names the pinned contracts, chain and domain"),)


async def feed(scene: Scene) -> Sequence[Line]:
    """How old the executable prices are."""
    return await asyncio.gather(*(_age(scene, symbol) for symbol in MARKETS))


async def _age(scene: Scene, symbol: str) -> Line:
    name = f"feed {symbol}"
    try:
        price = await scene.price(symbol)
    except AvantisError as error:
        return of_venue(name, error)
    age_ms = scene.clock.now_ms() - price.published_ms
    text = f"{written(price.price, TEN)} USD by {price.source}, {age_ms} ms old"
    if age_ms <= YOUNG_MS:
        return Line(name, Status.OK, text)
    return Line(name, Status.WARN, text, "check the clock of this machine; nothing is opened on an old price")


async def caps(scene: Scene) -> Sequence[Line]:
    """The least of what we and the venue allow."""
    try:
        listed = await scene.catalogue()
    except AvantisError as error:
        return (of_venue("caps", error),)
    lines: list[Line] = []
    for symbol in MARKETS:
        try:
            lines.append(_cap(scene, listed.pair(symbol)))
        except AvantisError as error:
            lines.append(of_venue(f"caps {symbol}", error))
    return lines


def _cap(scene: Scene, pair: Pair) -> Line:
    settings, name = scene.settings, f"caps {pair.symbol}"
    ours = min(int(settings.risk.leverage * TEN), settings.avantis_max_leverage * TEN)
    most = min(ours, pair.max_leverage)
    text = (
        f"leverage at most {written(most, TEN)}: risk.leverage {settings.risk.leverage}, AVANTIS_MAX_LEVERAGE "
        f"{settings.avantis_max_leverage}, venue {written(pair.max_leverage, TEN)}; notional at least "
        f"{written(pair.min_notional, USDC)} USDC, at most {written(max(pair.max_notional, 0), USDC)}"
    )
    if most < pair.min_leverage:
        least = written(pair.min_leverage, TEN)
        return Line(name, Status.FAIL, text, f"the venue wants at least {least}: raise risk.leverage")
    if not pair.opens:
        return Line(name, Status.WARN, f"closed now; {text}", "wait: positions can only be left")
    if settings.risk.max_position_usdc * most < pair.min_notional * TEN // USDC:
        return Line(name, Status.FAIL, text, "no desk can reach the notional: raise risk.max_position_usdc")
    return Line(name, Status.OK, text)


async def execution_fee(scene: Scene) -> Sequence[Line]:
    """What the venue asks for an order, against what we pay."""
    if scene.settings.avantis.route == "signed":
        return (Line("execution fee", Status.OK, "not paid: avantis.route is signed, the relay pays"),)
    try:
        fee = (await scene.meta()).execution_fee
    except AvantisError as error:
        return (of_venue("execution fee", error),)
    cap = scene.settings.avantis.max_execution_fee_eth
    text = f"{written(fee, ETHER)} ETH for an order: avantis.max_execution_fee_eth is {cap:f}"
    if fee > cap * ETHER:
        return (Line("execution fee", Status.FAIL, text, "orders would be refused: raise the cap, or wait"),)
    return (Line("execution fee", Status.OK, text),)


async def place(scene: Scene) -> Sequence[Line]:
    """Whether the venue serves this place. It is reported, and never worked around."""
    asked = _questions(scene)
    answers = await asyncio.gather(*(ask() for ask in asked.values()), return_exceptions=True)
    refused = [
        service
        for service, answer in zip(asked, answers, strict=True)
        if isinstance(answer, AvantisError) and answer.code is AvantisCode.GEO_RESTRICTED
    ]
    if not refused:
        return (Line("place", Status.OK, "no server refused this place (451)"),)
    text = f"{', '.join(refused)}: not available here by law (451)"
    remedy = "do not trade from here; perpdesk does not work around it"
    return (Line("place", Status.FAIL, text, remedy),)


async def candles(scene: Scene) -> Sequence[Line]:
    """Under which name the feed has candles. Nothing depends on it: prices are sampled here."""
    now_s = scene.clock.now_ms() // 1000
    whys: list[str] = []
    for symbol in (f"{MARKETS[0]}/USD", f"Crypto.{MARKETS[0]}/USD"):
        query = [("symbol", symbol), ("resolution", "60"), ("from", str(now_s - 6 * _HOUR_S)), ("to", str(now_s))]
        try:
            count = await scene.api.read(Service.FEED, CANDLES, _bars, query=query)
        except AvantisError as error:
            whys.append(f"{symbol}: {error.code}")
            if error.code is AvantisCode.GEO_RESTRICTED:
                break
        else:
            if count:
                return (Line("candles", Status.OK, f"{symbol} has {count} bars; not used, prices are sampled here"),)
            whys.append(f"{symbol}: none")
    text = f"{', '.join(whys)}; not used, prices are sampled here"
    return (Line("candles", Status.WARN, text, "nothing to do"),)


def _bars(reply: Reply) -> int:
    fields = bare(reply, "candles")
    times = fields.get("t")
    return len(times) if fields.get("s") == "ok" and isinstance(times, list) else 0


async def multicall(scene: Scene) -> Sequence[Line]:
    """Its struct is not published, so that nothing is read through it."""
    return (Line("multicall", Status.OK, "not used: positions are read from storage, slot by slot"),)


async def history(scene: Scene) -> Sequence[Line]:
    """Whether lines of the trade history can be read."""
    try:
        found = await scene.past()
    except AvantisError as error:
        return (of_venue("history", error),)
    text = f"{len(found.trades)} lines read, {found.unread} not"
    if found.unread:
        remedy = "the shape of the history has changed; it only informs, the chain decides: update perpdesk"
        return (Line("history", Status.WARN, text, remedy),)
    return (Line("history", Status.OK, text if found.trades else "no line yet: its shape is not known"),)


async def pusher(scene: Scene) -> Sequence[Line]:
    """Push events need a key that the venue does not publish."""
    return (Line("pusher", Status.OK, "not used, no key is published: outcomes are polled"),)
