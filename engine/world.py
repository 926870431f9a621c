"""Everything the journal is the truth of, as one machine: the exchange, the desks, the wallets' transactions and
signed intents."""

from dataclasses import dataclass, field
from typing import cast, get_args

from engine.desks import commands as desk_commands
from engine.desks import facts as desk_facts
from engine.desks import machine as desk_machine
from engine.desks.state import House
from engine.paper_wallet import PaperWallet, follow
from venue.avantis import intent_facts, intent_log, intent_state
from venue.chain import facts as chain_facts
from venue.chain.machine import Refusal as ChainRefusal
from venue.chain.wallets import Of, Wallets
from venue.chain.wallets import decide as decide_chain
from venue.exchange import machine as exchange_machine
from venue.exchange.commands import Rejection
from venue.exchange.state import Exchange

Command = exchange_machine.Command | desk_commands.Command | Of | intent_log.Command
Fact = exchange_machine.Fact | desk_facts.Fact | chain_facts.Fact | intent_facts.Fact

_OF_EXCHANGE = frozenset((*get_args(exchange_machine.Command), *get_args(exchange_machine.Fact)))
_OF_CHAIN = frozenset((Of, *get_args(chain_facts.Fact)))
_OF_INTENTS = frozenset((*get_args(intent_log.Command), *get_args(intent_facts.Fact)))
FACT_TYPES: tuple[type, ...] = (
    *get_args(exchange_machine.Fact),
    *get_args(desk_facts.Fact),
    *get_args(chain_facts.Fact),
    *get_args(intent_facts.Fact),
)


@dataclass(slots=True)
class World:
    """Machines side by side; each keeps its own double entry, in its own unit."""

    exchange: Exchange = field(default_factory=Exchange)
    house: House = field(default_factory=House)
    paper: PaperWallet = field(default_factory=PaperWallet)
    wallets: Wallets = field(default_factory=Wallets)
    intents: intent_state.Intents = field(default_factory=intent_state.Intents)


def decide(world: World, command: Command) -> tuple[Fact, ...] | Rejection:
    """The facts a command leads to, or why it is refused; the world is left as it is."""
    if type(command) in _OF_EXCHANGE:
        return exchange_machine.decide(world.exchange, cast(exchange_machine.Command, command))
    if type(command) in _OF_CHAIN:
        answer = decide_chain(world.wallets, cast(Of, command))
        return Rejection(answer.code, answer.detail) if isinstance(answer, ChainRefusal) else answer
    if type(command) in _OF_INTENTS:
        logged = intent_log.decide(world.intents, cast(intent_log.Command, command))
        return Rejection(logged.code, logged.detail) if isinstance(logged, intent_log.Refusal) else logged
    return desk_machine.decide(world.house, cast(desk_commands.Command, command))


def evolve(world: World, fact: Fact, seq: int, at_ms: int) -> None:
    """Folds a fact, journaled as entry `seq` at `at_ms`, into the world in place."""
    follow(world.paper, world.exchange, fact)
    if type(fact) in _OF_EXCHANGE:
        exchange_machine.evolve(world.exchange, cast(exchange_machine.Fact, fact))
    elif type(fact) in _OF_CHAIN:
        world.wallets.evolve(cast(chain_facts.Fact, fact))
    elif type(fact) in _OF_INTENTS:
        intent_state.evolve(world.intents, cast(intent_facts.Fact, fact))
    else:
        desk_machine.evolve(world.house, cast(desk_facts.Fact, fact), seq, at_ms)
