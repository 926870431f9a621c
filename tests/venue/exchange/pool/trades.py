"""Short ways to stock a pool, to trade on it, and to see it refuse."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.venue.exchange.pool.house import ETH, SYMBOL, USDC, House, deposit, order, prices, withdrawal
from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.ledger import EXTERNAL, wallet
from venue.exchange.pool.decrease import DecreaseReport, decrease_position
from venue.exchange.pool.deposit import DepositReport, execute_deposit
from venue.exchange.pool.increase import IncreaseReport, increase_position
from venue.exchange.pool.liquidation import liquidate_position
from venue.exchange.pool.params import FeeTier, ImpactParams, PoolParams
from venue.exchange.pool.state import Pool, PoolPosition, PositionKey, liquidity
from venue.exchange.pool.swap import SwapReport, swap
from venue.exchange.pool.units import FLOAT, Prices, factor
from venue.exchange.pool.withdrawal import WithdrawalReport, execute_withdrawal
from venue.exchange.reasons import Reason
from venue.exchange.requests.book import ReferralCode
from venue.exchange.requests.request import DEPOSIT_VAULT, ORDER_VAULT, WITHDRAWAL_VAULT, OrderType

OFF, NOTHING = ImpactParams(0, 0), FeeTier(0, 0)
PLAIN = PoolParams(
    deposit_fee=NOTHING, swap_fee=NOTHING, withdrawal_fee=0, position_fee=NOTHING, liquidation_fee=0,
    swap_impact=OFF, position_impact=OFF,
)  # fmt: skip
"""No fees and no impact."""
STEEP = ImpactParams(factor("5e-9"), factor("1e-8"))
MARKET_TOKEN = f"MT:{SYMBOL}"
ALICE = PositionKey("alice", SYMBOL, "WETH", True)


@contextmanager
def refused(reason: Reason) -> Iterator[None]:
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.rejection.code is reason
    assert caught.value.rejection.detail


def stocked(eth: int = 1_000, usdc: int = 5_000_000, *more: Pool, **params: Any) -> House:
    """A house whose pool holds whole tokens that nobody has market tokens for."""
    house = House(replace(PLAIN, **params), *more)
    stock(house, SYMBOL, WETH=eth * ETH, USDC=usdc * USDC)
    return house


def stock(house: House, symbol: str, **amounts: int) -> None:
    for token, amount in amounts.items():
        house.credit(token, liquidity(symbol), amount)


def change(house: House, **params: Any) -> None:
    """Changes the pool's parameters."""
    pool = house.exchange.pools[SYMBOL]
    pool.params = replace(pool.params, **params)


def pool_of(house: House, symbol: str = SYMBOL) -> Pool:
    return house.exchange.pools[symbol]


def pooled(house: House, symbol: str = SYMBOL) -> tuple[int, int]:
    """(long, short) liquidity."""
    pool = pool_of(house, symbol)
    return house.held(pool.long, liquidity(symbol)), house.held(pool.short, liquidity(symbol))


def deposited(house: House, long: int = 0, short: int = 0, at: Prices | None = None, **changes: Any) -> DepositReport:
    asked = deposit(long, short, **changes)

    def work(draft: Draft) -> DepositReport:
        for token, amount in ((asked.long_token, long), (asked.short_token, short)):
            draft.pay(token, EXTERNAL, DEPOSIT_VAULT, amount)
        return execute_deposit(draft, asked, at or prices())

    return house.run(work)


def withdrawn(house: House, amount: int, at: Prices | None = None, **changes: Any) -> WithdrawalReport:
    asked = withdrawal(amount, **changes)

    def work(draft: Draft) -> WithdrawalReport:
        draft.pay(f"MT:{asked.market}", wallet(asked.account), WITHDRAWAL_VAULT, amount)
        return execute_withdrawal(draft, asked, at or prices())

    return house.run(work)


def swapped(house: House, token: str, amount: int, *path: str, at: Prices | None = None, least: int = 0) -> SwapReport:
    def work(draft: Draft) -> SwapReport:
        draft.pay(token, EXTERNAL, ORDER_VAULT, amount)
        return swap(draft, path, token, amount, ORDER_VAULT, wallet("alice"), at or prices(), least)

    return house.run(work)


def opened(
    house: House, usd: int, collateral: int, at: Prices | None = None, code: ReferralCode | None = None, **changes: Any
) -> IncreaseReport:
    """Increases by whole USD."""
    asked = order(OrderType.MARKET_INCREASE, usd * FLOAT, collateral, **changes)

    def work(draft: Draft) -> IncreaseReport:
        draft.pay(asked.collateral_token, EXTERNAL, ORDER_VAULT, collateral)
        return increase_position(draft, asked, at or prices(), code)

    return house.run(work)


def closed(
    house: House, usd: int, at: Prices | None = None, code: ReferralCode | None = None, take: int = 0, **changes: Any
) -> DecreaseReport:
    """Decreases by whole USD, or by `size`."""
    kind = changes.pop("type", OrderType.MARKET_DECREASE)
    asked = order(kind, changes.pop("size", usd * FLOAT), take, **changes)
    return house.run(lambda draft: decrease_position(draft, asked, at or prices(), code))


def liquidated(house: House, key: PositionKey, at: Prices) -> DecreaseReport:
    return house.run(lambda draft: liquidate_position(draft, key, at))


def position(house: House, key: PositionKey = ALICE) -> PoolPosition:
    return house.exchange.pool_positions[key]
