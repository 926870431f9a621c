"""Worked examples, exact to the last unit."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.venue.exchange.pool.house import ETH, SYMBOL, USDC, House, deposit, order, prices, withdrawal
from venue.exchange.commands import Refused
from venue.exchange.draft import Draft
from venue.exchange.pool.decrease import decrease_position
from venue.exchange.pool.deposit import DepositReport, execute_deposit
from venue.exchange.pool.fees import Fees
from venue.exchange.pool.increase import increase_position
from venue.exchange.pool.params import FeeTier, ImpactParams, PoolParams
from venue.exchange.pool.state import DEAD, fees, impact_pool, liquidity
from venue.exchange.pool.swap import swap
from venue.exchange.pool.trigger import trigger_met
from venue.exchange.pool.units import FLOAT, factor
from venue.exchange.pool.value import market_token_price
from venue.exchange.pool.withdrawal import execute_withdrawal
from venue.exchange.requests.book import ReferralCode
from venue.exchange.requests.request import DEPOSIT_VAULT, ORDER_VAULT, WITHDRAWAL_VAULT, OrderType

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
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


def told(house: House, report: DepositReport) -> dict[str, Any]:
    """A deposit and what it left behind, in the words of the vectors."""
    tokens = ("WETH", "USDC")
    shares = house.exchange.book(f"MT:{SYMBOL}").balances
    return {
        "minted": report.minted,
        "pool": {token: house.held(token, liquidity(SYMBOL)) for token in tokens},
        "impactPool": {token: house.held(token, impact_pool(SYMBOL)) for token in tokens},
        "claimable": {token: house.held(token, fees(SYMBOL)) for token in tokens},
        "supply": -shares["external"],
        "balances": {name.removeprefix("wallet:"): held for name, held in shares.items() if name != "external"},
        "impactUsd": report.price_impact_usd,
        "improved": report.balance_improved,
        "legs": [
            {
                "token": leg.token,
                "amount": leg.amount,
                "impactUsd": leg.price_impact_usd,
                "impactAmount": leg.price_impact_amount,
                "feeToPool": leg.fee_to_pool,
                "feeToReceiver": leg.fee_to_receiver,
                "minted": leg.minted,
                "poolValueBefore": leg.pool_value_before,
                "supplyBefore": leg.supply_before,
            }
            for leg in report.legs
        ],
    }


def exactly(name: str) -> dict[str, Any]:
    """What a deposit vector says, with numbers as numbers."""

    def number(thing: Any) -> Any:
        if isinstance(thing, dict):
            return {key: number(each) for key, each in thing.items()}
        if isinstance(thing, list):
            return [number(each) for each in thing]
        return int(thing) if isinstance(thing, str) and thing.lstrip("-").isdigit() else thing

    found: dict[str, Any] = number(VECTORS["deposits"][name])
    del found["title"]
    return found


def test_first_deposit() -> None:
    house = House(replace(FREE, min_first_deposit=10 * ETH))
    with pytest.raises(Refused, match="InvalidReceiverForFirstDeposit"):
        put(house, 10 * ETH, 50_000 * USDC, min_market_tokens=10 * ETH)
    with pytest.raises(Refused, match="InvalidMinMarketTokensForFirstDeposit"):
        put(house, 0, 0, receiver=DEAD, min_market_tokens=9 * ETH)
    house = House(replace(FREE, min_first_deposit=10 * ETH))
    first = put(house, 10 * ETH, 50_000 * USDC, receiver=DEAD, min_market_tokens=10 * ETH)
    assert told(house, first) == exactly("D1")
    assert share_price(house) == FLOAT
    assert put(house, ETH, 5_000 * USDC).minted == 10_000 * ETH


def test_unbalancing_then_balancing_deposit() -> None:
    house = House(STEEP)
    assert told(house, put(house, 10 * ETH)) == exactly("D3")
    assert told(house, put(house, 0, 40_000 * USDC, account="bob", receiver="bob")) == exactly("D2")
    assert share_price(house) == FLOAT


def test_crossover_deposit() -> None:
    house = House(STEEP)
    put(house, 10 * ETH)
    assert told(house, put(house, 0, 100_000 * USDC, account="bob", receiver="bob")) == exactly("D5")


@pytest.mark.parametrize(("kind", "is_long", "low", "high", "trigger", "met"), VECTORS["triggers"])
def test_triggers(kind: str, is_long: bool, low: str, high: str, trigger: str, met: bool) -> None:
    assert trigger_met(OrderType(kind), is_long, int(low), int(high), int(trigger)) is met


@pytest.mark.parametrize(("low", "high", "met"), [(4999, 5001, False), (4994, 4995, True)])
def test_a_limit_long_at_5000(low: int, high: int, met: bool) -> None:
    assert trigger_met(OrderType.LIMIT_INCREASE, True, low * 10**12, high * 10**12, 5000 * 10**12) is met


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
    assert {
        "market": hop.market,
        "tokenIn": hop.token_in,
        "tokenOut": hop.token_out,
        "amountIn": str(hop.amount_in),
        "amountAfterFees": str(hop.amount_after_fees),
        "feeToPool": str(hop.fee_to_pool),
        "feeToReceiver": str(hop.fee_to_receiver),
        "priceImpactUsd": str(hop.price_impact_usd),
        "priceImpactAmount": str(hop.price_impact_amount),
        "tokenInPriceImpactAmount": str(hop.token_in_impact_amount),
        "balanceWasImproved": hop.balance_improved,
        "amountOut": str(hop.amount_out),
    } == VECTORS["hop"]
    assert (report.token, report.amount) == ("WETH", hop.amount_out)
    assert house.wallet("WETH") == report.amount
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
    held = opened.position
    assert {
        "executionPrice": str(opened.execution_price),
        "impactUsd": str(opened.price_impact_usd),
        "pending": str(opened.pending_impact),
        "fees": charged(opened.fees),
        "position": {
            "size": str(held.size),
            "tokens": str(held.tokens),
            "collateral": str(held.collateral),
            "pending": str(held.pending_impact),
        },
        "openInterest": str(house.exchange.pools[SYMBOL].long_interest.usd),
    } == VECTORS["open"]
    short = order(
        OrderType.MARKET_INCREASE, 100_000 * FLOAT, 10_000 * USDC, account="bob", is_long=False, collateral_token="USDC"
    )
    code = ReferralCode("carol", factor("0.1"), factor("0.5"))
    house.run(lambda draft: increase_position(draft, short, prices(), code))
    close = order(OrderType.MARKET_DECREASE, 200_000 * FLOAT, 0, acceptable_price=5_100 * 10**12)
    closed = house.run(lambda draft: decrease_position(draft, close, prices(5200), None))
    assert {
        "executionPrice": str(closed.execution_price),
        "basePnlUsd": str(closed.base_pnl_usd),
        "priceImpactUsd": str(closed.price_impact_usd),
        "totalImpactUsd": str(closed.total_impact_usd),
        "proportionalPendingImpactAmount": str(closed.pending_impact),
        "priceImpactDiffUsd": str(closed.impact_diff_usd),
        "claimableDiff": str(closed.locked_amount),
        "fees": charged(closed.fees),
        "liquidationFeeAmount": str(closed.fees.liquidation),
        "outputAmount": str(closed.output_amount),
        "secondaryOutputAmount": str(closed.secondary_amount),
        "insolventStep": closed.insolvent_step,
        "remaining": closed.remaining,
        "impactPool": str(house.exchange.pools[SYMBOL].position_impact),
        "pool": {token: str(house.held(token, liquidity(SYMBOL))) for token in ("WETH", "USDC")},
    } == VECTORS["close"]


def charged(taken: Fees) -> dict[str, str]:
    return {
        "fee": str(taken.fee),
        "discount": str(taken.discount),
        "affiliateReward": str(taken.affiliate_reward),
        "toReceiver": str(taken.to_receiver),
        "toPool": str(taken.to_pool),
        "cost": str(taken.cost),
    }
