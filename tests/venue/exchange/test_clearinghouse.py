"""The clearinghouse's rules one by one: what is refused, and what happens exactly at a boundary."""

import math
from copy import deepcopy
from dataclasses import replace
from fractions import Fraction

import pytest

from tests.venue.exchange.market import LITERAL, SYMBOL, apply, exchange, wad
from venue.exchange import commands
from venue.exchange.commands import Code, Rejection
from venue.exchange.facts import PositionLiquidated, PositionOpened, PositionReduced
from venue.exchange.fixed import WAD
from venue.exchange.health import exit_part, health, move_to_liquidation
from venue.exchange.ledger import EXTERNAL, INSURANCE, TRADE_FUND, wallet
from venue.exchange.params import MarketParams
from venue.exchange.state import Exchange

DEEP = replace(LITERAL, initial_base=wad("100000000"), initial_quote=wad("100000000"))


def funded(params: MarketParams = LITERAL, **users: str) -> Exchange:
    state = exchange(params)
    for user, amount in users.items():
        apply(state, commands.Deposit(user, wad(amount)))
    return state


def open_one(state: Exchange, user: str, is_long: bool, total: str, leverage: str) -> PositionOpened:
    order = commands.OpenPosition(
        user=user, market=SYMBOL, is_long=is_long, total=wad(total), leverage=Fraction(leverage)
    )
    answer = apply(state, order)
    assert not isinstance(answer, Rejection), answer
    opened = answer[-1]
    assert isinstance(opened, PositionOpened)
    return opened


def refusal(state: Exchange, command: commands.Command) -> str:
    """The code of a refusal, after making sure that the state did not change."""
    before = deepcopy(state)
    answer = apply(state, command)
    assert isinstance(answer, Rejection), answer
    assert state == before
    return answer.code.value


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"total": 0}, Code.BAD_AMOUNT),
        ({"total": -WAD}, Code.BAD_AMOUNT),
        ({"deposit": -1}, Code.BAD_AMOUNT),
        ({"leverage": 1 - Fraction(1, WAD)}, Code.BAD_LEVERAGE),
        ({"leverage": 30 + Fraction(1, WAD)}, Code.BAD_LEVERAGE),
        ({"total": wad("1000") + 1}, Code.INSUFFICIENT_WALLET),
        ({"market": "Y"}, Code.UNKNOWN_MARKET),
        ({"worst_price": WAD}, Code.WORSE_THAN_ACCEPTABLE),
        ({"total": 1}, Code.BAD_AMOUNT),
    ],
)
def test_open_is_refused_with_its_code_and_no_effect(change: dict[str, object], code: Code) -> None:
    state = funded(a="1000")
    order = commands.OpenPosition(user="a", market=SYMBOL, is_long=True, total=wad("10"), leverage=Fraction(2))
    assert refusal(state, replace(order, **change)) == code  # type: ignore[arg-type]


def test_an_open_may_not_move_mark_farther_than_the_limit() -> None:
    limited = replace(LITERAL, max_open_move=Fraction("0.02"))
    order = commands.OpenPosition(user="a", market=SYMBOL, is_long=True, total=wad("100"), leverage=Fraction(10))
    assert not isinstance(apply(funded(limited, a="1000"), order), Rejection)
    assert refusal(funded(limited, a="1000"), replace(order, total=wad("105"))) == Code.PRICE_MOVE_LIMIT
    assert not isinstance(apply(funded(LITERAL, a="1000"), replace(order, total=wad("105"))), Rejection)


@pytest.mark.parametrize("is_long", [True, False])
def test_an_open_that_would_exhaust_the_pool_is_refused(is_long: bool) -> None:
    state = funded(a="1000000")
    order = commands.OpenPosition(user="a", market=SYMBOL, is_long=is_long, total=wad("100000"), leverage=Fraction(30))
    assert refusal(state, order) == Code.POOL_EXHAUSTED


def test_longs_may_not_buy_base_that_exists_only_because_shorts_sold_it() -> None:
    state = funded(a="10000000", b="10000000")
    open_one(state, "b", False, "4000", "20")
    order = commands.OpenPosition(user="a", market=SYMBOL, is_long=True, total=wad("30000"), leverage=Fraction(30))
    assert refusal(state, order) == Code.POOL_EXHAUSTED


def test_open_and_close_at_once_returns_exactly_the_margin() -> None:
    state = funded(a="1000")
    opened = open_one(state, "a", True, "1000", "10")
    answer = apply(state, commands.ClosePosition(user="a", position_id=opened.position_id))
    assert not isinstance(answer, Rejection)
    closed = answer[-1]
    assert isinstance(closed, PositionReduced)
    assert closed.payout <= opened.margin
    assert opened.margin - closed.payout <= 2


def test_a_close_that_withdraws_leaves_only_what_is_no_whole_unit() -> None:
    state = funded()
    order = commands.OpenPosition(
        user="a", market=SYMBOL, is_long=True, total=wad("10"), leverage=Fraction(3), deposit=wad("10")
    )
    apply(state, order)
    apply(state, commands.ClosePosition(user="a", position_id=1, withdraw_unit=10**12))
    assert 0 <= state.ledger[wallet("a")] < 10**12
    assert state.ledger[EXTERNAL] % 10**12 == 0
    assert state.ledger.total() == 0


def test_an_order_id_takes_effect_once() -> None:
    state = funded(a="100")
    order = commands.OpenPosition(
        user="a", market=SYMBOL, is_long=True, total=wad("10"), leverage=Fraction(3), order_id="o1"
    )
    assert not isinstance(apply(state, order), Rejection)
    assert refusal(state, order) == Code.DUPLICATE_ORDER
    assert state.fills["o1"].position_id == 1


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: commands.ClosePosition(user="a", position_id=9), Code.UNKNOWN_POSITION),
        (lambda: commands.ClosePosition(user="b", position_id=1), Code.NOT_OWNER),
        (lambda: commands.ClosePosition(user="a", position_id=1, part=Fraction(0)), Code.BAD_AMOUNT),
        (lambda: commands.ClosePosition(user="a", position_id=1, part=1 + Fraction(1, WAD)), Code.BAD_AMOUNT),
        (lambda: commands.ClosePosition(user="a", position_id=2), Code.NOT_OPEN),
        (lambda: commands.ClosePosition(user="a", position_id=1, worst_price=wad("2")), Code.WORSE_THAN_ACCEPTABLE),
        (lambda: commands.LiquidatePosition("k", 1), Code.SAME_BLOCK),
        (lambda: commands.LiquidatePosition("k", 9), Code.UNKNOWN_POSITION),
        (lambda: commands.LiquidatePosition("k", 2), Code.NOT_OPEN),
        (lambda: commands.IncreasePosition(user="b", position_id=1, total=WAD, leverage=Fraction(1)), Code.NOT_OWNER),
        (lambda: commands.Withdraw("a", wad("1000")), Code.INSUFFICIENT_WALLET),
        (lambda: commands.Withdraw("a", 0), Code.BAD_AMOUNT),
        (lambda: commands.Deposit("a", 0), Code.BAD_AMOUNT),
        (lambda: commands.FundInsurance(-1), Code.BAD_AMOUNT),
        (lambda: commands.AdvanceBlock(0), Code.BAD_AMOUNT),
        (lambda: commands.ListMarket(SYMBOL, LITERAL), Code.MARKET_EXISTS),
    ],
)
def test_refusals_change_nothing(make: object, code: Code) -> None:
    state = funded(a="1000")
    open_one(state, "a", True, "100", "5")
    open_one(state, "a", True, "100", "5")
    apply(state, commands.ClosePosition(user="a", position_id=2))
    assert refusal(state, make()) == code  # type: ignore[operator]


@pytest.mark.parametrize(("against", "buffer"), [("40000", "0.1"), ("14000", "0.2"), ("4000", "0.3")])
@pytest.mark.parametrize("is_long", [True, False])
def test_liquidation_starts_exactly_one_unit_past_the_buffer(against: str, buffer: str, is_long: bool) -> None:
    """loss == margin x (1 - buffer) is safe, one unit of margin less is not, in each of the three buckets."""
    deep = replace(LITERAL, initial_base=wad("10000000"), initial_quote=wad("10000000"))
    state = funded(deep, a="100000", b="100000")
    opened = open_one(state, "a", is_long, "1000", "3")
    open_one(state, "b", not is_long, against, "25")
    apply(state, commands.AdvanceBlock(1))
    market, position = state.markets[SYMBOL], state.positions[opened.position_id]
    leaving = exit_part(market, position)
    lost = -(leaving.pnl_trade + leaving.pnl_carry)
    boundary = math.ceil(lost / (1 - Fraction(buffer)))
    safe = health(market, replace(position, margin=boundary))
    assert safe.buffer == Fraction(buffer)
    assert not safe.liquidatable
    assert health(market, replace(position, margin=boundary - 1)).liquidatable
    assert health(market, replace(position, margin=boundary - 1)).buffer == Fraction(buffer)


def test_the_bucket_follows_current_leverage_and_includes_its_ceiling() -> None:
    state = funded(DEEP, a="100000")
    opened = open_one(state, "a", True, "1000", "5")
    market, position = state.markets[SYMBOL], state.positions[opened.position_id]
    exposure = position.base_size * market.quote_reserve // market.base_reserve
    for ceiling, buffer, above in ((10, "0.1", "0.2"), (20, "0.2", "0.3"), (30, "0.3", "0.3")):
        at_ceiling = -(-exposure // ceiling) + 1
        assert health(market, replace(position, margin=at_ceiling)).buffer == Fraction(buffer)
        assert health(market, replace(position, margin=exposure // (ceiling + 1))).buffer == Fraction(above)


def test_bad_debt_is_met_by_insurance_and_the_rest_is_counted() -> None:
    for insurance in ("5000", "100"):
        state = funded(a="5000", b="500000")
        apply(state, commands.FundInsurance(wad(insurance)))
        opened = open_one(state, "a", True, "300", "30")
        open_one(state, "b", False, "5000", "5")
        apply(state, commands.AdvanceBlock(1))
        before = state.ledger[INSURANCE]
        answer = apply(state, commands.LiquidatePosition("k", opened.position_id))
        assert not isinstance(answer, Rejection)
        gone = answer[-1]
        assert isinstance(gone, PositionLiquidated)
        shortfall = gone.liquidator_fee - gone.equity
        assert gone.equity < 0
        assert gone.owner_payout == 0
        assert gone.from_insurance + gone.uncovered == shortfall
        assert state.ledger[INSURANCE] == before - gone.from_insurance >= 0
        assert (gone.uncovered > 0) is (insurance == "100")
        assert state.uncovered_bad_debt == gone.uncovered
        assert state.ledger.total() == 0


def test_two_liquidators_compete_and_one_wins() -> None:
    state = funded(a="5000", b="500000")
    apply(state, commands.FundInsurance(wad("5000")))
    opened = open_one(state, "a", True, "300", "30")
    open_one(state, "b", False, "5000", "5")
    apply(state, commands.AdvanceBlock(1))
    assert not isinstance(apply(state, commands.LiquidatePosition("k1", opened.position_id)), Rejection)
    assert refusal(state, commands.LiquidatePosition("k2", opened.position_id)) == Code.NOT_OPEN
    assert state.ledger[wallet("k2")] == 0


@pytest.mark.parametrize("is_long", [True, False])
def test_the_heavier_side_pays_carry_and_the_other_receives(is_long: bool) -> None:
    state = funded(DEEP, a="100000", b="100000")
    heavy = open_one(state, "a", is_long, "1000", "10")
    light = open_one(state, "b", not is_long, "100", "10")
    apply(state, commands.AdvanceBlock(10))
    market = state.markets[SYMBOL]
    assert (market.cumulative_carry_index > 0) is is_long
    assert exit_part(market, state.positions[heavy.position_id]).pnl_carry < 0
    assert exit_part(market, state.positions[light.position_id]).pnl_carry > 0


def test_carry_does_not_depend_on_how_blocks_are_counted() -> None:
    states = []
    for steps in ([12], [1] * 12, [5, 7]):
        state = funded(DEEP, a="1000")
        open_one(state, "a", True, "100", "10")
        for blocks in steps:
            apply(state, commands.AdvanceBlock(blocks))
        states.append(state.markets[SYMBOL].cumulative_carry_index)
    assert len(set(states)) == 1


def test_without_open_interest_no_carry_accrues_not_even_later() -> None:
    state = funded(DEEP, a="1000")
    apply(state, commands.AdvanceBlock(1_000))
    open_one(state, "a", True, "100", "10")
    apply(state, commands.AdvanceBlock(1))
    market = state.markets[SYMBOL]
    assert Fraction(market.cumulative_carry_index, market.params.index_scale) == market.params.carry_per_block


@pytest.mark.parametrize("leverage", ["2", "9", "10", "15", "20", "21", "30"])
@pytest.mark.parametrize("is_long", [True, False])
def test_the_shown_distance_to_liquidation_is_where_it_happens(is_long: bool, leverage: str) -> None:
    state = funded(DEEP, a="100000")
    opened = open_one(state, "a", is_long, "1000", leverage)
    market, position = state.markets[SYMBOL], state.positions[opened.position_id]
    move = move_to_liquidation(market, position, health(market, position))
    assert 0 < move < 1
    for factor, liquidatable in ((0.99, False), (1.01, True)):
        scale = (1 + (-1 if is_long else 1) * move * factor) ** 0.5
        moved = replace(
            market,
            quote_reserve=int(market.quote_reserve * scale),
            base_reserve=int(market.base_reserve / scale),
        )
        assert health(moved, position).liquidatable is liquidatable


def test_markets_stand_side_by_side_on_common_funds() -> None:
    state = funded(a="1000")
    apply(state, commands.ListMarket("Y", replace(LITERAL, max_leverage=Fraction(3))))
    opened = open_one(state, "a", True, "100", "10")
    before = deepcopy(state.markets["Y"])
    apply(state, commands.AdvanceBlock(2))
    assert state.markets["Y"].mark == before.mark
    assert state.markets["Y"].cumulative_carry_index == 0 < state.markets[SYMBOL].cumulative_carry_index
    order = commands.OpenPosition(user="a", market="Y", is_long=True, total=wad("10"), leverage=Fraction(4))
    assert refusal(state, order) == Code.BAD_LEVERAGE
    assert not isinstance(apply(state, replace(order, leverage=Fraction(3))), Rejection)
    assert state.markets[SYMBOL].long_open_interest == opened.notional
    margins = sum(position.margin for position in state.open_positions.values())
    assert state.ledger[TRADE_FUND] == margins
