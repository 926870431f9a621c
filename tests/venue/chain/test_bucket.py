"""How often a host is asked: never above its budget, and what leaves gets through when nothing else does."""

import asyncio
import json
from contextlib import suppress

import pytest
from aiohttp import web
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from tests.venue.chain import rpc_server as server
from tests.venue.chain.bench import Bench
from tests.venue.chain.rpc_server import Question, serving
from venue.chain.answers import SendOutcome
from venue.chain.bucket import Bucket, Budget, is_urgent, urgently
from venue.chain.endpoints import Endpoints
from venue.chain.health import Phase
from venue.chain.rpc import Rpc, RpcCode, RpcError

SMALL = Budget(rate=2.0, burst=10.0, reserve=4.0)
RAW = b"\x02"


def test_a_burst_then_the_rate() -> None:
    bucket = Bucket(SMALL)
    assert [bucket.take(0.0, urgent=False) for _ in range(6)] == [0.0] * 6
    assert bucket.take(0.0, urgent=False) == 0.5
    assert bucket.take(0.4, urgent=False) == pytest.approx(0.1)
    assert bucket.take(0.5, urgent=False) == 0.0


def test_the_last_of_it_is_for_what_is_urgent() -> None:
    bucket = Bucket(SMALL)
    while not bucket.take(0.0, urgent=False):
        pass
    assert [bucket.take(0.0, urgent=True) for _ in range(4)] == [0.0] * 4
    assert bucket.take(0.0, urgent=True) == 0.5
    assert bucket.take(0.0, urgent=False) == 2.5
    assert bucket.take(0.5, urgent=True) == 0.0, "and what flows in goes to it first"


def test_nothing_flows_in_while_the_host_pauses() -> None:
    bucket = Bucket(SMALL)
    bucket.pause(0.0, 60.0)
    bucket.pause(1.0, 5.0)
    assert bucket.paused_until_s == 60.0, "a shorter pause does not end a longer one"
    assert [bucket.take(59.0, urgent=True) for _ in range(4)] == [0.0] * 4
    assert bucket.take(59.0, urgent=True) == 1.5
    assert bucket.take(60.5, urgent=True) == 0.0


@given(
    calls=st.lists(st.tuples(st.floats(0, 3), st.booleans(), st.booleans()), max_size=60),
    budget=st.integers(5, 100).map(Budget.of),
)
def test_never_more_than_the_budget(calls: list[tuple[float, bool, bool]], budget: Budget) -> None:
    bucket, now_s, asked, ordinary = Bucket(budget), 0.0, 0, 0
    for later_s, urgent, pauses in calls:
        now_s += later_s
        if pauses:
            bucket.pause(now_s, 1.0)
        for _ in range(30):
            took = not bucket.take(now_s, urgent)
            asked, ordinary = asked + took, ordinary + (took and not urgent)
        assert asked <= budget.burst + budget.rate * now_s + 1e-6
        assert ordinary <= budget.burst - budget.reserve + budget.rate * now_s + 1e-6


async def test_urgency_goes_with_a_task_and_those_it_starts() -> None:
    async def asked() -> bool:
        return is_urgent()

    with urgently():
        assert await asyncio.create_task(asked())
        waits = asyncio.create_task(asked())
    assert not is_urgent()
    assert await waits


class Storm:
    """A host that answers `patience` questions a second, and 429 to the rest; it takes transactions."""

    def __init__(self, patience: int = 0, retry_after: str = "30") -> None:
        self.open = False
        self.patience = patience
        self.retry_after = retry_after

    async def __call__(self, request: web.BaseRequest, question: Question) -> web.StreamResponse:
        if not self.open:
            return await server.too_often(self.retry_after)(request, question)
        results = {"eth_chainId": "0x2105", "eth_sendRawTransaction": f"0x{keccak(RAW).hex()}"}
        result = results.get(question["method"], "0x3e8")
        return server.said(json.loads(json.dumps({"jsonrpc": "2.0", "id": question["id"], "result": result})))


async def ordinary(bench: Bench, times: int) -> int:
    """So many questions of those who want nothing urgent; how many were answered."""
    answered = 0
    for _ in range(times):
        with suppress(RpcError):
            await bench.block()
            answered += 1
    return answered


async def test_in_a_storm_of_429_a_host_is_asked_within_the_budget_and_a_close_still_lands() -> None:
    async with serving(1) as servers:
        bench = Bench(servers, within_s=1.0, budget=SMALL)
        storm = Storm()
        servers[0].always = storm
        assert await ordinary(bench, 100) == 0
        assert len(servers[0].asked) == 1, "it said to leave it alone for 30 s"
        assert bench.phases == [Phase.PAUSED]
        storm.open = True  # for whoever asks little
        assert await ordinary(bench, 100) == 0
        with urgently():
            sent = await bench.all.send_raw(RAW)
        assert sent.outcome is SendOutcome.ACCEPTED
        assert servers[0].asked == ["eth_chainId", "eth_chainId", "eth_sendRawTransaction"]
        assert bench.phases == [Phase.PAUSED], "and the pause goes on for the others"
        bench.now_s += 31.0
        assert await ordinary(bench, 3) == 3
        await bench.all.aclose()


async def test_a_storm_that_does_not_end_costs_what_is_reserved_and_no_more() -> None:
    async with serving(1) as servers:
        bench = Bench(servers, within_s=1.0, budget=SMALL)
        servers[0].always = Storm()
        with urgently():
            for _ in range(50):
                with pytest.raises(RpcError):
                    await bench.all.send_raw(RAW)
        assert len(servers[0].asked) <= SMALL.reserve + 1
        await bench.all.aclose()


async def test_many_questions_take_turns_and_a_close_passes_them() -> None:
    async with serving(1) as servers:
        bench = Bench(servers, within_s=3.0, budget=SMALL)
        assert await ordinary(bench, 20) == 20
        assert bench.now_s - 1_000.0 == pytest.approx((20 + 1 - 6) / SMALL.rate), "a turn each, the chain id's included"
        servers[0].answers["eth_sendRawTransaction"] = f"0x{keccak(RAW).hex()}"
        before = bench.now_s
        with urgently():
            await bench.all.send_raw(RAW)
        assert bench.now_s == before
        await bench.all.aclose()


async def test_a_turn_that_is_too_far_away_is_refused_and_nobody_is_blamed() -> None:
    async with serving(1) as servers:
        bench = Bench(servers, within_s=0.2, budget=Budget(rate=0.01, burst=10.0, reserve=4.0))
        assert await ordinary(bench, 5) == 5
        error = await bench.refusal()
        assert (error.code, error.sent) == (RpcCode.RATE_LIMITED, False)
        assert bench.all.rows()[0].last_error == ""
        assert bench.phases == [Phase.HEALTHY]
        await bench.all.aclose()


async def test_an_exhausted_host_is_passed_over_for_another() -> None:
    async with serving(2) as servers:
        bench = Bench(servers, budget=SMALL)
        assert await ordinary(bench, 10) == 10
        assert bench.slept == []
        assert {len(each.asked) for each in servers} == {6}
        await bench.all.aclose()


async def test_endpoints_of_one_host_share_its_budget() -> None:
    async with serving(1) as servers:
        bench = Bench(servers)
        rpcs = [servers[0].rpc(), servers[0].rpc()]
        shared = Endpoints(rpcs, 8453, budget=SMALL, clock=lambda: 0.0, sleep=bench.sleep, within_s=0.1)
        for _ in range(7):
            with suppress(RpcError):
                await shared.read(Rpc.block_number)
        assert len(servers[0].asked) == 6
        await shared.aclose()
        await bench.all.aclose()
