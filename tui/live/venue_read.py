"""What `perpdesk venue avantis read`, `pairs` and `positions` ask for. Loaded by these commands only."""

import asyncio
from pathlib import Path

from eth_typing import ChecksumAddress

from engine.clock import SystemClock
from engine.config import Settings
from engine.live.wiring import NodeReader, Reading, hosts_of, reading
from tui.live import shared
from tui.live.wallet import holdings
from venue.avantis.catalogue import Catalogues
from venue.avantis.hosts import Api, Service
from venue.avantis.meta import fetch_meta
from venue.avantis.pair import Ceilings, Pair
from venue.avantis.positions import Answer, From, Held, Report, Silent, fetch_builder, fetch_core, scan_pairs
from venue.avantis.prices import fetch_price
from venue.avantis.units import TEN, USDC, written
from venue.avantis.wire import AvantisError
from venue.chain.passwords import KeystoreCode, KeystoreError


async def overview(settings: Settings, keystore: Path) -> dict[str, object]:
    """The venue now, and the wallet where there is one. Raises AvantisError, RpcError, KeystoreError."""
    api, clock = Api(hosts_of(settings)), SystemClock()
    try:
        meta = await fetch_meta(api)
        catalogue = await Catalogues(api, clock.now_ms, _ceilings(settings)).newest()
        found: dict[str, object] = {
            "hosts": api.answering(Service.TX_BUILDER),
            "addresses": "as pinned",
            "execution fee": written(meta.execution_fee, 10**18),
        }
        for symbol in settings.exchange.markets:
            found[symbol] = await _price(api, catalogue.pairs.get(f"{symbol}/USD"), clock)
    finally:
        await api.aclose()
    try:
        address = shared.address_of(settings, keystore)
    except KeystoreError as error:
        if error.code is not KeystoreCode.MISSING:
            raise
        return found | {"wallet": "none"}
    found["wallet"] = address
    return found | (await holdings(settings, address) if settings.base_rpc_url is not None else {})


async def _price(api: Api, pair: Pair | None, clock: SystemClock) -> str:
    if pair is None:
        return "not listed"
    try:
        return written((await fetch_price(api, pair.index, clock.now_ms)).price, TEN)
    except AvantisError as error:
        return error.text


def _ceilings(settings: Settings) -> Ceilings:
    return Ceilings(max_leverage=settings.avantis_max_leverage * TEN)


async def catalogue(settings: Settings) -> tuple[list[Pair], dict[str, str]]:
    """Pairs that can be traded, and why others cannot. Raises AvantisError."""
    api = Api(hosts_of(settings))
    try:
        found = await Catalogues(api, SystemClock().now_ms, _ceilings(settings)).newest()
    finally:
        await api.aclose()
    return sorted(found.pairs.values(), key=lambda pair: pair.index), dict(found.left_out)


async def held(settings: Settings, wallet: ChecksumAddress) -> tuple[list[dict[str, object]], list[str]]:
    """A row per position, and which sources gave no answer. Raises AvantisError."""
    read = reading(settings, SystemClock())
    try:
        await read.node.head()
        listed = await read.catalogues.newest()
        pairs = {pair.index: pair for pair in listed.pairs.values()}
        answers = await asyncio.gather(
            fetch_core(read.api, wallet), fetch_builder(read.api, wallet), _on_chain(read, wallet, settings, pairs)
        )
    finally:
        await read.aclose()
    return _rows(answers, pairs), [f"{each.source}: {each.why}" for each in answers if isinstance(each, Silent)]


async def _on_chain(read: Reading, wallet: ChecksumAddress, settings: Settings, pairs: dict[int, Pair]) -> Answer:
    """Of the markets of the configuration: every slot of every pair would be thousands of questions."""
    wanted = [pair.index for pair in pairs.values() if pair.symbol in settings.exchange.markets]
    return await scan_pairs(NodeReader(read.node, wallet), wallet, wanted, (await read.catalogues.newest()).max_trades)


def _rows(answers: tuple[Answer, ...], pairs: dict[int, Pair]) -> list[dict[str, object]]:
    found: dict[tuple[int, int], dict[From, Held]] = {}
    for answer in answers:
        if isinstance(answer, Report):
            for each in answer.held:
                found.setdefault(each.slot, {})[answer.source] = each
    return [_row(by, pairs) for _, by in sorted(found.items())]


def _row(by: dict[From, Held], pairs: dict[int, Pair]) -> dict[str, object]:
    """The chain's word goes before the others'."""
    shown = by.get(From.CHAIN) or next(iter(by.values()))
    liquidation = next((each.liquidation_price for each in by.values() if each.liquidation_price is not None), None)
    pair = pairs.get(shown.pair_index)
    return {
        "market": pair.symbol if pair else f"pair {shown.pair_index}",
        "index": str(shown.trade_index),
        "side": "long" if shown.is_long else "short",
        "collateral": written(shown.collateral, USDC),
        "leverage": written(shown.leverage, TEN),
        "entry": written(shown.open_price, TEN),
        "liquidation": "?" if liquidation is None else written(liquidation, TEN),
        "opened": str(shown.opened_at_s),
        "known to": ", ".join(by),
    }
