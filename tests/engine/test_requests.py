"""Requests through the engine: keepers that compete, a poisonous request, commands in human units, hooks."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.clearing.commands import Role
from engine.exchange_rows import RequestState
from engine.keepers.notes import Notes
from engine.keepers.requests import RequestKeeper
from engine.requests import commands as asked
from engine.requests.account import account_of
from engine.requests.counter import RequestCounter
from engine.requests.hooks import Hooks, Told
from engine.requests.pool_rows import pool_row
from engine.requests.rows import RequestRows, request_counts
from engine.settlement import Recorded, Settlement
from engine.world import World
from tests.engine.house import FixedPrices, ManualClock, done, keeper, listed, settled
from venue.exchange.commands import Deposit, FundInsurance
from venue.exchange.fixed import wad
from venue.exchange.ledger import wallet
from venue.exchange.pool.params import PoolParams
from venue.exchange.pool.units import FLOAT
from venue.exchange.requests import commands
from venue.exchange.requests.commands import CreateDeposit, CreateOrder
from venue.exchange.requests.request import NATIVE, Ending, Kind, OrderType

FEE = 10**15
PRICES = {"WETH": "2000", "USDC": "1"}


async def staged(settlement: Settlement, clock: ManualClock) -> FixedPrices:
    """A pool with liquidity, a curve, two keepers and a special one, and a rich alice."""
    await listed(settlement, "ETH")
    await done(settlement, commands.ListPool("ETH-USD", "WETH", "WETH", "USDC", PoolParams()))
    for name, special in (("keeper-1", False), ("keeper-2", False), ("keeper-f", True)):
        await done(settlement, commands.RegisterKeeper(name, special))
    for token, amount in (("WETH", 10**24), ("USDC", 10**15)):
        await done(settlement, commands.Credit("alice", token, amount))
    await done(settlement, Deposit("alice", wad(10_000_000)))
    await done(settlement, FundInsurance(wad(100_000)))
    prices = FixedPrices(clock, **PRICES)
    await done(settlement, deposit(clock, long_amount=10**21, short_amount=2_000_000 * 10**6))
    await keeper(settlement, prices).pass_once()
    return prices


def deposit(clock: ManualClock, **changes: Any) -> CreateDeposit:
    base: dict[str, Any] = {"long_amount": 0, "short_amount": 10**9, "callback": "", "callback_units": 0} | changes
    return CreateDeposit(
        account="alice",
        receiver="alice",
        execution_fee=FEE,
        native_sent=FEE,
        now_ms=clock.now_ms(),
        market="ETH-USD",
        long_token="WETH",
        short_token="USDC",
        **base,
    )


def order(clock: ManualClock, kind: OrderType, **changes: Any) -> CreateOrder:
    base: dict[str, Any] = {
        "market": "ETH-USD",
        "is_long": True,
        "collateral_token": "USDC",
        "collateral": 10**9,
        "size": 2_000 * FLOAT,
    } | changes
    return CreateOrder(
        account="alice",
        receiver="alice",
        execution_fee=FEE,
        native_sent=FEE,
        now_ms=clock.now_ms(),
        type=kind,
        **base,
    )


async def counts(settlement: Settlement) -> tuple[int, int, int]:
    """(waiting, executed, cancelled)"""

    def look(world: World) -> tuple[int, int, int]:
        book = world.exchange.requests
        return len(book.pending), book.executed, book.cancelled

    return await settlement.read(look)


@pytest.mark.parametrize("field", ["size", "valid_from_ms", "path"])
async def test_two_thousand_requests_execute_in_one_pass_and_a_poisonous_one_holds_up_nobody(
    tmp_path: Path, field: str
) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        prices = await staged(settlement, clock)
        await done(settlement, order(clock, OrderType.LIMIT_INCREASE, trigger_price=3_000 * 10**12, size=1))
        poison = await settlement.read(lambda world: next(iter(world.exchange.requests.pending)))
        await settlement.read(lambda world: _poison(world, poison, field))
        await asyncio.gather(*(done(settlement, deposit(clock)) for _ in range(2_000)))
        told = await keeper(settlement, prices).pass_once()
        assert "2,000 done" in told
        assert "1 failed" in told
        assert await counts(settlement) == (1, 2_001, 0)

        def shown(world: World) -> Any:
            return RequestRows(Notes(), lambda name: (name, False)).build(world.exchange, {}, clock.now_ms())[0]

        assert (await settlement.read(shown)).key == poison


def _poison(world: World, key: str, field: str) -> None:
    """A stored order on which every formula breaks, as a bug would leave one."""
    object.__setattr__(world.exchange.requests.pending[key], field, "not a number")


async def test_keepers_compete_and_who_comes_second_has_raced(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        prices = await staged(settlement, clock)
        await asyncio.gather(*(done(settlement, deposit(clock)) for _ in range(50)))
        one, other = (keeper(settlement, prices, name) for name in ("keeper-1", "keeper-2"))
        told = await asyncio.gather(one.pass_once(), other.pass_once())
        assert await counts(settlement) == (0, 51, 0)
        assert sorted(told) == ["50 done", "50 raced"]
        by = await settlement.read(lambda world: {each.by for each in world.exchange.requests.ended.values()})
        assert by <= {"keeper-1", "keeper-2"}


async def test_no_price_older_than_the_request_is_used(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        prices = await staged(settlement, clock)
        await done(settlement, deposit(clock))
        prices.age_ms = 1
        kept = keeper(settlement, prices)
        assert await kept.pass_once() == "nothing to do yet"
        refused = await kept.attempt(Kind.DEPOSIT, await _newest(settlement))
        assert getattr(refused, "code", "") == "OracleTimestampsAreSmallerThanRequired"
        prices.age_ms = 0
        assert await kept.pass_once() == "1 done"


async def _newest(settlement: Settlement) -> str:
    return await settlement.read(lambda world: list(world.exchange.requests.pending)[-1])


async def test_what_expires_is_swept_and_goes_back(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        prices = await staged(settlement, clock)
        before = await settlement.read(lambda world: world.exchange.book("USDC")["wallet:alice"])
        await done(settlement, deposit(clock))
        prices.usd = {}
        kept = keeper(settlement, prices)
        assert await kept.pass_once() == "nothing to do yet"
        clock.advance(300.001)
        assert await kept.pass_once() == "1 swept"
        assert await settlement.read(lambda world: world.exchange.book("USDC")["wallet:alice"]) == before


async def test_frozen_orders_wait_for_the_special_keeper_which_takes_its_time(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        prices = await staged(settlement, clock)
        limit = order(clock, OrderType.LIMIT_INCREASE, trigger_price=3_000 * 10**12, acceptable_price=1_900 * 10**12)
        await done(settlement, limit)
        kept, special = keeper(settlement, prices), keeper(settlement, prices, "keeper-f", special=True)
        assert await kept.pass_once() == "1 frozen"
        assert await kept.pass_once() == "1 frozen"
        assert await special.pass_once() == "1 left"
        assert await special.pass_once() == "1 left"
        prices.usd["WETH"] = "1800"
        clock.advance(2)
        assert await special.pass_once() == "1 done, 1 left"


async def test_a_limit_swap_waits_until_enough_comes_out(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        prices = await staged(settlement, clock)
        swap = order(
            clock,
            OrderType.LIMIT_SWAP,
            market="",
            collateral_token="WETH",
            collateral=10**18 + FEE,
            size=0,
            path=("ETH-USD",),
            min_output=2_100 * 10**6,
        )
        await done(settlement, swap)
        special = keeper(settlement, prices, "keeper-f", special=True)
        assert await special.pass_once() == "nothing to do yet"
        prices.usd["WETH"] = "2150"
        assert await special.pass_once() == "1 done"


async def test_a_restart_neither_loses_nor_repeats_a_request(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        prices = await staged(settlement, clock)
        await done(settlement, deposit(clock))
        await done(settlement, order(clock, OrderType.LIMIT_INCREASE, trigger_price=1_000 * 10**12))
        before = await settlement.read(lambda world: repr(world.exchange))
    async with settled(tmp_path, clock) as settlement:
        assert await settlement.read(lambda world: repr(world.exchange)) == before
        await keeper(settlement, prices).pass_once()
        assert await counts(settlement) == (1, 2, 0)
    async with settled(tmp_path, clock) as settlement:
        assert await keeper(settlement, prices).pass_once() == "nothing to do yet"
        assert await counts(settlement) == (1, 2, 0)


# --- commands in human units ---------------------------------------------------------------------------------------


def counter(settlement: Settlement, prices: FixedPrices, clock: ManualClock) -> RequestCounter:
    by_hand = RequestKeeper(settlement, prices, clock, "keeper-f", Notes(), special=True)
    return RequestCounter(settlement, by_hand, clock, ("desk:", "keeper-"), {"ops": Role.OPERATOR})


def envelope(who: str = "alice", command_id: str = "c") -> dict[str, Any]:
    return {"id": command_id, "who": who, "seen_seq": 0, "expires_at_ms": 2**62}


async def test_an_account_deposits_trades_and_withdraws_in_whole_units(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        prices = await staged(settlement, clock)
        desk, kept = counter(settlement, prices, clock), keeper(settlement, prices)
        wallet = await settlement.read(lambda world: world.exchange.book("WETH")["wallet:alice"])
        put_in = asked.CreateDeposit(
            **envelope(), account="alice", market="ETH-USD", long_amount=Decimal("1.5"), short_amount=Decimal(3_000)
        )
        ok, _, text = await desk.serve(put_in)
        assert ok, text
        assert (await desk.serve(put_in))[2].replace("before as ", "") == text.removesuffix(", waits for a keeper")
        request = await settlement.read(lambda world: list(world.exchange.requests.pending.values())[-1])
        assert (request.long_amount, request.short_amount) == (15 * 10**17, 3_000 * 10**6)  # type: ignore[union-attr]
        await kept.pass_once()
        spent = wallet - await settlement.read(lambda world: world.exchange.book("WETH")["wallet:alice"])
        assert 15 * 10**17 < spent < 15 * 10**17 + FEE
        opening = asked.CreateOrder(
            **envelope(command_id="d"),
            account="alice",
            type=OrderType.LIMIT_INCREASE,
            market="ETH-USD",
            collateral_token="USDC",
            collateral=Decimal(500),
            size=Decimal(5_000),
            trigger_price=Decimal("2000.5"),
            acceptable_price=Decimal(2_100),
        )
        assert (await desk.serve(opening))[0]
        await kept.pass_once()
        position = await settlement.read(lambda world: next(iter(world.exchange.pool_positions.values())))
        assert (position.size, position.collateral_token) == (5_000 * FLOAT, "USDC")
        out = asked.CreateWithdrawal(**envelope(command_id="e"), account="alice", market="ETH-USD", amount=Decimal(100))
        assert (await desk.serve(out))[0]
        assert await kept.pass_once() == "3 done"


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (asked.CreateDeposit(**envelope(), account="bob", market="ETH-USD"), "NOT_ALLOWED", "may not act for bob"),
        (asked.CreateDeposit(**envelope("ops"), account="desk:x", market="ETH-USD"), "NOT_ALLOWED", "belongs to"),
        (asked.CreateDeposit(**envelope(), account="alice", market="X"), "EmptyMarket", "one of ETH-USD"),
        (
            asked.CreateDeposit(**envelope(), account="alice", market="ETH-USD", short_amount=Decimal("0.0000001")),
            "BAD_REQUEST",
            "short amount 1E-7 USDC: expected zero or more, at most 6 decimals",
        ),
        (
            asked.CreateDeposit(**envelope(), account="alice", market="ETH-USD", long_amount=Decimal("NaN")),
            "BAD_REQUEST",
            "long amount NaN WETH: expected a plain number",
        ),
        (
            asked.CreateOrder(
                **envelope(), account="alice", type=OrderType.MARKET_SWAP, collateral_token="DOGE", path=("ETH-USD",)
            ),
            "InvalidToken",
            "collateral token 'DOGE': expected one of WETH",
        ),
        (asked.CancelRequest(**envelope(), key="0xabc"), "NOT_WAITING", "expected a waiting request"),
        (asked.CreditPaper(**envelope(), account="alice", token="USDC", amount=Decimal(0)), "BAD_REQUEST", "above 0"),
    ],
)
async def test_what_is_refused_says_which_field(
    tmp_path: Path, command: asked.RequestCommand, code: str, said: str
) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        prices = await staged(settlement, clock)
        seq = settlement.seq
        ok, found, text = await counter(settlement, prices, clock).serve(command)
        assert (ok, found) == (False, code)
        assert said in text
        assert settlement.seq == seq


async def test_an_operator_cancels_and_retries_for_others_and_nobody_else_does(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        prices = await staged(settlement, clock)
        desk = counter(settlement, prices, clock)
        await done(settlement, order(clock, OrderType.LIMIT_INCREASE, trigger_price=1_000 * 10**12))
        key = await _newest(settlement)
        assert (await desk.serve(asked.CancelRequest(**envelope("eve"), key=key)))[1] == "NOT_ALLOWED"
        ok, code, text = await desk.serve(asked.RetryRequest(**envelope("ops"), key=key[:12]))
        assert (ok, code) == (False, "InvalidOrderPrices"), text
        assert (await desk.serve(asked.CancelRequest(**envelope("ops"), key=key[:12])))[0]
        assert (await desk.serve(asked.RetryRequest(**envelope("ops"), key=key)))[2].endswith("a waiting request")
        await done(settlement, deposit(clock))
        newest = await _newest(settlement)
        ok, code, text = await desk.serve(asked.CancelRequest(**envelope("ops"), key=newest))
        assert code == "RequestNotYetCancellable"
        assert (await desk.serve(asked.RetryRequest(**envelope("ops"), key=newest))) == (True, "", "executed")


async def test_an_update_that_is_sent_again_after_a_restart_is_paid_once(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        prices = await staged(settlement, clock)
        await done(settlement, order(clock, OrderType.LIMIT_INCREASE, trigger_price=1_000 * 10**12))
        update = asked.UpdateOrder(
            **envelope(), key=await _newest(settlement), trigger_price=Decimal(900), fee_top_up=Decimal("0.00001")
        )
        before = await settlement.read(lambda world: world.exchange.book(NATIVE)[wallet("alice")])
        assert (await counter(settlement, prices, clock).serve(update))[2] != "updated before"
        after = await settlement.read(lambda world: world.exchange.book(NATIVE)[wallet("alice")])
        seq = settlement.seq
    async with settled(tmp_path, clock) as settlement:
        assert await counter(settlement, prices, clock).serve(update) == (True, "", "updated before")
        assert settlement.seq == seq
        assert await settlement.read(lambda world: world.exchange.book(NATIVE)[wallet("alice")]) == after
    assert before > after


async def test_protocol_fees_go_to_the_treasury_when_an_operator_says_so(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        prices = await staged(settlement, clock)
        desk = counter(settlement, prices, clock)
        claim = asked.ClaimTokens(**envelope(), account="alice", market="ETH-USD", what="fees")
        assert (await desk.serve(claim))[1] == "NOT_ALLOWED"
        ok, _, text = await desk.serve(replace(claim, who="ops"))
        assert ok, text
        assert text.endswith(" USDC to treasury")
        assert (await desk.serve(replace(claim, who="ops")))[2] == "there is nothing to claim"
        assert (await desk.serve(replace(claim, what="affiliate")))[2] == "there is nothing to claim"


# --- rows of the snapshot ------------------------------------------------------------------------------------------


async def test_rows_say_what_waits_and_why(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        prices = await staged(settlement, clock)
        await done(settlement, order(clock, OrderType.LIMIT_INCREASE, trigger_price=1_000 * 10**12))
        await done(settlement, deposit(clock))

        rows = RequestRows(Notes(), lambda name: (name, False))

        def look(world: World) -> Any:
            found = {token: prices.one(token) for token in ("WETH", "USDC", "WBTC")}
            return rows.build(world.exchange, found, clock.now_ms())

        limit, waiting, first = await settlement.read(look)
        assert all(
            one is other for one, other in zip(await settlement.read(look), (limit, waiting, first), strict=True)
        )
        assert (limit.kind, limit.trigger, limit.size) == ("LimitIncrease", 1_000 * 10**18, 2_000 * 10**18)
        assert limit.reason == "waits for its trigger price"
        assert limit.may_cancel
        assert (waiting.amount, waiting.state, waiting.may_cancel) == ("1,000.00 USDC", RequestState.PENDING, False)
        assert (first.state, first.keeper, first.amount) == (
            RequestState.EXECUTED,
            "keeper-1",
            "999.9990 WETH + 2,000,000.00 USDC",
        )
        prices.usd = {"USDC": "1"}
        assert (await settlement.read(look))[1].reason == "no price for WETH may be traded on"
        found = await settlement.read(lambda world: request_counts(world.exchange))
        assert (found.pending, found.frozen, found.executed, found.cancelled) == (2, 0, 1, 0)


async def test_a_pool_without_a_price_is_worth_what_nobody_knows(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        prices = await staged(settlement, clock)

        def look(world: World) -> Any:
            pool = world.exchange.pools["ETH-USD"]
            return pool_row(world.exchange, pool, prices.of(pool.tokens), clock.now_ms())

        row = await settlement.read(look)
        assert row.priced
        assert 3_900_000 * 10**18 < row.value < 4_000_000 * 10**18
        assert row.long_amount > 999 * 10**18
        prices.usd = {}
        row = await settlement.read(look)
        assert (row.priced, row.value, row.token_price, row.traders_pnl) == (False, None, None, None)
        assert row.supply > 0


# --- hooks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", ["works", "raises", "hangs", "unknown"])
async def test_a_hook_is_told_after_commit_and_changes_nothing(tmp_path: Path, behaviour: str) -> None:
    clock, hooks, heard = ManualClock(), Hooks(), []
    published: list[Recorded] = []

    async def hook(told: Told) -> None:
        heard.append(told)
        if behaviour == "raises":
            raise RuntimeError("no")
        if behaviour == "hangs":
            await asyncio.Event().wait()

    if behaviour != "unknown":
        hooks.register("mine", hook)
    async with settled(tmp_path, clock, published) as settlement:
        prices = await staged(settlement, clock)
        await done(settlement, deposit(clock, callback="mine", callback_units=10_000))
        key = await _newest(settlement)
        published.clear()
        await keeper(settlement, prices).pass_once()
        before = await settlement.read(lambda world: repr(world.exchange))
        hooks.published(_facts(published))
        told = await hooks.pass_once()
        assert await settlement.read(lambda world: repr(world.exchange)) == before
        ended = await settlement.read(lambda world: world.exchange.requests.ended[key].ending)
        assert ended is Ending.EXECUTED
    assert [each.event for each in heard] == ([] if behaviour == "unknown" else ["executed"])
    failed = int(behaviour != "works")
    assert told == f"{len(heard)} called, {failed} failed"


def _facts(published: Sequence[Recorded]) -> list[Recorded]:
    return list(published)


async def test_an_account_is_what_it_has_free_and_open(tmp_path: Path) -> None:
    clock = ManualClock()
    async with settled(tmp_path, clock) as settlement:
        prices = await staged(settlement, clock)
        await done(settlement, order(clock, OrderType.MARKET_INCREASE))
        await done(
            settlement,
            order(
                clock, OrderType.MARKET_INCREASE, market="ETH", collateral_token="", size=wad(500), collateral=wad(100)
            ),
        )
        await keeper(settlement, prices).pass_once()
        mine = await settlement.read(lambda world: account_of(world.exchange, "alice", prices))
        assert mine.held("MT:ETH-USD") > 3_900_000 * 10**18
        assert mine.held("USD") == wad(10_000_000) - wad(100)
        pooled, curved = mine.positions
        assert (pooled.number, pooled.market, pooled.size) == (0, "ETH-USD", 2_000 * 10**18)
        assert (curved.number, curved.market, curved.collateral_token) == (1, "ETH", "USD")
        prices.usd["WETH"] = "2200"
        gained = await settlement.read(lambda world: account_of(world.exchange, "alice", prices).positions[0].pnl)
        assert gained == 200 * 10**18
        prices.usd = {}
        unknown = await settlement.read(lambda world: account_of(world.exchange, "alice", prices).positions[0].pnl)
        assert unknown is None
        nobody = await settlement.read(lambda world: account_of(world.exchange, "nobody", prices))
        assert (nobody.holdings, nobody.positions) == ((), ())
