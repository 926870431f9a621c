"""What must hold of any world, whoever folded it. Pure."""

from collections import Counter
from collections.abc import Iterator

from engine.desks.accounts import deployed, in_flight
from engine.liquidations.book import LiquidationBook
from engine.world import World
from venue.exchange.health import health
from venue.exchange.ledger import EXTERNAL, Ledger
from venue.exchange.state import Exchange, PositionStatus


def faults(world: World) -> Iterator[str]:
    """What does not hold in a world, one line each; none in a sound one."""
    yield from _ledgers(world)
    yield from _desks(world)
    exchange = [*_positions(world.exchange), *_interest(world.exchange)]
    yield from exchange
    if not exchange:  # the rule knows no answer for positions that cannot be
        yield from _index(world.exchange)


def _ledgers(world: World) -> Iterator[str]:
    """Double entry: all accounts of a ledger sum to zero, and nobody owes who may not."""
    named: dict[str, Ledger] = {"the desks": world.house.ledger, "the clearinghouse": world.exchange.ledger}
    named |= {f"token {token}": ledger for token, ledger in world.exchange.tokens.items()}
    for name, ledger in named.items():
        if total := ledger.total():
            yield f"the ledger of {name} sums to {total}, expected 0"
        for account, amount in ledger.balances.items():
            if amount < 0 and account not in ledger.may_owe and account != EXTERNAL:
                yield f"account {account} of {name} holds {amount}"


def _positions(exchange: Exchange) -> Iterator[str]:
    still_open = {number for number, each in exchange.positions.items() if each.status is PositionStatus.OPEN}
    if still_open != exchange.open_positions.keys():
        yield f"positions {sorted(still_open ^ exchange.open_positions.keys())[:5]} are open in one list only"
    for number, each in exchange.open_positions.items():
        if exchange.positions.get(number) is not each or each.id != number:
            yield f"position {number} is not one thing"
        if min(each.base_size, each.entry_notional, each.margin) <= 0:
            yield f"position {number} has no size, no notional or no margin"
    if exchange.next_position_id <= max(exchange.positions, default=0):
        yield f"the next position would be {exchange.next_position_id}, which there is already"


def _interest(exchange: Exchange) -> Iterator[str]:
    """Open interest is the sum over the open positions."""
    counted: Counter[tuple[str, str]] = Counter()
    for each in exchange.open_positions.values():
        side = "long" if each.is_long else "short"
        counted[each.market, side] += each.entry_notional
        counted[each.market, "base"] += each.base_size if each.is_long else 0
    for symbol, market in exchange.markets.items():
        held = {"long": market.long_open_interest, "short": market.short_open_interest, "base": market.long_base}
        for side, amount in held.items():
            if amount != counted[symbol, side]:
                yield f"{symbol} {side} is {amount}, its positions sum to {counted[symbol, side]}"
        if min(market.base_reserve, market.quote_reserve) <= 0:
            yield f"{symbol} has an empty reserve"


def _index(exchange: Exchange) -> Iterator[str]:
    """The liquidation index finds exactly what a look at every position finds."""
    exact = {
        each.id for each in exchange.open_positions.values() if health(exchange.markets[each.market], each).liquidatable
    }
    found = {due.position_id for due in LiquidationBook(exchange).all_due(exchange)}
    if found != exact:
        yield f"positions {sorted(found ^ exact)[:5]} are liquidatable by the index or by the rule, not by both"


def _desks(world: World) -> Iterator[str]:
    """What stands in a position is at cost in the books, and at risk on its market."""
    house = world.house
    staked = 0
    for address, desk in house.desks.items():
        stands, underway = house.ledger[deployed(address)], house.ledger[in_flight(address)]
        staked += stands + underway
        if stands and desk.ref is None:
            yield f"desk {desk.called} has {stands} deployed and no position"
        if underway and desk.order is None:
            yield f"desk {desk.called} has {underway} in flight and no order"
    if house.at_risk.total() != staked:
        yield f"{house.at_risk.total()} is at risk by the markets, {staked} by the desks"
