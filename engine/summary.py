"""What a run came to, as one object for scripts."""

from dataclasses import asdict, dataclass

from engine.view import funds
from engine.world import World
from venue.exchange.fixed import to_text


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run came to. Counts are over the whole journal, `ticks` over this run only."""

    blocks: int
    ticks: int
    desks_opened: int
    desks_open: int
    desks_closed: int
    desks_halted: int
    desks_liquidated: int
    decisions: int
    liquidations: int
    requests_waiting: int
    requests_executed: int
    requests_cancelled: int
    facts: int
    funds: dict[str, str]
    funds_sum: str
    token_sums: dict[str, str]
    """Per token the sum over all its accounts, each zero."""

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def summarise(world: World, ticks: int, facts: int) -> Summary:
    """The summary of a world."""
    house, exchange = world.house, world.exchange
    balances = funds(world)
    return Summary(
        blocks=exchange.current_block,
        ticks=ticks,
        desks_opened=house.opened,
        desks_open=sum(desk.ref is not None for desk in house.desks.values()),
        desks_closed=house.closed,
        desks_halted=sum(desk.halted for desk in house.desks.values()),
        desks_liquidated=house.liquidated,
        decisions=house.decisions,
        liquidations=exchange.liquidations,
        requests_waiting=len(exchange.requests.pending),
        requests_executed=exchange.requests.executed,
        requests_cancelled=exchange.requests.cancelled,
        facts=facts,
        funds={name: to_text(amount) for name, amount in balances},
        funds_sum=to_text(sum(amount for _, amount in balances)),
        token_sums={token: str(ledger.total()) for token, ledger in exchange.tokens.items()},
    )
