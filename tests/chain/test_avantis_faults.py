"""What must stop an order before anything is signed, and what may be left all the same."""

from collections.abc import AsyncGenerator, Generator
from typing import Final

import pytest
import pytest_asyncio

from tests.chain.avantis_bench import AvantisBench, benched, unsigned
from tests.chain.avantis_house import PAIRS, process, staged
from tests.chain.avantis_servers import OPEN_PATH
from tests.chain.node import CHAIN_ID, Node
from tests.chain.stage import STRANGER, TRADER, Stage
from tests.venue.avantis.server import CATALOGUE, HTML, PRICE, REDIRECT, SPREAD, Fault, Status, refused
from tests.venue.avantis.world import WorldPair
from tests.venue.chain.memory import Memory
from tests.venue.perp.bench import USDC, WAD, Desk
from venue.avantis.addresses import AVANTIS
from venue.avantis.contracts import MARKET_ORDER_INITIATED
from venue.perp import Declined, Filled, OpenOrder, Unsettled

NOWHERE: Final = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def stage(session_node: Node) -> Generator[Stage, None, None]:
    with staged(session_node) as made:
        yield made


@pytest_asyncio.fixture
async def bench(stage: Stage) -> AsyncGenerator[AvantisBench, None]:
    async with benched(stage) as made:
        yield made


@pytest.fixture
def desk(bench: AvantisBench) -> Desk:
    return Desk(bench)


def pair(bench: AvantisBench) -> WorldPair:
    return next(each for each in bench.out.world.pairs if each.index == PAIRS["ETH"])


# Servers

REFUSALS: Final = (
    (SPREAD, Status(404), "DO_NOT_EXECUTE"),
    (SPREAD, Status(403), "SPREAD_BLOCKED"),
    (SPREAD, Status(451), "GEO_RESTRICTED"),
    (SPREAD, Status(429), "RATE_LIMITED"),
    (SPREAD, HTML, "NOT_JSON"),
    (SPREAD, Status(500), "SERVER_FAILED"),
    (PRICE, Status(404), "NOT_FOUND"),
    (PRICE, Status(451), "GEO_RESTRICTED"),
    (PRICE, Status(429), "RATE_LIMITED"),
    (PRICE, HTML, "NOT_JSON"),
    (PRICE, REDIRECT, "REDIRECTED"),
    (OPEN_PATH, Status(403), "BUILDER_NOT_STRICT"),
    (OPEN_PATH, Status(451), "BUILDER_GEO_BLOCKED"),
    (OPEN_PATH, Status(429), "BUILDER_RATE_LIMITED"),
    (OPEN_PATH, HTML, "BUILDER_NOT_JSON"),
    (OPEN_PATH, REDIRECT, "BUILDER_REDIRECTED"),
    (OPEN_PATH, refused("SIMULATION_FAILED", 400), "BUILDER_DECLINED"),
)


@pytest.mark.parametrize(("path", "fault", "code"), REFUSALS)
async def test_a_server_that_refuses_stops_an_open(
    bench: AvantisBench, desk: Desk, path: str, fault: Fault, code: str
) -> None:
    bench.out.server.plan(path, fault, forever=True)
    assert (await unsigned(bench, desk, desk.opening())).code == code


@pytest.mark.parametrize("status", [403, 404])
async def test_a_position_is_left_without_a_spread_unless_its_price_has_a_bound(
    bench: AvantisBench, desk: Desk, status: int
) -> None:
    opened = await desk.done(desk.opening())
    bench.out.server.plan(SPREAD, Status(status), forever=True)
    await unsigned(bench, desk, desk.closing(opened.ref, opened.price // 2))
    await desk.done(desk.closing(opened.ref))


async def test_a_stale_catalogue_opens_nothing_and_lets_leave(bench: AvantisBench, desk: Desk) -> None:
    ref = (await desk.done(desk.opening())).ref
    bench.out.server.plan(CATALOGUE, Status(500), forever=True)
    await bench.out.wait(30)
    await bench.house.watch.look()
    assert isinstance(await bench.venue.quote(desk.opening()), Declined) is False
    await bench.out.wait(60)
    await bench.house.watch.look()
    assert (await unsigned(bench, desk, desk.opening())).code == "SERVER_FAILED"
    await desk.done(desk.closing(ref))


async def test_positions_that_were_not_seen_lately_are_not_acted_on(bench: AvantisBench, desk: Desk) -> None:
    ref = (await desk.done(desk.opening())).ref
    await bench.out.wait(120)
    assert (await unsigned(bench, desk, desk.closing(ref))).code == "NO_POSITION"
    assert not (await bench.venue.positions())[ref].pnl_available
    await bench.house.watch.look()
    await desk.done(desk.closing(ref))


# Limits of the venue and of the wallet


async def test_a_closed_market(bench: AvantisBench, desk: Desk) -> None:
    pair(bench).is_open = False
    assert (await unsigned(bench, desk, desk.opening())).code == "CLOSED"


async def test_a_market_that_is_not_listed_any_more_can_be_left(bench: AvantisBench, desk: Desk) -> None:
    ref = (await desk.done(desk.opening())).ref
    pair(bench).listed = False
    await bench.out.wait(10)
    assert (await unsigned(bench, desk, desk.opening())).code == "NOT_LISTED"
    assert (await desk.done(desk.closing(ref))).payout > 0


@pytest.mark.parametrize("cap", ["pair", "wallet"])
async def test_a_cap_that_is_exceeded(bench: AvantisBench, desk: Desk, cap: str) -> None:
    if cap == "pair":
        pair(bench).pair_max_oi = 999
    else:
        pair(bench).max_wallet_oi = 999
    assert (await unsigned(bench, desk, desk.opening())).code == "WRONG_NOTIONAL"


async def test_no_allowance(bench: AvantisBench, desk: Desk) -> None:
    await bench.house.approve(0, "approve nothing")
    declined = await unsigned(bench, desk, desk.opening())
    assert declined.code == "WOULD_REVERT"
    assert "allowance" in declined.detail


async def test_an_empty_wallet(bench: AvantisBench, desk: Desk) -> None:
    await bench.house.approve(1_000_000 * USDC, "approve more than there is")
    pair(bench).max_wallet_oi = pair(bench).pair_max_oi = 2_000_000
    declined = await unsigned(bench, desk, desk.opening(950_000 * USDC, WAD))
    assert declined.code == "WOULD_REVERT"
    assert "balance" in declined.detail


async def test_no_coin_for_gas(bench: AvantisBench, desk: Desk) -> None:
    await bench.out.stage.ether(TRADER, 0)
    assert (await unsigned(bench, desk, desk.opening())).code in ("NO_CHAIN", "WOULD_REVERT")


@pytest.mark.parametrize("factor", [0.98, 1.02, 10**8])
async def test_two_oracles_that_differ(bench: AvantisBench, desk: Desk, factor: float) -> None:
    mark = bench.out.marks["ETH"]
    assert mark is not None
    bench.out.marks["ETH"] = round(mark * factor)
    assert (await unsigned(bench, desk, desk.opening())).code == "NO_PRICE"


async def test_without_our_own_price_positions_can_only_be_left(bench: AvantisBench, desk: Desk) -> None:
    ref = (await desk.done(desk.opening())).ref
    await bench.blind("ETH")
    assert (await unsigned(bench, desk, desk.opening())).code == "NO_PRICE"
    assert (await unsigned(bench, desk, desk.growing(ref))).code == "NO_PRICE"
    await desk.done(desk.closing(ref))


# The chain


async def test_an_endpoint_of_another_chain_signs_nothing(bench: AvantisBench) -> None:
    await bench.out.node.rpc("anvil_setChainId", 1)
    try:
        async with process(bench.out, Memory(list(bench.door.facts))) as house:
            order = OpenOrder("elsewhere", "desk-1", "ETH", True, 100 * USDC, 10 * WAD)
            outcome = await house.venue.open(order)
            assert isinstance(outcome, Declined)
            assert outcome.code == "NO_CHAIN"
            assert "chain id 1" in outcome.detail
            assert house.door.facts == bench.door.facts
    finally:
        await bench.out.node.rpc("anvil_setChainId", CHAIN_ID)


async def test_no_endpoint_in_reach_declines_what_is_new_and_says_nothing_of_what_was_sent(
    bench: AvantisBench, desk: Desk
) -> None:
    sent = desk.opening()
    await desk.send(sent)
    await bench.house.settle()
    async with process(bench.out, Memory(list(bench.door.facts)), urls=(NOWHERE,)) as house:
        assert await house.venue.outcome(sent.order_id) == Unsettled(sent.order_id)
        assert house.venue.unclear == {}
        outcome = await house.venue.open(OpenOrder("late", "desk-1", "ETH", True, 100 * USDC, 10 * WAD))
        assert isinstance(outcome, Declined)
        assert outcome.code == "NO_CHAIN"
    assert isinstance(await desk.settled(Unsettled(sent.order_id)), Filled)


def registering(trader: str) -> bytes:
    """A contract that registers order 1 of `trader` whatever it is called with."""
    data = {0: 7, 1: 1, 2: 1, 4: 1, 6: 100 * USDC}
    stores = b"".join(
        b"\x7f" + value.to_bytes(32, "big") + b"\x61" + (32 * at).to_bytes(2, "big") + b"\x52"
        for at, value in data.items()
    )
    topics = b"\x7f" + int(trader, 16).to_bytes(32, "big") + b"\x7f" + MARKET_ORDER_INITIATED.topic
    return stores + topics + bytes.fromhex("6101806000a2") + RETURNS


RETURNS: Final = bytes.fromhex("60206000f3")
REVERTS: Final = bytes.fromhex("60006000fd")


@pytest.mark.parametrize(
    ("code", "why"),
    [(RETURNS, "registered 0 orders"), (registering(STRANGER), "not the one that was asked for")],
    ids=["missing", "another trader's"],
)
async def test_a_registration_nobody_asked_for_is_for_a_person_to_judge(
    bench: AvantisBench, desk: Desk, code: bytes, why: str
) -> None:
    order = desk.opening()
    await desk.send(order)
    await bench.out.node.set_code(AVANTIS.trading, code)
    await bench.house.settle()
    assert await bench.venue.outcome(order.order_id) == Unsettled(order.order_id)
    assert why in bench.house.venue.unclear[order.order_id]


async def test_the_registration_that_was_asked_for_is_believed(bench: AvantisBench, desk: Desk) -> None:
    """The fake of the test above is fine but for its trader."""
    order = desk.opening()
    await desk.send(order)
    await bench.out.node.set_code(AVANTIS.trading, registering(TRADER))
    await bench.house.settle()
    await bench.venue.outcome(order.order_id)
    assert bench.house.venue.unclear == {}


async def test_a_transaction_that_reverts_in_its_block_is_declined(bench: AvantisBench, desk: Desk) -> None:
    order = desk.opening()
    await desk.send(order)
    await bench.out.node.set_code(AVANTIS.trading, REVERTS)
    await bench.house.settle()
    outcome = await bench.venue.outcome(order.order_id)
    assert isinstance(outcome, Declined)
    assert outcome.code == "REVERTED"
    assert await bench.wallet() == 0
