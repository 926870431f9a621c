"""Everything the journal is the truth of: the exchange and the desks, as one machine."""

from dataclasses import dataclass, field
from typing import cast, get_args

from engine.desks import commands as desk_commands
from engine.desks import facts as desk_facts
from engine.desks import machine as desk_machine
from engine.desks.state import House
from engine.paper_wallet import PaperWallet, follow
from venue.exchange import machine as exchange_machine
from venue.exchange.commands import Rejection
from venue.exchange.state import Exchange

Command = exchange_machine.Command | desk_commands.Command
Fact = exchange_machine.Fact | desk_facts.Fact

_OF_EXCHANGE = frozenset((*get_args(exchange_machine.Command), *get_args(exchange_machine.Fact)))
FACT_TYPES: tuple[type, ...] = (*get_args(exchange_machine.Fact), *get_args(desk_facts.Fact))


@dataclass(slots=True)
class World:
    """Two machines side by side; each keeps its own double entry, in its own unit."""

    exchange: Exchange = field(default_factory=Exchange)
    house: House = field(default_factory=House)
    paper: PaperWallet = field(default_factory=PaperWallet)


def decide(world: World, command: Command) -> tuple[Fact, ...] | Rejection:
    """The facts a command leads to, or why it is refused; the world is left as it is."""
    if type(command) in _OF_EXCHANGE:
        return exchange_machine.decide(world.exchange, cast(exchange_machine.Command, command))
    return desk_machine.decide(world.house, cast(desk_commands.Command, command))


def evolve(world: World, fact: Fact, seq: int, at_ms: int) -> None:
    """Folds a fact, journaled as entry `seq` at `at_ms`, into the world in place."""
    follow(world.paper, world.exchange, fact)
    if type(fact) in _OF_EXCHANGE:
        exchange_machine.evolve(world.exchange, cast(exchange_machine.Fact, fact))
    else:
        desk_machine.evolve(world.house, cast(desk_facts.Fact, fact), seq, at_ms)
