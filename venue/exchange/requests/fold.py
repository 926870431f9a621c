"""How each fact changes requests, pools and what is registered. Money is folded by the machine, from the moves."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from venue.exchange.draft import Changes
from venue.exchange.facts import Deposited, Withdrawn
from venue.exchange.pool.state import Pool
from venue.exchange.requests import facts
from venue.exchange.requests.book import ReferralCode
from venue.exchange.requests.request import Ended, Ending, OrderRequest
from venue.exchange.state import Exchange


def apply(exchange: Exchange, changes: Changes) -> None:
    """Sets pools and positions to what a draft left them at."""
    for change in changes.pools:
        pool = exchange.pools[change.symbol]
        pool.long_interest, pool.short_interest = change.long_interest, change.short_interest
        pool.position_impact = change.position_impact
        pool.distributed_ms, pool.borrowed_ms = change.distributed_ms, change.borrowed_ms
    for position in changes.positions:
        if position.size:
            exchange.pool_positions[position.key] = position
        else:
            exchange.pool_positions.pop(position.key, None)


def _on_founded(exchange: Exchange, fact: facts.ExchangeFounded) -> None:
    exchange.requests.engine_id, exchange.requests.rules = fact.engine_id, fact.rules


def _on_keeper(exchange: Exchange, fact: facts.KeeperRegistered) -> None:
    exchange.requests.keepers[fact.keeper] = fact.frozen_orders


def _on_feature(exchange: Exchange, fact: facts.FeatureSwitched) -> None:
    change = exchange.requests.disabled.discard if fact.enabled else exchange.requests.disabled.add
    change(fact.feature)


def _on_pool(exchange: Exchange, fact: facts.PoolListed) -> None:
    exchange.pools[fact.symbol] = Pool(fact.symbol, fact.index, fact.long, fact.short, fact.params)


def _on_pool_switched(exchange: Exchange, fact: facts.PoolSwitched) -> None:
    exchange.pools[fact.symbol].enabled = fact.enabled


def _on_code(exchange: Exchange, fact: facts.ReferralCodeRegistered) -> None:
    exchange.requests.referral_codes[fact.code] = ReferralCode(fact.owner, fact.rebate, fact.discount)


def _on_referred(exchange: Exchange, fact: facts.TraderReferred) -> None:
    exchange.requests.referred[fact.trader] = fact.code


def _on_created(exchange: Exchange, fact: facts.DepositCreated | facts.WithdrawalCreated | facts.OrderCreated) -> None:
    exchange.requests.nonce = fact.nonce
    exchange.requests.store(fact.request)


def _on_updated(exchange: Exchange, fact: facts.OrderUpdated) -> None:
    exchange.requests.store(fact.order)
    if fact.client_id:
        exchange.requests.by_client[fact.client_id] = fact.order.key


def _on_executed(exchange: Exchange, fact: facts.Executed) -> None:
    """Removal comes before every effect (deposit.execute.b, order.execute.c)."""
    book, receipt = exchange.requests, fact.receipt
    book.end(
        Ended(book.pending[receipt.key], Ending.EXECUTED, receipt.at_ms, receipt.keeper, fee_paid=receipt.fee_paid)
    )
    book.executed += 1


def _on_cancelled(exchange: Exchange, fact: facts.RequestCancelled) -> None:
    book, receipt = exchange.requests, fact.receipt
    request = book.pending[receipt.key]
    book.end(
        Ended(request, Ending.CANCELLED, receipt.at_ms, receipt.keeper, fact.reason, fact.detail, receipt.fee_paid)
    )
    book.cancelled += 1


def _on_frozen(exchange: Exchange, fact: facts.OrderFrozen) -> None:
    order = exchange.requests.pending[fact.receipt.key]
    assert isinstance(order, OrderRequest)  # noqa: S101 - nothing else is ever frozen
    word = f"{fact.reason} {fact.detail}".strip()
    exchange.requests.store(replace(order, frozen=True, execution_fee=0, frozen_reason=word))


def on_named(exchange: Exchange, fact: facts.TokensCredited | Deposited | Withdrawn) -> None:
    """Beside the money: its name is used up."""
    if fact.client_id:
        exchange.requests.by_client[fact.client_id] = ""


def _only_money(exchange: Exchange, fact: facts.Fact) -> None:
    """The fact's moves and changes are its whole effect."""


FOLDS: dict[type, Callable[[Exchange, Any], None]] = {
    facts.ExchangeFounded: _on_founded,
    facts.KeeperRegistered: _on_keeper,
    facts.FeatureSwitched: _on_feature,
    facts.PoolListed: _on_pool,
    facts.PoolSwitched: _on_pool_switched,
    facts.TokensCredited: on_named,
    facts.TokensDebited: _only_money,
    facts.ReferralCodeRegistered: _on_code,
    facts.TraderReferred: _on_referred,
    facts.Claimed: _only_money,
    facts.DepositCreated: _on_created,
    facts.WithdrawalCreated: _on_created,
    facts.OrderCreated: _on_created,
    facts.OrderUpdated: _on_updated,
    facts.DepositExecuted: _on_executed,
    facts.WithdrawalExecuted: _on_executed,
    facts.SwapExecuted: _on_executed,
    facts.IncreaseExecuted: _on_executed,
    facts.DecreaseExecuted: _on_executed,
    facts.CurveOrderExecuted: _on_executed,
    facts.RequestCancelled: _on_cancelled,
    facts.OrderFrozen: _on_frozen,
    facts.PoolPositionLiquidated: _only_money,
}
