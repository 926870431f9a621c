"""Referral codes at work: what the discount is taken off, and where the affiliate's part goes."""

from dataclasses import replace

import pytest

from tests.venue.exchange.requests.boxes import box
from tests.venue.exchange.requests.house import FREE, POOL, USDC, House
from tests.venue.exchange.requests.test_order_create import ask
from venue.exchange.pool.params import FeeTier
from venue.exchange.pool.units import FLOAT, factor
from venue.exchange.reasons import Reason
from venue.exchange.requests import commands
from venue.exchange.requests.facts import DecreaseExecuted, IncreaseExecuted, SwapExecuted
from venue.exchange.requests.request import OrderType

DAY_MS = 86_400_000


@pytest.fixture
def house() -> House:
    """Positions pay 6 bps, swaps 7, borrowing a tenth of the reserved share per day."""
    params = replace(
        FREE,
        position_fee=FeeTier(factor("0.0006"), factor("0.0006")),
        swap_fee=FeeTier(factor("0.0007"), factor("0.0007")),
        borrowing_per_second=factor("0.1") // 86_400,
    )
    house = House(params).seeded()
    house.did(commands.RegisterReferralCode("carol", "CODE", factor("0.2"), factor("0.5")))
    return house


@box("order.create.c")
def test_the_discount_is_on_the_position_fee_and_the_rest_of_the_rebate_is_claimable(house: House, box: str) -> None:
    (fact,) = house.executed(house.created(house.order(referral_code="CODE")))
    assert isinstance(fact, IncreaseExecuted)
    charged = fact.report.fees
    assert (charged.fee, charged.discount, charged.affiliate_reward) == (3 * USDC, 300_000, 300_000)
    assert (charged.to_receiver, charged.to_pool) == (888_000, 1_512_000)
    held = house.position()
    assert held is not None
    assert held.collateral == 1_000 * USDC - 2_700_000
    carol = house.balance("carol", "USDC")
    house.did(commands.Claim("carol", POOL, "affiliate"))
    assert house.balance("carol", "USDC") == carol + 300_000
    assert house.refused(commands.Claim("carol", POOL, "affiliate")) == Reason.BAD_AMOUNT
    assert house.refused(commands.Claim("bob", POOL, "affiliate")) == Reason.BAD_AMOUNT


@box("order.create.c")
def test_borrowing_and_swap_fees_are_the_same_with_a_code(house: House, box: str) -> None:
    fees, swapped = {}, {}
    for user, code in (("alice", "CODE"), ("bob", "")):
        house.executed(house.created(house.order(account=user, receiver=user, referral_code=code)))
    house.now_ms += DAY_MS
    for user in ("alice", "bob"):
        closing = ask(house, OrderType.MARKET_DECREASE, account=user, receiver=user, size=2_500 * FLOAT)
        (fact,) = house.executed(house.created(closing))
        assert isinstance(fact, DecreaseExecuted)
        fees[user] = fact.report.fees
        (swap,) = house.executed(house.created(ask(house, OrderType.MARKET_SWAP, account=user)))
        assert isinstance(swap, SwapExecuted)
        swapped[user] = swap.report.hops[0].fee_to_pool + swap.report.hops[0].fee_to_receiver
    assert fees["alice"].borrowing == fees["bob"].borrowing > 0
    assert fees["bob"].cost - fees["alice"].cost == fees["alice"].discount == 150_000
    assert swapped == {"alice": 700_000, "bob": 700_000}


@box("order.create.c")
def test_a_trader_keeps_the_first_code_for_every_later_order(house: House, box: str) -> None:
    house.did(commands.RegisterReferralCode("bob", "OTHER", FLOAT, FLOAT))
    house.executed(house.created(house.order(referral_code="CODE")))
    (fact,) = house.executed(house.created(house.order(referral_code="OTHER")))
    assert isinstance(fact, IncreaseExecuted)
    assert (fact.report.fees.affiliate, fact.report.fees.discount) == ("carol", 300_000)


@pytest.mark.parametrize(
    "command",
    [
        commands.RegisterReferralCode("bob", "CODE", 0, 0),
        commands.RegisterReferralCode("bob", "", 0, 0),
        commands.RegisterReferralCode("bob", "C" * 33, 0, 0),
        commands.RegisterReferralCode("", "NEW", 0, 0),
        commands.RegisterReferralCode("bob", "NEW", FLOAT + 1, 0),
        commands.RegisterReferralCode("bob", "NEW", 0, -1),
    ],
)
def test_codes_belong_to_who_came_first_and_give_away_no_more_than_the_fee(
    house: House, command: commands.RegisterReferralCode
) -> None:
    assert house.refused(command) == Reason.INVALID_REFERRAL_CODE
