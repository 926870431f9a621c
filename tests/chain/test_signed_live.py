"""Signed intents on a chain of our own, wired as in a run: exactly one position, whatever dies or lies."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine import assembly
from engine.clock import SystemClock
from engine.commands import CloseDesk
from engine.config import load
from engine.live.journaled import OneShot, one_shot
from engine.live.wiring import reading
from engine.plain import plain
from engine.snapshot import DeskPhase
from tests.chain.avantis_servers import ETH
from tests.chain.fixtures import _needs_anvil
from tests.chain.node import KEYS
from tests.chain.relay_operator import Manner, RelayOperator
from tests.chain.stage import TOKEN, TRADER, USDC_KEY
from tests.chain.test_live_engine import FEES, SOON, Run, now_ms, oracle
from tests.cli.live import MONEY, LiveVenue, live_venue
from tests.patient import PATIENCE_S
from venue.avantis.addresses import AVANTIS, BASE
from venue.avantis.asked import Close, Open
from venue.avantis.direct import Done, Ending, NoEffect, Unclear
from venue.avantis.units import TEN, USDC
from venue.chain.signer import Signer, account_of
from venue.uniswap.addresses import UNISWAP


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Generator[LiveVenue, None, None]:
    _needs_anvil()
    with live_venue() as made:
        made.approve(MONEY)
        for name, value in made.env(PERPDESK_AVANTIS__ROUTE="signed").items():
            if not name.startswith(("PERPDESK_PYTH", "PERPDESK_VENUE")):
                monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def relay(live: LiveVenue) -> RelayOperator:
    async def make() -> RelayOperator:
        return RelayOperator(live)

    return live.do(make())


async def until_posted(relay: RelayOperator, count: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while len(relay.posts) < count:
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


@asynccontextmanager
async def process(directory: Path) -> AsyncGenerator[OneShot, None]:
    """One process with the wallet, over the journal of `directory`."""

    async def unlock() -> Signer:
        return Signer(account_of(bytes.fromhex(KEYS[0][2:])), BASE)

    clock, settings = SystemClock(), load()
    read = reading(settings, clock)
    try:
        async with one_shot(settings, read, directory, unlock, clock) as shot:
            yield shot
    finally:
        await read.aclose()


async def followed(shot: OneShot, order_id: str) -> Ending:
    return await shot.followed(order_id, lambda _: None, PATIENCE_S)


def opening(live: LiveVenue) -> Open:
    return Open(TRADER, ETH, True, 100 * USDC, 5 * TEN, live.world.price[ETH], TEN)


async def test_a_position_is_opened_and_closed_without_gas(
    live: LiveVenue, relay: RelayOperator, tmp_path: Path
) -> None:
    before = live.do(live.stage.balance(AVANTIS.usdc, TRADER))
    async with process(tmp_path) as shot:
        assert await shot.trade.route.send("a", opening(live)) is None
        opened = await followed(shot, "a")
        assert isinstance(opened, Done)
        (held,) = live.world.held(TRADER)
        assert (held.collateral, held.trade_index) == (opened.execution.collateral, opened.execution.trade_index)
        closing = Close(TRADER, ETH, held.trade_index, held.collateral, live.world.price[ETH], TEN)
        assert await shot.trade.route.send("b", closing) is None
        closed = await followed(shot, "b")
        assert isinstance(closed, Done)
        assert await shot.trade.sender.standing("a") == await shot.trade.sender.standing("never")
    assert live.world.held(TRADER) == []
    after = live.do(live.stage.balance(AVANTIS.usdc, TRADER))
    assert after == before - 100 * USDC + closed.execution.paid
    assert [post["orderType"] for post in relay.posts] == [0, 1]


async def test_a_death_between_hand_over_and_answer(live: LiveVenue, relay: RelayOperator, tmp_path: Path) -> None:
    relay.manner = Manner.HOLDS
    async with process(tmp_path) as shot:
        sending = asyncio.create_task(shot.trade.route.send("a", opening(live)))
        await until_posted(relay, 1)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    relay.release()
    async with process(tmp_path) as shot:
        assert await shot.trade.route.send("a", opening(live)) is None
        found = await followed_by_history(shot, "a")
        (held,) = live.world.held(TRADER)
        assert isinstance(found, Done)
        assert (held.collateral, held.trade_index) == (found.execution.collateral, found.execution.trade_index)
    assert len(relay.posts) == 1
    assert [order.status for order in live.reader.orders().values()] == ["executed"]


@pytest.mark.parametrize("executes", [True, False])
async def test_a_relay_that_gave_up_and_registers_all_the_same(
    live: LiveVenue, relay: RelayOperator, tmp_path: Path, executes: bool
) -> None:
    relay.manner = Manner.GIVES_UP
    async with process(tmp_path) as shot:
        assert await shot.trade.route.send("a", opening(live)) is None
        await shot.trade.signed.pass_once()
        assert not isinstance(await shot.trade.route.ending("a"), NoEffect | Done)
        assert set(await shot.trade.signed.waiting_until(silent=True)) == {"a"}
        live.keeping = False
        relay.release()
        for _ in range(6):
            await asyncio.sleep(1)
            await shot.trade.signed.pass_once()
            assert not isinstance(await shot.trade.route.ending("a"), NoEffect | Done)
        (waiting,) = live.reader.orders().values()
        live.keeping = executes
        if not executes:
            live.do(live.stage.cancel(waiting.order_id))
        ending = await followed_by_history(shot, "a")
    held = live.world.held(TRADER)
    if isinstance(ending, Done):
        ended = ending.execution
        assert [(each.trade_index, each.collateral) for each in held] == [(ended.trade_index, ended.collateral)]
    else:
        assert (ending, held) == (NoEffect("CANCELED", "the venue gave the order back"), [])
        assert live.do(live.stage.balance(AVANTIS.usdc, TRADER)) == MONEY
    assert isinstance(ending, Done) is executes
    assert len(relay.posts) == 1


async def test_a_relay_that_answers_400_and_registers_all_the_same(
    live: LiveVenue, relay: RelayOperator, tmp_path: Path
) -> None:
    relay.manner = Manner.REFUSES
    async with process(tmp_path) as shot:
        assert await shot.trade.route.send("a", opening(live)) is None
        for _ in range(3):
            await shot.trade.signed.pass_once()
            assert isinstance(await shot.trade.route.ending("a"), Unclear)
            assert await shot.trade.route.send("a", opening(live)) is None
        relay.release()
        opened = await followed_by_history(shot, "a")
        assert isinstance(opened, Done)
        (held,) = live.world.held(TRADER)
        assert held.trade_index == opened.execution.trade_index
        relay.released.clear()
        closing = Close(TRADER, ETH, held.trade_index, held.collateral, live.world.price[ETH], TEN)
        assert await shot.trade.route.send("b", closing) is None
        assert isinstance(await shot.trade.route.ending("b"), Unclear)
        relay.release()
        assert isinstance(await followed_by_history(shot, "b"), Done)
    assert (live.world.held(TRADER), len(relay.posts)) == ([], 2)


@pytest.mark.parametrize("manner", [Manner.DENIES, Manner.INFLATES])
async def test_a_relay_that_lies_about_the_end(
    live: LiveVenue, relay: RelayOperator, tmp_path: Path, manner: Manner
) -> None:
    relay.manner = manner
    before = live.do(live.stage.balance(AVANTIS.usdc, TRADER))
    async with process(tmp_path) as shot:
        assert await shot.trade.route.send("a", opening(live)) is None
        opened = await followed(shot, "a")
        assert isinstance(opened, Done)
        (held,) = live.world.held(TRADER)
        done = opened.execution
        assert (held.trade_index, held.open_price, done.paid) == (done.trade_index, done.price, 0)
        closing = Close(TRADER, ETH, held.trade_index, held.collateral, live.world.price[ETH], TEN)
        assert await shot.trade.route.send("b", closing) is None
        closed = await followed(shot, "b")
        assert isinstance(closed, Done)
    after = live.do(live.stage.balance(AVANTIS.usdc, TRADER))
    assert (live.world.held(TRADER), after) == ([], before - 100 * USDC + closed.execution.paid)


async def followed_by_history(shot: OneShot, order_id: str) -> Ending:
    end = time.monotonic() + PATIENCE_S
    while True:
        await shot.trade.signed.pass_once()
        ending = await shot.trade.route.ending(order_id)
        if isinstance(ending, Done | NoEffect):
            return ending
        assert time.monotonic() < end, (ending, shot.trade.signed.waiting)
        await asyncio.sleep(0.5)


def launched(live: LiveVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token with fees for one desk, and an engine in a hurry."""
    for name in ("FEE_CLAIMER", "DESK_MANAGER", "CREATOR_BUYBACK", "BUYBACK_ENGINE", "PRICE_SAMPLER"):
        monkeypatch.setattr(assembly, name, SOON)

    async def launch() -> None:
        await live.stage.launch(TOKEN, USDC_KEY, [(TRADER, 10_000)])
        await live.stage.accrue_fees(TOKEN, UNISWAP.usdc, FEES)
        await live.stage.rate(USDC_KEY, UNISWAP.usdc, 10**18, 10**6)

    live.do(launch())


async def test_a_desk_whose_order_was_refused_and_executed_opens_no_other(
    live: LiveVenue, relay: RelayOperator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched(live, monkeypatch)
    relay.manner = Manner.REFUSES
    async with oracle(live) as url:
        run = Run(url, tmp_path)
        await run.until(lambda: bool(relay.posts))
        await asyncio.sleep(5)
        assert (len(relay.posts), live.world.held(TRADER)) == (1, [])
        relay.release()
        await run.until(lambda: run.phase is DeskPhase.OPEN)
        await asyncio.sleep(3)
        assert (len(relay.posts), len(live.world.held(TRADER)), len(run.told("open"))) == (1, 1, 1)
        run.stop.set()
        await run.task


async def test_a_desk_across_a_death_and_what_leaves_the_process(
    live: LiveVenue, relay: RelayOperator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched(live, monkeypatch)
    async with oracle(live) as url:
        relay.manner = Manner.HOLDS
        first = Run(url, tmp_path)
        await first.until(lambda: bool(relay.posts))
        await first.die()
        relay.manner = Manner.HONEST
        relay.release()
        second = Run(url, tmp_path)
        await second.until(lambda: second.phase is DeskPhase.OPEN)
        await second.until(lambda: second.engine.snapshot.desks[0].exit is not None)
        (held,) = live.world.held(TRADER)
        assert (len(relay.posts), len(second.told("open"))) == (1, 1)
        desk = second.engine.snapshot.desks[0]
        seq = second.engine.snapshot.seq
        close = CloseDesk(
            id="x",
            who="test",
            seen_seq=seq,
            expires_at_ms=now_ms() + 60_000,
            address=desk.address,
            worst_price=1 if desk.side == "long" else 10**30,
        )
        receipt = await second.engine.parts.operator.execute(close)
        assert receipt.ok, receipt
        await second.until(lambda: bool(second.told("close")))
        intents = await second.engine.settlement.read(lambda world: list(world.intents.ended.values()))
        published = json.dumps([plain(second.engine.snapshot), plain(second.engine.chronicle.since(0))])
        for each in intents:
            assert each.signed.signature[2:] not in published
            assert each.signed.encoded[2:] not in published
        assert len(intents) == len(relay.posts) == 2
        second.stop.set()
        await second.task
    assert [order.status for order in live.reader.orders().values()] == ["executed", "executed"]
    assert held.collateral < FEES


async def test_an_engine_that_stops_in_the_middle_of_a_stream_leaves_nothing(
    live: LiveVenue, relay: RelayOperator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched(live, monkeypatch)
    relay.manner = Manner.HOLDS
    async with oracle(live) as url:
        before = asyncio.all_tasks()
        run = Run(url, tmp_path)
        await run.until(lambda: bool(relay.posts))
        run.stop.set()
        async with asyncio.timeout(PATIENCE_S):
            await run.task
        left = [task for task in asyncio.all_tasks() - before if "RequestHandler" not in repr(task)]  # the oracle's
        assert not left, left
        relay.release()
