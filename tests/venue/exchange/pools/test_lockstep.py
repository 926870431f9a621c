"""The exchange and the slow model through random histories: after every operation the same answer and the same state.

`PERPDESK_LOCKSTEP=20` runs twenty times as many histories.
"""

import json
import os
import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.venue.exchange.pools import generate
from tests.venue.exchange.pools.drive import Difference, Pair
from tests.venue.exchange.pools.model import Answer
from tests.venue.exchange.pools.state import Row

TIMES = int(os.environ.get("PERPDESK_LOCKSTEP", "1"))
BATCHES, EACH, LENGTH = 8, 6 * TIMES, 220
MUST_HAPPEN = frozenset(
    (
        "execute executed", "liquidate executed", "sweep cancelled RequestExpired", "claim ok", "update ok",
        "cancel cancelled UserInitiatedCancel", "cancel refused RequestNotYetCancellable",
        "liquidate refused PositionShouldNotBeLiquidated", "execute refused EmptyOrder", "execute refused EmptyDeposit",
        "execute refused InvalidOrderPrices", "execute refused OracleTimestampsAreSmallerThanRequired",
        "execute refused OracleTimestampsAreLargerThanRequestExpirationTime", "execute refused Unauthorized",
        "execute refused OrderAlreadyFrozen", "execute refused EmptyPosition", "execute refused EmptyPrice",
        "execute frozen OrderNotFulfillableAtAcceptablePrice", "execute frozen InsufficientReserve",
        "execute cancelled InsufficientFundsToPayForCosts", "execute cancelled MinMarketTokens",
        "execute cancelled InvalidReceiverForFirstDeposit", "execute cancelled LiquidatablePosition",
        "execute cancelled InsufficientOutputAmount", "execute cancelled InsufficientPoolAmount",
    )
)  # fmt: skip


def run(seed: int, length: int, seen: Counter[str]) -> None:
    """One history; a difference is told with the smallest list of operations that shows it."""

    def count(pair: Pair, op: Row, answer: Answer) -> None:
        seen[" ".join((op["op"], *answer)).strip()] += 1

    pair = Pair(watch=count)
    try:
        generate.play(random.Random(seed), length, pair)
    except Difference as difference:
        least = generate.smallest(pair.ops)
        pytest.fail(f"seed {seed}: {generate.fails(least) or difference}\n{json.dumps(least)}")


@pytest.mark.parametrize("batch", range(BATCHES))
def test_the_exchange_and_the_slow_model_agree_after_every_operation(batch: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(batch * EACH, (batch + 1) * EACH):
        run(seed, LENGTH, seen)
    assert seen["execute executed"] > 20


def test_the_histories_get_into_every_kind_of_trouble() -> None:
    seen: Counter[str] = Counter()
    for seed in range(10_000, 10_040):
        run(seed, 250, seen)
    assert not MUST_HAPPEN - seen.keys()


@settings(
    max_examples=12 * TIMES,
    deadline=None,
    derandomize=TIMES == 1,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(st.data())
def test_they_agree_wherever_hypothesis_goes(data: st.DataObject) -> None:
    ops = data.draw(generate.histories(60))
    assert generate.fails(ops) == ""


def test_a_difference_is_cut_down_to_what_it_needs() -> None:
    pair = generate.play(random.Random(3), 120, Pair())

    def bad(ops: list[Row]) -> bool:
        users = [op["user"] for op in ops if op["op"] == "credit"]
        return "cy" in users and any(op["op"] == "wait" for op in ops)

    assert [op["op"] for op in generate.smallest(pair.ops, bad)] == ["credit", "wait"]
