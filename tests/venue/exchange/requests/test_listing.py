"""What is registered and switched: pools, features, keepers, codes, tokens in and out."""

import pytest

from tests.venue.exchange.requests.house import CURVE, POOL, USDC, House
from venue.exchange.machine import Command
from venue.exchange.pool.params import PoolParams
from venue.exchange.pool.units import FLOAT
from venue.exchange.reasons import Reason
from venue.exchange.requests import commands
from venue.exchange.requests.book import RequestRules


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (commands.FoundExchange("again", RequestRules()), Reason.DISABLED_FEATURE),
        (commands.RegisterKeeper(""), Reason.EMPTY_ACCOUNT),
        (commands.SwitchFeature("create:everything", False), Reason.DISABLED_FEATURE),
        (commands.ListPool(POOL, "WETH", "WETH", "USDC", PoolParams()), Reason.MARKET_EXISTS),
        (commands.ListPool(CURVE, "WETH", "WETH", "USDC", PoolParams()), Reason.MARKET_EXISTS),
        (commands.ListPool("X", "WETH", "WETH", "WETH", PoolParams()), Reason.INVALID_POOL),
        (commands.ListPool("", "WETH", "WETH", "USDC", PoolParams()), Reason.INVALID_POOL),
        (commands.SwitchPool("X", True), Reason.EMPTY_MARKET),
        (commands.Credit("", "WETH", 1), Reason.EMPTY_ACCOUNT),
        (commands.Credit("alice", "MT:ETH-USD", 1), Reason.INVALID_TOKEN),
        (commands.Credit("alice", "", 1), Reason.INVALID_TOKEN),
        (commands.Credit("alice", "WETH", 0), Reason.BAD_AMOUNT),
        (commands.Debit("alice", "USDC", 10**18), Reason.INSUFFICIENT_BALANCE),
        (commands.RegisterReferralCode("carol", "", 0, 0), Reason.INVALID_REFERRAL_CODE),
        (commands.RegisterReferralCode("carol", "c", FLOAT + 1, 0), Reason.INVALID_REFERRAL_CODE),
        (commands.RegisterReferralCode("", "c", 0, 0), Reason.INVALID_REFERRAL_CODE),
        (commands.Claim("treasury", POOL, "everything"), Reason.EMPTY_MARKET),
        (commands.Claim("alice", POOL, "fees"), Reason.UNAUTHORIZED),
        (commands.Claim("alice", POOL, "locked"), Reason.BAD_AMOUNT),
    ],
)
def test_what_is_refused(command: Command, code: Reason) -> None:
    assert House().refused(command) == code


def test_a_code_belongs_to_who_came_first() -> None:
    house = House()
    house.did(commands.RegisterReferralCode("carol", "c", FLOAT // 10, FLOAT // 2))
    assert house.refused(commands.RegisterReferralCode("bob", "c", 0, 0)) == Reason.INVALID_REFERRAL_CODE


def test_switching_to_where_it_stands_is_no_fact() -> None:
    house = House()
    assert house.did(commands.SwitchPool(POOL, True)) == ()
    assert len(house.did(commands.SwitchPool(POOL, False))) == 1
    assert house.did(commands.SwitchFeature("create:deposit", True)) == ()
    assert house.did(commands.RegisterKeeper("keeper")) == ()


def test_tokens_come_and_go() -> None:
    house = House()
    before = house.balance("alice", "USDC")
    house.did(commands.Credit("alice", "USDC", 5 * USDC))
    house.did(commands.Debit("alice", "USDC", 7 * USDC))
    assert house.balance("alice", "USDC") == before - 2 * USDC


def test_a_withdrawal_of_nothing_is_refused() -> None:
    house = House().seeded()
    assert house.refused(house.withdrawal(amount=0)) == Reason.EMPTY_WITHDRAWAL_AMOUNT
