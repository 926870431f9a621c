"""One market to try things on."""

from venue.exchange import commands, machine
from venue.exchange.fixed import wad
from venue.exchange.machine import Fact
from venue.exchange.params import MarketParams
from venue.exchange.state import Exchange

__all__ = ["LITERAL", "SYMBOL", "apply", "exchange", "wad"]
SYMBOL = "X"
LITERAL = MarketParams(max_open_move=None)


def exchange(params: MarketParams = LITERAL) -> Exchange:
    """An exchange with one empty market."""
    state = Exchange()
    apply(state, commands.ListMarket(SYMBOL, params))
    return state


def apply(state: Exchange, command: machine.Command) -> tuple[Fact, ...] | commands.Rejection:
    """Decides and folds."""
    answer = machine.decide(state, command)
    if not isinstance(answer, commands.Rejection):
        for fact in answer:
            machine.evolve(state, fact)
    return answer
