"""Nothing appears and nothing is lost, whatever happens: every token's books, accounts and sums."""

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.venue.exchange.pool.house import ETH, SYMBOL, USDC, House, prices
from tests.venue.exchange.pool.trades import (
    STEEP,
    closed,
    deposited,
    liquidated,
    opened,
    pool_of,
    swapped,
    withdrawn,
)
from venue.exchange.commands import Refused
from venue.exchange.ledger import EXTERNAL
from venue.exchange.pool.params import PoolParams
from venue.exchange.pool.state import Pool, collateral, fees, impact_pool, liquidity
from venue.exchange.pool.units import FLOAT, Prices, factor
from venue.exchange.requests.book import ReferralCode

PARAMS = PoolParams(
    swap_impact=STEEP, position_impact=STEEP, max_negative_impact=factor("0.0005"),
    borrowing_per_second=factor("0.0000001"), impact_distribution_per_second=10**12 * FLOAT, min_impact_pool=10**15,
)  # fmt: skip
SPOT = "WETH-USDC"
CODE = ReferralCode("carol", factor("0.1"), factor("0.5"))
USERS = ("alice", "bob", "dot")


class Story:
    """Random trading at random prices; what is refused leaves no trace."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.house = House(PARAMS, Pool(SPOT, "", "WETH", "USDC", replace(PARAMS, impact_distribution_per_second=0)))
        self.done: Counter[str] = Counter()
        for market in (SYMBOL, SPOT):
            deposited(self.house, 100 * ETH, 500_000 * USDC, market=market)

    def step(self) -> None:
        roll = self.random
        self.house.now_ms += roll.randrange(3_600_000)
        low = roll.randrange(4_000, 6_000)
        kind = roll.choice(("deposit", "withdraw", "swap", "open", "open", "close", "close", "liquidate"))
        if not self.house.exchange.pool_positions:
            kind = "open"
        before = repr(self.house.exchange)
        try:
            getattr(self, kind)(prices(low, low + roll.randrange(20)))
        except Refused:
            assert repr(self.house.exchange) == before
        else:
            self.done[kind] += 1

    def deposit(self, at: Prices) -> None:
        market = self.random.choice((SYMBOL, SPOT))
        long, short = self.random.randrange(5 * ETH), self.random.randrange(20_000 * USDC)
        deposited(self.house, long, short, at, market=market, short_path=self.random.choice(((), (SPOT, SYMBOL))))

    def withdraw(self, at: Prices) -> None:
        market = self.random.choice((SYMBOL, SPOT))
        amount = self.random.randrange(1 + self.house.wallet(f"MT:{market}") // 10)
        withdrawn(self.house, amount, at, market=market, long_path=self.random.choice(((), (SPOT,))))

    def swap(self, at: Prices) -> None:
        path = self.random.choice(((SYMBOL,), (SPOT,), (SYMBOL, SPOT)))
        token = self.random.choice(("WETH", "USDC"))
        swapped(self.house, token, self.random.randrange(ETH if token == "WETH" else 9_000 * USDC), *path, at=at)

    def open(self, at: Prices) -> None:
        usd, token = self.random.randrange(1, 60_000), self.random.choice(("WETH", "USDC"))
        unit = ETH // 5_000 if token == "WETH" else USDC
        amount = usd * unit // self.random.randrange(2, 90) + self.random.randrange(99)
        opened(self.house, usd, amount, at, self.random.choice((None, CODE)), **self._whose(token))

    def close(self, at: Prices) -> None:
        held = self.random.choice(list(self.house.exchange.pool_positions.values()))
        size = self.random.choice((held.size, self.random.randrange(held.size)))
        code, take = self.random.choice((None, CODE)), self.random.choice((0, held.collateral // 3))
        whose = {"account": held.account, "collateral_token": held.collateral_token, "is_long": held.is_long}
        closed(self.house, 0, at, code, take, size=size, path=self.random.choice(((), (SPOT,))), **whose)

    def liquidate(self, at: Prices) -> None:
        """All that can be."""
        for key in list(self.house.exchange.pool_positions):
            try:
                self.done["insolvent"] += bool(liquidated(self.house, key, at).insolvent_step)
                self.done["liquidated"] += 1
            except Refused:
                continue

    def _whose(self, token: str) -> dict[str, Any]:
        return {
            "account": self.random.choice(USERS),
            "collateral_token": token,
            "is_long": self.random.random() < 0.5,
        }


def check(house: House) -> None:
    positions = list(house.exchange.pool_positions.values())
    for token, book in house.exchange.tokens.items():
        assert book.total() == 0
        assert all(amount >= 0 for name, amount in book.balances.items() if name != EXTERNAL)
        assert not any(amount for name, amount in book.balances.items() if name.endswith("_vault"))
        pooled = sum(amount for name, amount in book.balances.items() if name != EXTERNAL and "wallet:" not in name)
        parts = [name(each) for each in house.exchange.pools for name in (liquidity, impact_pool, fees)]
        parts += [collateral(each, is_long) for each in house.exchange.pools for is_long in (True, False)]
        parts += [f"affiliate:{SYMBOL}:carol", *(f"locked:{SYMBOL}:{user}" for user in USERS)]
        assert sum(book[name] for name in parts) == pooled
        for is_long in (True, False):
            mine = [each.collateral for each in positions if (each.collateral_token, each.is_long) == (token, is_long)]
            assert book[collateral(SYMBOL, is_long)] == sum(mine)
    for is_long in (True, False):
        side, interest = [each for each in positions if each.is_long is is_long], pool_of(house).interest(is_long)
        assert interest.usd == sum(each.size for each in side)
        assert interest.tokens == sum(each.tokens for each in side)
        assert interest.pending_impact == sum(each.pending_impact for each in side)
        assert interest.borrowed == sum(each.size * each.borrowing for each in side)
    assert pool_of(house).position_impact >= 0
    assert pool_of(house, SPOT).position_impact == 0


@pytest.mark.parametrize("seed", range(6))
def test_stories(seed: int) -> None:
    story = Story(seed)
    for _ in range(120):
        story.step()
        check(story.house)


def test_the_stories_tell_of_everything() -> None:
    done: Counter[str] = Counter()
    for seed in range(6):
        story = Story(seed)
        for _ in range(120):
            story.step()
        done += story.done
    kinds = ("deposit", "withdraw", "swap", "open", "close", "liquidated", "insolvent")
    assert {kind: done[kind] >= 5 for kind in kinds} == dict.fromkeys(kinds, True), done
