"""The exchange as a pure machine: `decide` looks and answers, `evolve` folds what happened.

No clock, no I/O, no randomness, no floats on the way to a fact. A rejection leaves the state untouched.
"""

from collections.abc import Callable
from typing import Any

from venue.exchange import clearinghouse, commands, facts
from venue.exchange.commands import Code, Refused, Rejection
from venue.exchange.fixed import WAD, down
from venue.exchange.ledger import EXTERNAL, INSURANCE, Ledger, Move, moves, wallet
from venue.exchange.requests import cancel, create, execute, fold, listing, update
from venue.exchange.requests import commands as request_commands
from venue.exchange.requests import facts as request_facts
from venue.exchange.requests.checks import check_name
from venue.exchange.state import Exchange, Fill, Market, Position, PositionStatus

Command = commands.Command | request_commands.Command
Fact = request_facts.Fact


def decide(exchange: Exchange, command: Command) -> tuple[Fact, ...] | Rejection:
    """The facts that `command` leads to in this state, in order, or why it is refused."""
    try:
        return _DECISIONS[type(command)](exchange, command)
    except Refused as refused:
        return refused.rejection


def evolve(exchange: Exchange, fact: Fact) -> None:
    """Folds one fact into the state, in place."""
    _FOLDS[type(fact)](exchange, fact)
    changes = getattr(fact, "changes", None)
    if changes is not None:
        fold.apply(exchange, changes)
    movements = getattr(fact, "moves", ()) if changes is None else changes.moves
    if movements:
        _book(exchange, movements)


def _book(exchange: Exchange, movements: tuple[Move, ...]) -> None:
    for move in movements:
        if move.token and move.token not in exchange.tokens:
            exchange.tokens[move.token] = Ledger()
        exchange.book(move.token).apply((move,))


def _list_market(exchange: Exchange, command: commands.ListMarket) -> tuple[Fact, ...]:
    if command.symbol in exchange.markets:
        raise Refused(Code.MARKET_EXISTS, f"market {command.symbol} is already listed")
    return (facts.MarketListed(command.symbol, command.params),)


def _deposit(exchange: Exchange, command: commands.Deposit) -> tuple[Fact, ...]:
    if command.amount <= 0:
        raise Refused(Code.BAD_AMOUNT, "amount must be above zero")
    check_name(exchange, command.client_id)
    legs = moves((EXTERNAL, wallet(command.user), command.amount))
    return (facts.Deposited(command.user, legs, command.client_id),)


def _withdraw(exchange: Exchange, command: commands.Withdraw) -> tuple[Fact, ...]:
    if command.amount <= 0:
        raise Refused(Code.BAD_AMOUNT, "amount must be above zero")
    check_name(exchange, command.client_id)
    if exchange.ledger[wallet(command.user)] < command.amount:
        raise Refused(Code.INSUFFICIENT_WALLET, "the wallet holds less than that")
    legs = moves((wallet(command.user), EXTERNAL, command.amount))
    return (facts.Withdrawn(command.user, legs, command.client_id),)


def _fund_insurance(exchange: Exchange, command: commands.FundInsurance) -> tuple[Fact, ...]:
    if command.amount <= 0:
        raise Refused(Code.BAD_AMOUNT, "amount must be above zero")
    return (facts.InsuranceFunded(moves((EXTERNAL, INSURANCE, command.amount))),)


def _advance(exchange: Exchange, command: commands.AdvanceBlock) -> tuple[Fact, ...]:
    """Carry accrues for every block that passed at the imbalance the previous block ended with (seed, "Funding")."""
    if command.blocks <= 0:
        raise Refused(Code.BAD_AMOUNT, "blocks must be above zero")
    block = exchange.current_block + command.blocks
    carries = tuple(
        facts.MarketCarry(
            market.symbol, market.cumulative_carry_index + carry_step(market, block - market.last_funding_block)
        )
        for market in exchange.markets.values()
    )
    return (facts.BlockAdvanced(block, carries),)


def carry_step(market: Market, blocks: int) -> int:
    """Exact change of the carry index over `blocks` at the present imbalance, in 1 / `index_scale`."""
    params = market.params
    return blocks * params.carry_per_block.numerator * params.carry_sensitivity.numerator * market.imbalance


def _on_listed(exchange: Exchange, fact: facts.MarketListed) -> None:
    exchange.markets[fact.symbol] = Market(
        fact.symbol,
        fact.params,
        fact.params.initial_base,
        fact.params.initial_quote,
        last_funding_block=exchange.current_block,
    )


def _on_block(exchange: Exchange, fact: facts.BlockAdvanced) -> None:
    exchange.current_block = fact.block
    for carry in fact.carries:
        market = exchange.markets[carry.symbol]
        market.cumulative_carry_index = carry.index
        market.last_funding_block = fact.block


def _grow(market: Market, is_long: bool, notional: int, size: int) -> None:
    if is_long:
        market.long_open_interest += notional
        market.long_base += size
    else:
        market.short_open_interest += notional


def _on_opened(exchange: Exchange, fact: facts.PositionOpened) -> None:
    market = exchange.markets[fact.market]
    position = Position(
        fact.position_id,
        fact.owner,
        fact.market,
        fact.is_long,
        fact.size,
        fact.notional,
        fact.margin,
        market.cumulative_carry_index,
        fact.block,
    )
    exchange.positions[position.id] = exchange.open_positions[position.id] = position
    exchange.next_position_id = position.id + 1
    market.base_reserve, market.quote_reserve = fact.base_reserve, fact.quote_reserve
    _grow(market, fact.is_long, fact.notional, fact.size)
    _remember(exchange, fact.order_id, position.id, fact.notional, fact.size, fact.fee, fact.margin, 0)


def _on_increased(exchange: Exchange, fact: facts.PositionIncreased) -> None:
    position = exchange.open_positions[fact.position_id]
    market = exchange.markets[position.market]
    position.base_size += fact.size
    position.entry_notional += fact.notional
    position.margin += fact.margin
    position.carry_snapshot = fact.carry_snapshot
    market.base_reserve, market.quote_reserve = fact.base_reserve, fact.quote_reserve
    _grow(market, position.is_long, fact.notional, fact.size)
    _remember(exchange, fact.order_id, position.id, fact.notional, fact.size, fact.fee, fact.margin, 0)


def _on_reduced(exchange: Exchange, fact: facts.PositionReduced) -> None:
    position = exchange.open_positions[fact.position_id]
    market = exchange.markets[position.market]
    market.base_reserve, market.quote_reserve = fact.base_reserve, fact.quote_reserve
    _grow(market, position.is_long, -fact.entry_notional, -fact.size)
    position.realized_pnl += fact.pnl_trade + fact.pnl_carry
    position.payout += fact.payout
    if fact.closed:
        _end(exchange, position, PositionStatus.CLOSED)
    else:
        position.base_size -= fact.size
        position.entry_notional -= fact.entry_notional
        position.margin -= fact.margin
    _remember(exchange, fact.order_id, position.id, fact.close_notional, fact.size, 0, fact.margin, fact.payout)


def _on_liquidated(exchange: Exchange, fact: facts.PositionLiquidated) -> None:
    position = exchange.open_positions[fact.position_id]
    market = exchange.markets[position.market]
    market.base_reserve, market.quote_reserve = fact.base_reserve, fact.quote_reserve
    _grow(market, position.is_long, -position.entry_notional, -position.base_size)
    position.realized_pnl += fact.pnl_trade + fact.pnl_carry
    position.payout += fact.owner_payout
    position.end_payout = fact.owner_payout
    exchange.uncovered_bad_debt += fact.uncovered
    exchange.liquidations += 1
    _end(exchange, position, PositionStatus.LIQUIDATED)


def _end(exchange: Exchange, position: Position, status: PositionStatus) -> None:
    position.status = status
    del exchange.open_positions[position.id]


def _remember(
    exchange: Exchange,
    order_id: str,
    position_id: int,
    notional: int,
    size: int,
    fee: int,
    margin: int,
    payout: int,
) -> None:
    if order_id:
        price = down(notional * WAD, size)
        exchange.fills[order_id] = Fill(position_id, price, notional, fee, margin, payout)


def _only_money(exchange: Exchange, fact: Fact) -> None:
    """The fact's moves are its whole effect."""


_DECISIONS: dict[type, Callable[[Exchange, Any], tuple[Fact, ...]]] = {
    commands.ListMarket: _list_market,
    commands.Deposit: _deposit,
    commands.Withdraw: _withdraw,
    commands.FundInsurance: _fund_insurance,
    commands.AdvanceBlock: _advance,
    commands.OpenPosition: clearinghouse.open_position,
    commands.IncreasePosition: clearinghouse.increase_position,
    commands.ClosePosition: clearinghouse.close_position,
    commands.LiquidatePosition: clearinghouse.liquidate_position,
    request_commands.FoundExchange: listing.found,
    request_commands.RegisterKeeper: listing.register_keeper,
    request_commands.SwitchFeature: listing.switch_feature,
    request_commands.ListPool: listing.list_pool,
    request_commands.SwitchPool: listing.switch_pool,
    request_commands.Credit: listing.credit,
    request_commands.Debit: listing.debit,
    request_commands.RegisterReferralCode: listing.register_code,
    request_commands.Claim: listing.claim,
    request_commands.CreateDeposit: create.create_deposit,
    request_commands.CreateWithdrawal: create.create_withdrawal,
    request_commands.CreateOrder: create.create_order,
    request_commands.UpdateOrder: update.update_order,
    request_commands.ExecuteRequest: execute.execute_request,
    request_commands.CancelRequest: cancel.cancel_request,
    request_commands.SweepRequest: cancel.sweep_request,
    request_commands.LiquidatePoolPosition: listing.liquidate,
}

_FOLDS: dict[type, Callable[[Exchange, Any], None]] = {
    facts.MarketListed: _on_listed,
    facts.Deposited: fold.on_named,
    facts.Withdrawn: fold.on_named,
    facts.InsuranceFunded: _only_money,
    facts.BlockAdvanced: _on_block,
    facts.PositionOpened: _on_opened,
    facts.PositionIncreased: _on_increased,
    facts.PositionReduced: _on_reduced,
    facts.PositionLiquidated: _on_liquidated,
    **fold.FOLDS,
}
