"""Worked examples, exact to the last unit."""

from dataclasses import replace

import pytest

from tests.venue.exchange.pool.house import ETH, SYMBOL, USDC, House, deposit, order, prices, withdrawal
from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.pool.decrease import decrease_position
from venue.exchange.pool.deposit import DepositReport, execute_deposit
from venue.exchange.pool.increase import increase_position
from venue.exchange.pool.params import FeeTier, ImpactParams, PoolParams
from venue.exchange.pool.state import DEAD, fees, impact_pool, liquidity
from venue.exchange.pool.swap import swap
from venue.exchange.pool.units import FLOAT, factor
from venue.exchange.pool.value import market_token_price
from venue.exchange.pool.withdrawal import execute_withdrawal
from venue.exchange.requests.book import ReferralCode
from venue.exchange.requests.request import DEPOSIT_VAULT, ORDER_VAULT, WITHDRAWAL_VAULT, OrderType

OFF = ImpactParams(0, 0)
FREE = PoolParams(deposit_fee=FeeTier(0, 0), swap_impact=OFF, position_impact=OFF)
STEEP = replace(FREE, swap_impact=ImpactParams(factor("5e-9"), factor("1e-8")))


def put(house: House, long: int = 0, short: int = 0, **changes: str | int) -> DepositReport:
    house.credit("WETH", DEPOSIT_VAULT, long)
    house.credit("USDC", DEPOSIT_VAULT, short)
    return house.run(lambda draft: execute_deposit(draft, deposit(long, short, **changes), prices()))


def share_price(house: House) -> int:
    draft = Draft(house.exchange, house.now_ms)
    return market_token_price(draft, draft.pool(SYMBOL), prices(), FLOAT, True)


def test_first_deposit() -> None:
    house = House(replace(FREE, min_first_deposit=10 * ETH))
    assert put(house, 10 * ETH, 50_000 * USDC, receiver=DEAD, min_market_tokens=10 * ETH).minted == 100_000 * ETH
    assert share_price(house) == FLOAT
    assert put(house, ETH, 5_000 * USDC).minted == 10_000 * ETH


def test_unbalancing_then_balancing_deposit() -> None:
    house = House(STEEP)
    assert put(house, 10 * ETH).minted == 49_975 * ETH
    assert put(house, 0, 40_000 * USDC).minted == 40_011_990_000_000_000_000_000
    assert house.held("WETH", liquidity(SYMBOL)) == 9_997_398_000_000_000_000
    assert house.held("WETH", impact_pool(SYMBOL)) == 2_602_000_000_000_000
    assert share_price(house) == FLOAT


def test_crossover_deposit() -> None:
    house = House(STEEP)
    put(house, 10 * ETH)
    assert put(house, 0, 100_000 * USDC).minted == 99_987_462_496_000_000_000_000
    assert house.held("USDC", impact_pool(SYMBOL)) == 12_537_504


def test_deposit_and_withdrawal() -> None:
    house = House(PoolParams(swap_impact=OFF))
    put(house, 100 * ETH, 500_000 * USDC)
    seen = [share_price(house)]
    minted = put(house, ETH, 5_000 * USDC).minted
    seen.append(share_price(house))
    assert minted == 9_986_377_932_142_820_161_184
    house.credit(f"MT:{SYMBOL}", WITHDRAWAL_VAULT, 0)
    house.run(lambda draft: draft.pay(f"MT:{SYMBOL}", "wallet:alice", WITHDRAWAL_VAULT, minted))
    house.run(lambda draft: execute_withdrawal(draft, withdrawal(minted), prices()))
    seen.append(share_price(house))
    assert (house.wallet("WETH"), house.wallet("USDC")) == (998_603_766_450_750_886, 4_993_018_832)
    assert seen == [1000662012052011001719035462570, 1000666393297062196537438862350, 1000670804285406929671869377809]


def test_swap() -> None:
    house = House(replace(FREE, swap_impact=ImpactParams(factor("2e-10"), factor("4e-10"))))
    put(house, 100 * ETH, 400_000 * USDC)
    house.credit("USDC", ORDER_VAULT, 10_000 * USDC)
    report = house.run(
        lambda draft: swap(draft, (SYMBOL,), "USDC", 10_000 * USDC, ORDER_VAULT, "wallet:alice", prices(), 0)
    )
    hop = report.hops[0]
    assert report.amount == 1_999_143_999_288_889_244
    assert (hop.price_impact_usd, hop.price_impact_amount) == (719996444446222222200000000000, 143999288889244)
    assert (hop.fee_to_pool, hop.fee_to_receiver) == (3_150_000, 1_850_000)
    assert house.held("USDC", fees(SYMBOL)) == 1_850_000


def test_open_and_close() -> None:
    house = House(
        PoolParams(
            position_fee=FeeTier(factor("0.0005"), factor("0.0007")),
            position_impact=ImpactParams(factor("5e-9"), factor("1e-8")),
        )
    )
    house.credit("WETH", liquidity(SYMBOL), 1_000 * ETH)
    house.credit("USDC", liquidity(SYMBOL), 5_000_000 * USDC)
    house.credit("WETH", ORDER_VAULT, 10 * ETH)
    house.credit("USDC", ORDER_VAULT, 10_000 * USDC)
    wanted = order(OrderType.LIMIT_INCREASE, 200_000 * FLOAT, 10 * ETH, acceptable_price=5_000 * 10**12)
    with pytest.raises(Refused, match="OrderNotFulfillable"):
        house.run(lambda draft: increase_position(draft, wanted, prices(4994, 4995), None))
    wanted = replace(wanted, acceptable_price=5_010 * 10**12)
    opened = house.run(lambda draft: increase_position(draft, wanted, prices(4994, 4995), None))
    assert (opened.execution_price, opened.pending_impact) == (5005012028467037, -80096115338406088)
    assert (opened.fees.fee, opened.fees.to_receiver, opened.fees.to_pool) == (
        28033640368442130, 10372446936323588, 17661193432118542,
    )  # fmt: skip
    assert (opened.position.tokens, opened.position.collateral) == (40040040040040040040, 9971966359631557870)
    short = order(
        OrderType.MARKET_INCREASE, 100_000 * FLOAT, 10_000 * USDC, account="bob", is_long=False, collateral_token="USDC"
    )
    code = ReferralCode("carol", factor("0.1"), factor("0.5"))
    house.run(lambda draft: increase_position(draft, short, prices(), code))
    close = order(OrderType.MARKET_DECREASE, 200_000 * FLOAT, 0, acceptable_price=5_100 * 10**12)
    closed = house.run(lambda draft: decrease_position(draft, close, prices(5200), None))
    assert (closed.execution_price, closed.base_pnl_usd) == (5198751250000000, 8208208208208208208000000000000000)
    assert (closed.price_impact_usd, closed.total_impact_usd) == (-50 * FLOAT, -466499799759711657600000000000000)
    assert closed.output_amount == 11433833361256268744
    assert (closed.fees.to_receiver, closed.fees.to_pool) == (9961538461538461, 16961538461538462)
    assert house.exchange.pools[SYMBOL].position_impact == 89711499953790704
    assert house.held("WETH", liquidity(SYMBOL)) == 998545832653345869207
    assert house.held("USDC", liquidity(SYMBOL)) == 5000028350000
