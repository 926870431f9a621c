"""The invariants of the pool market and of the request layer, over random histories and in cases of their own."""

import asyncio
import random
import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.codec import decode, encode
from engine.requests.hooks import Hooks, Told
from engine.settlement import Recorded
from tests.venue.exchange.pools.asks import BASE
from tests.venue.exchange.pools.cases import (
    ETH,
    FEE,
    FLAT,
    FREE,
    SHARE,
    STEEP,
    USD,
    USDC,
    create,
    deposit,
    deposit_row,
    execute,
    held,
    house,
    order,
    order_row,
    paid_of,
    report_of,
    shares,
)
from tests.venue.exchange.pools.drive import ENGINE, TYPICAL
from tests.venue.exchange.pools.generate import play
from tests.venue.exchange.pools.state import Row
from tests.venue.exchange.pools.watching import Watched
from venue.exchange import machine
from venue.exchange.pool.trigger import trigger_met
from venue.exchange.requests.request import OrderType
from venue.exchange.state import Exchange

FAST = settings(max_examples=40, deadline=None, derandomize=True, database=None)


@pytest.mark.parametrize("seed", range(10))
def test_histories_keep_every_invariant_and_replay_to_the_same_state(seed: int) -> None:
    """C1, C2, C4, C5, P1 to P4, P7 to P11, P14."""
    pair = Watched()
    play(random.Random(70_000 + seed), 170, pair)
    again = Exchange()
    for fact in pair.facts:
        read: Any = decode(*encode(fact))
        machine.evolve(again, read)
    assert again == pair.exchange
    one, other = (re.sub(r"<Reason\.\w+: ('\w+')>", r"\1", repr(each)) for each in (again, pair.exchange))
    assert one == other


def test_some_histories_put_the_share_price_to_the_test() -> None:
    """P3 is looked at only where nothing else may move the price: often enough."""
    times = 0
    for seed in range(6):
        pair = Watched()
        play(random.Random(80_000 + seed), 120, pair)
        times += pair.seen_worth
    assert times > 12


@pytest.mark.parametrize("kind", ["deposit", "withdrawal", "order"])
def test_of_many_keepers_exactly_one_executes(kind: str) -> None:
    """C3."""
    pair = house({}, 100 * ETH, 500_000 * USDC)
    rows: dict[str, Row] = {
        "deposit": deposit_row(ETH, 0),
        "withdrawal": {
            "market": "ETH-USD", "amount": SHARE, "long_path": [], "short_path": [], "min_long": 0, "min_short": 0,
        },
        "order": order_row("MarketSwap", "USDC", 10**9, 0),
    }  # fmt: skip
    n = create(pair, kind, "dot", **rows[kind])
    answers = [execute(pair, kind, n, keeper) for keeper in ("kim", "lee", "spy", "kim", "dot")]
    assert answers == [("executed", ""), *[("refused", f"Empty{kind.capitalize()}")] * 4]


@given(long=st.integers(1, 50 * ETH), short=st.integers(0, 200_000 * USDC), spread=st.integers(0, 10**11))
@FAST
def test_a_deposit_that_is_taken_out_again_wins_no_more_than_its_bonus(long: int, short: int, spread: int) -> None:
    """P3."""
    pair = house({**STEEP}, 90 * ETH, 500_000 * USDC)
    pair.step({"op": "quote", "token": "WETH", "low": 5_000 * 10**12 - spread, "high": 5_000 * 10**12 + spread})
    start = {token: held(pair, token, "ann") for token in ("WETH", "USDC")}
    row = deposit_row(long, short)
    assert execute(pair, "deposit", create(pair, "deposit", "ann", **row)) == ("executed", "")
    report = report_of(pair)
    amount = shares(pair, "ann")
    if not amount:
        return
    back: Row = {"long_path": [], "short_path": [], "min_long": 0, "min_short": 0}
    n = create(pair, "withdrawal", "ann", market="ETH-USD", amount=amount, **back)
    assert execute(pair, "withdrawal", n) == ("executed", "")
    gain = {token: held(pair, token, "ann") - start[token] for token in start}
    fees = 2 * 305_000_000_000_000
    worth = (gain["WETH"] + fees) * 5_000 * 10**12 + gain["USDC"] * 10**24
    slack = spread * 2 * (abs(gain["WETH"]) + long)
    assert worth <= max(0, report.price_impact_usd) + slack


@given(amount=st.integers(10**6, 400_000 * USDC), held_long=st.integers(20, 200))
@FAST
def test_a_swap_there_and_back_wins_no_more_than_the_bonus(amount: int, held_long: int) -> None:
    """P4, without fees, so that nothing hides a gain."""
    pair = house({**STEEP, **FREE}, held_long * ETH, 500_000 * USDC)
    before = held(pair, "USDC", "ann")
    if order(pair, "ann", "MarketSwap", "USDC", amount, 0)[0] != "executed":
        return
    first = report_of(pair).hops[0]
    if order(pair, "ann", "MarketSwap", "WETH", first.amount_out, 0)[0] != "executed":
        return
    second = report_of(pair).hops[0]
    bonus = max(0, first.price_impact_usd) + max(0, second.price_impact_usd)
    assert (held(pair, "USDC", "ann") - before) * 10**24 <= bonus
    assert first.price_impact_usd + second.price_impact_usd <= 0


def test_splitting_a_deposit_gains_what_is_known() -> None:
    """P5, the published case: two times 5 ETH against 10 ETH at once."""
    whole, halves = house({**FREE, **STEEP}), house({**FREE, **STEEP})
    deposit(whole, "ann", 10 * ETH, 0)
    deposit(halves, "ann", 5 * ETH, 0)
    deposit(halves, "ann", 5 * ETH, 0)
    assert (shares(whole, "ann"), shares(halves, "ann")) == (49_975 * SHARE, 49_975_003_125 * SHARE // 10**6)


@given(whole=st.integers(2 * 10**15, 80 * ETH), share=st.integers(1, 99))
@FAST
def test_splitting_an_unbalancing_deposit_gains_little(whole: int, share: int) -> None:
    """P5: no more than the order of impact squared over the pool."""
    one, two = (house({**FREE, **STEEP}, 100 * ETH, 400_000 * USDC) for _ in range(2))
    deposit(one, "ann", whole, 0)
    impact = Fraction(-report_of(one).price_impact_usd, USD)
    first = max(1, whole * share // 100)
    deposit(two, "ann", first, 0)
    deposit(two, "ann", whole - first, 0)
    gain = Fraction(shares(two, "ann") - shares(one, "ann"), SHARE)
    assert gain <= 10 * impact**2 / 900_000 + Fraction(1, 10**9)


@given(amount=st.integers(1, 10**19), low=st.integers(3_000, 7_000), is_long=st.booleans(), token=st.booleans())
@FAST
def test_opening_and_closing_for_nothing_never_wins(amount: int, low: int, is_long: bool, token: bool) -> None:
    """P6: without fees and impact the roundings are all against the trader."""
    pair = house(FLAT, 1_000 * ETH, 5_000_000 * USDC)
    pair.step({"op": "quote", "token": "WETH", "low": low * 10**12 + 7, "high": low * 10**12 + 7})
    name = "WETH" if token else "USDC"
    collateral = 10 * ETH + amount if token else 40_000 * USDC + amount % USDC
    size = 100_000 * USD + amount
    before, eth = held(pair, name, "ann"), FEE
    assert order(pair, "ann", "MarketIncrease", name, collateral, size, is_long=is_long)[0] == "executed"
    paid = paid_of(pair)
    for part in (size // 3, size - size // 3):
        assert order(pair, "ann", "MarketDecrease", name, 0, part, is_long=is_long)[0] == "executed"
        paid += paid_of(pair)
    lost = before - held(pair, name, "ann") - (paid if token else 0)
    assert 0 <= lost <= 10 if not token else 0 <= lost <= eth
    assert not pair.exchange.pool_positions


@given(short=st.integers(10**3, 10**12))
@FAST
def test_one_unit_more_is_worth_no_more_than_one_unit(short: int) -> None:
    """P6."""
    one, more = (house(FLAT, 100 * ETH, 333_333_333_333) for _ in range(2))
    deposit(one, "ann", 0, short)
    deposit(more, "ann", 0, short + 1)
    gained = shares(more, "ann") - shares(one, "ann")
    assert 0 <= gained <= 10**12 + 1
    assert shares(one, "ann") * 10**12 <= short * 10**24


def test_money_goes_out_before_anything_is_minted_twice() -> None:
    """P2, P7: create and cancel give back everything; the first-deposit rule is on exactly while there is no supply."""
    pair = house({"min_first_deposit": 10 * SHARE})
    before = {token: held(pair, token, "ann") for token in TYPICAL}
    n = create(pair, "deposit", "ann", **deposit_row(ETH, 5_000 * USDC))
    cancel = {"op": "cancel", "n": n, "kind": "deposit", "account": "ann"}
    pair.step({"op": "wait", "ms": 299_999})
    assert pair.step(cancel) == ("refused", "RequestNotYetCancellable")
    pair.step({"op": "wait", "ms": 1})
    assert pair.step(cancel) == ("cancelled", "UserInitiatedCancel")
    assert {token: held(pair, token, "ann") for token in TYPICAL} == before
    assert deposit(pair, "ann", ETH, 0) == ("cancelled", "InvalidReceiverForFirstDeposit")
    row = {**deposit_row(ETH, 5_000 * USDC), "receiver": "0x" + "0" * 39 + "1", "min_market_tokens": 10 * SHARE}
    assert execute(pair, "deposit", create(pair, "deposit", "ann", **row)) == ("executed", "")
    assert deposit(pair, "ann", ETH, 0) == ("executed", "")


def test_each_type_of_order_reads_one_end_of_the_spread() -> None:
    """P12. Reads: True the high end. Fires: True at or above."""
    table = {
        ("LimitIncrease", True): (True, False), ("LimitIncrease", False): (False, True),
        ("StopIncrease", True): (True, True), ("StopIncrease", False): (False, False),
        ("LimitDecrease", True): (False, True), ("LimitDecrease", False): (True, False),
        ("StopLossDecrease", True): (False, False), ("StopLossDecrease", False): (True, True),
    }  # fmt: skip
    ends = [(98, 99), (99, 100), (99, 101), (100, 101), (101, 102)]
    for (kind, is_long), (high_end, above) in table.items():
        for low, high in ends:
            read = high if high_end else low
            fires = read >= 100 if above else read <= 100
            assert trigger_met(OrderType(kind), is_long, low, high, 100) is fires, (kind, is_long, low, high)


async def test_hooks_that_raise_or_hang_change_nothing() -> None:
    """P13."""
    states: list[str] = []
    heard: list[str] = []

    async def hang(told: Told) -> None:
        heard.append(told.event)
        await asyncio.Event().wait()

    async def fail(told: Told) -> None:
        heard.append(told.event)
        raise RuntimeError("the hook's own affair")

    async def fine(told: Told) -> None:
        heard.append(told.event)

    for hook in (hang, fail, fine):
        pair, hooks = house({}, 100 * ETH, 500_000 * USDC), Hooks()
        hooks.register("mine", hook)
        for amount in (10**9, 10**20):
            row = order_row("MarketSwap", "USDC", amount, 0, callback="mine", callback_units=2_000)
            n = create(pair, "order", "ann", **row)
            execute(pair, "order", n)
            hooks.published([Recorded(at, pair.now, fact) for at, fact in enumerate(pair.latest)])
            before = repr(pair.exchange)
            await hooks.pass_once()
            assert repr(pair.exchange) == before
        pair.compare()
        assert (hooks.called, hooks.failed) == (2, 0 if hook is fine else 2)
        states.append(repr(pair.exchange))
    assert len(set(states)) == 1
    assert heard == ["executed", "cancelled"] * 3


def test_a_full_list_of_orders_that_end_with_a_position_takes_no_more_and_empties() -> None:
    """P14."""
    pair = house({}, 1_000 * ETH, 5_000_000 * USDC)
    assert order(pair, "ann", "MarketIncrease", "USDC", 10_000 * USDC, 50_000 * USD)[0] == "executed"
    row = order_row("StopLossDecrease", "USDC", 0, 50_000 * USD, trigger_price=10**12, auto_cancel=True)
    first = [create(pair, "order", "ann", **row) for _ in range(6)]
    full = {**BASE, "account": "ann", "receiver": "ann", "execution_fee": FEE, **row}
    seventh = {"op": "create", "kind": "order", "row": full, "native_sent": FEE, "from_outside": False, "code": ""}
    assert pair.step(seventh) == ("refused", "MaxAutoCancelOrdersExceeded")
    pair.step({"op": "wait", "ms": 1_000})
    assert order(pair, "ann", "MarketDecrease", "USDC", 0, 50_000 * USD)[0] == "executed"
    assert not pair.exchange.requests.pending
    assert {pair.exchange.requests.ended[pair.key(n)].reason for n in first} == {"AutoCancel"}


def test_the_engine_name_makes_the_keys() -> None:
    assert house({}).exchange.requests.engine_id == ENGINE


def test_the_liquidation_condition_counts_the_impact_that_a_close_would_get() -> None:
    """A closing bonus counts only up to its cap, so it cannot hide what the position still owes of impact."""
    curve = {"positive": 6 * 10**22, "negative": 6 * 10**22}
    pair = house({"position_impact": curve}, 1_000 * ETH, 5_000_000 * USDC)
    assert order(pair, "ann", "MarketIncrease", "USDC", 2_000 * USDC, 100_000 * USD)[0] == "executed"
    assert order(pair, "bob", "MarketIncrease", "USDC", 50_000 * USDC, 100_000 * USD)[0] == "executed"
    pair.step({"op": "quote", "token": "WETH", "low": 4_960 * 10**12, "high": 4_960 * 10**12})
    position = {"account": "ann", "market": "ETH-USD", "collateral_token": "USDC", "is_long": True}
    assert pair.step({"op": "liquidate", "keeper": "kim", "age": 0, **position}) == ("executed", "")
    assert report_of(pair).total_impact_usd < 0


def test_a_bonus_for_closing_keeps_no_position_alive() -> None:
    """Impact counts in the liquidation condition only as far as it is a loss."""
    curve = {"positive": 6 * 10**22, "negative": 6 * 10**22}
    pair = house({"position_impact": curve}, 1_000 * ETH, 5_000_000 * USDC)
    rows = (("bob", 50_000, 100_000, False), ("ann", 2_000, 100_000, True), ("dot", 50_000, 200_000, True))
    for user, collateral, size, is_long in rows:
        row = ("MarketIncrease", "USDC", collateral * USDC, size * USD)
        assert order(pair, user, *row, is_long=is_long) == ("executed", "")
    pair.step({"op": "quote", "token": "WETH", "low": 4_930 * 10**12, "high": 4_930 * 10**12})
    position = {"account": "ann", "market": "ETH-USD", "collateral_token": "USDC", "is_long": True}
    assert pair.step({"op": "liquidate", "keeper": "kim", "age": 0, **position}) == ("executed", "")
