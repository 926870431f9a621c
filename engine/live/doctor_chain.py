"""Checks that ask the chain."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from engine.config import ConfigError
from engine.live.chain_watch import announcing
from engine.live.doctor_scene import NOBODY, Line, Scene, Status, of_chain
from engine.live.purse import ChainPurse
from venue.avantis.addresses import AVANTIS
from venue.avantis.contracts import MARKET_OPEN_CANCELED, NONCE_BITMAP, OPEN_TRADES_COUNT
from venue.avantis.units import USDC, written
from venue.chain.abi import AbiError, Function
from venue.chain.agreed import LOG_BLOCKS
from venue.chain.call import Call
from venue.chain.envelope import RpcError
from venue.chain.erc20 import ALLOWANCE, BALANCE_OF
from venue.chain.heads import WsLost
from venue.chain.health import MOST_LAG, Phase, Row
from venue.chain.pins import IMPLEMENTATION
from venue.clanker.reader import MULTICALL

ETHER: Final = 10**18
OLD_S: Final = 15
TOO_OLD_S: Final = 60
AHEAD_S: Final = 3
_FINE: Final = (Phase.HEALTHY,)


async def clock(scene: Scene) -> Sequence[Line]:
    """Ours against the newest block's."""
    try:
        head = await scene.chain.node.head()
    except RpcError as error:
        return (of_chain("clock", error),)
    age = scene.clock.now_ms() // 1000 - head.timestamp_s
    text = f"block {head.number} is {age} s old by our clock"
    if -AHEAD_S <= age <= OLD_S:
        return (Line("clock", Status.OK, text),)
    remedy = "synchronise the clock of this machine (NTP); if it is right, the node is behind: use another"
    worse = age > TOO_OLD_S or age < -TOO_OLD_S
    return (Line("clock", Status.FAIL if worse else Status.WARN, text, remedy),)


async def endpoints(scene: Scene) -> Sequence[Line]:
    """Each by its host, and how many of them agree."""
    known = scene.chain.endpoints
    await known.refresh()
    rows = known.rows()
    healthy, needed = sum(row.phase in _FINE for row in rows), len(rows) // 2 + 1
    lines = [_endpoint(row) for row in rows]
    text = f"{healthy} of {len(rows)} can be asked: {needed} must agree"
    if healthy < needed:
        lines.append(Line("quorum", Status.FAIL, text, "put other nodes of Base into BASE_RPC_URL"))
    elif len(rows) == 1:
        lines.append(Line("quorum", Status.WARN, f"{text}; nobody could contradict it", "name three in BASE_RPC_URL"))
    else:
        lines.append(Line("quorum", Status.OK, text))
    return lines


async def blocks(scene: Scene) -> Sequence[Line]:
    """Whether new blocks are announced, where that is set up."""
    try:
        connect = announcing(scene.settings)
    except ConfigError as error:
        return (Line("blocks", Status.FAIL, str(error), "name a node of Base, or leave BASE_WS_URL out"),)
    if connect is None:
        return (Line("blocks", Status.OK, "asked for each second: BASE_WS_URL is not set"),)
    try:
        async with aclosing(connect()) as announced:
            await anext(announced)
    except WsLost as error:
        remedy = "check BASE_WS_URL; until then blocks are asked for each second"
        return (Line("blocks", Status.WARN, str(error), remedy),)
    return (Line("blocks", Status.OK, "announced by BASE_WS_URL"),)


def _endpoint(row: Row) -> Line:
    if row.phase in _FINE:
        took = "" if row.latency_ms is None else f", {row.latency_ms} ms"
        lag = "" if not row.lag else f", {row.lag} blocks behind" if row.lag > 0 else f", {-row.lag} blocks ahead"
        return Line("endpoint", Status.OK, f"{row.host}: chain id as expected, block {row.block}{lag}{took}")
    status = Status.FAIL if row.phase is Phase.BANNED else Status.WARN
    if row.phase is Phase.LAGGING:
        text, remedy = f"{row.host}: {row.lag} blocks from the others", f"use a node within {MOST_LAG} blocks"
    else:
        text = f"{row.host}: {row.phase}: {row.last_error or 'no answer'}"
        remedy = "use a node of Base" if status is Status.FAIL else "wait, or use another node"
    return Line("endpoint", status, text, remedy)


async def code(scene: Scene) -> Sequence[Line]:
    """What stands at the pinned addresses; those that orders need must answer as they should."""
    places: tuple[tuple[str, ChecksumAddress, Function | None, tuple[object, ...]], ...] = (
        ("trading", AVANTIS.trading, NONCE_BITMAP, (NOBODY, 0)),
        ("storage", AVANTIS.storage, OPEN_TRADES_COUNT, (NOBODY, 0)),
        ("usdc", AVANTIS.usdc, BALANCE_OF, (NOBODY,)),
        ("pair storage", AVANTIS.pair_storage, None, ()),
        ("pair infos", AVANTIS.pair_infos, None, ()),
        ("multicall", AVANTIS.multicall, None, ()),
    )
    return (*await asyncio.gather(*(_place(scene, *each) for each in places)), await _preview(scene))


async def _preview(scene: Scene) -> Line:
    """What fees would bring is asked in one call, where that contract is."""
    try:
        found = await scene.chain.node.code(MULTICALL)
    except RpcError as error:
        return of_chain("code multicall3", error)
    if found:
        return Line("code multicall3", Status.OK, f"{MULTICALL}: code {_short(keccak(found))}")
    remedy = "nothing to do: fees are collected without knowing before what they bring"
    return Line("code multicall3", Status.WARN, f"nothing is deployed at {MULTICALL}", remedy)


async def _place(
    scene: Scene, what: str, at: ChecksumAddress, function: Function | None, arguments: tuple[object, ...]
) -> Line:
    name, known = f"code {what}", scene.chain.endpoints
    try:
        agreed = await known.quorum(lambda rpc, block: rpc.code(at, block))
        slot = await known.quorum(lambda rpc, block: rpc.storage(at, IMPLEMENTATION, block))
    except RpcError as error:
        return of_chain(name, error)
    if not agreed.value:
        status = Status.FAIL if function else Status.WARN
        unused = "" if function else "; perpdesk does not call it"
        remedy = "do not trade: this chain is not Base, or the venue has moved; check BASE_RPC_URL"
        return Line(name, status, f"nothing is deployed at {at}{unused}", remedy if function else "")
    if function and (why := await _misbehaves(scene, at, function, arguments)):
        remedy = "do not trade: another contract stands there; update perpdesk once the venue says why"
        return Line(name, Status.FAIL, f"{at}: {function.name} {why}", remedy)
    return Line(name, Status.OK, f"{at}: code {_short(keccak(agreed.value))}, {_implementation(slot.value)}")


async def _misbehaves(scene: Scene, at: ChecksumAddress, function: Function, arguments: tuple[object, ...]) -> str:
    """Says how a contract answers otherwise than it should, or nothing."""
    try:
        function.decode_returned(await scene.chain.node.call(Call(at, function.encode(*arguments)), NOBODY))
    except AbiError:
        return "returns something else than it should"
    except RpcError as error:
        return f"fails: {error}"
    return ""


def _implementation(word: bytes) -> str:
    if not any(word):
        return "no EIP-1967 proxy"
    return f"stands for {to_checksum_address(word[-20:])}, slot {_short(keccak(word))}"


def _short(digest: bytes) -> str:
    return f"0x{digest[:6].hex()}"


async def balances(scene: Scene) -> Sequence[Line]:
    """Gas above the least, and USDC at all, of each wallet."""
    return [line for tail, wallet in scene.fleet for line in await _balances(scene, tail, wallet)]


async def _balances(scene: Scene, tail: str, wallet: ChecksumAddress) -> Sequence[Line]:
    try:
        found = await ChainPurse(scene.chain.node, wallet).balances()
    except (RpcError, AbiError) as error:
        return (
            Line(f"balances{tail}", Status.FAIL, f"cannot be read: {error}", "see the lines `endpoint` and `code`"),
        )
    least, gas = scene.settings.risk.min_wallet_balance_eth, found.gas or 0
    enough = gas >= least * ETHER
    remedy = f"send ETH on Base to {wallet}: nothing is opened below risk.min_wallet_balance_eth"
    text = f"{written(gas, ETHER)} ETH: {least} are kept"
    if scene.settings.avantis.route == "signed":
        remedy = f"send ETH on Base to {wallet}: orders need none, claiming fees and buybacks do"
    short = Status.WARN if scene.settings.avantis.route == "signed" else Status.FAIL
    eth = Line(f"balance eth{tail}", Status.OK if enough else short, text, "" if enough else remedy)
    shown = f"{written(found.usdc, USDC)} USDC"
    empty = Line(f"balance usdc{tail}", Status.WARN, shown, f"send USDC on Base to {wallet}, or wait for fees")
    return eth, Line(f"balance usdc{tail}", Status.OK, shown) if found.usdc else empty


async def allowance(scene: Scene) -> Sequence[Line]:
    """What the venue may take of each wallet, against what may be at risk."""
    return [await _allowance(scene, tail, wallet) for tail, wallet in scene.fleet]


async def _allowance(scene: Scene, tail: str, wallet: ChecksumAddress) -> Line:
    name, ask = f"allowance{tail}", Call(AVANTIS.usdc, ALLOWANCE.encode(wallet, AVANTIS.storage))
    try:
        (allowed,) = ALLOWANCE.decode_returned(await scene.chain.node.call(ask, wallet))
    except (RpcError, AbiError) as error:
        return Line(name, Status.FAIL, f"cannot be read: {error}", "see the lines `endpoint` and `code`")
    most = scene.settings.risk.max_wallet_usdc
    text = f"{written(allowed, USDC)} USDC: risk.max_wallet_usdc is {most}"
    approve = f"perpdesk wallet approve {most}{scene.keystore_option(wallet)}"
    if not allowed:
        return Line(name, Status.FAIL, text, f"nothing can be opened: {approve}")
    if allowed < most * USDC:
        return Line(name, Status.WARN, text, f"opens stop when it is used up: {approve}")
    if allowed > most * USDC:
        return Line(name, Status.WARN, text, f"the venue may take more than is ever put at risk: {approve}")
    return Line(name, Status.OK, text)


async def cancellations(scene: Scene) -> Sequence[Line]:
    """Whether the venue still writes the log that names orders it gave back."""
    node = scene.chain.node
    try:
        head = (await node.head()).number
        first = max(0, head - LOG_BLOCKS + 1)
        logs = await node.logs(AVANTIS.trading, [MARKET_OPEN_CANCELED.topic], first, head)
    except RpcError as error:
        return (
            Line(
                "cancellations",
                Status.WARN,
                f"{error.code}: {error}",
                "without it, an order given back takes longer to settle",
            ),
        )
    if logs:
        return (Line("cancellations", Status.OK, f"{len(logs)} logs as known in blocks {first} to {head}"),)
    text = f"no log as known in blocks {first} to {head}: the history says what was given back, the chain shows it"
    return (Line("cancellations", Status.OK, text),)
