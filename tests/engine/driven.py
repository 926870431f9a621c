"""Desks driven by hand, without a journal: every fact numbered, and read back from its journal text."""

import pickle

from engine.agent.plan import Sight
from engine.codec import decode, encode
from engine.desks import commands, machine, state
from engine.desks.facts import Fact, OrderKind
from engine.desks.state import House
from engine.snapshot import DeskPhase
from tests.engine.house import TOKEN
from venue.exchange.commands import Rejection
from venue.exchange.fixed import WAD
from venue.perp import Declined, Filled, PositionRef

USDC = 10**6
DAY_MS = 86_400_000
SIGHT = Sight("r", 1_000, 0, 900_000, True, ())


def ref_of(address: str, market: str = "ETH") -> PositionRef:
    """The position that a desk gets on a market."""
    return PositionRef(market, True, 0, int(address[-4:], 16))


class Driven:
    """A house, and its journal. `house` is what replaying the journal gives, so a restart is a part of every step."""

    def __init__(self, *addresses: str, pending: int = 0) -> None:
        self.house = House()
        self.seq = 0
        self.journal: list[tuple[str, str]] = []
        for address in addresses:
            self.do(commands.EnrollToken(address, "PEPE"))
            if pending:
                self.do(commands.BookFees(address, "f1", -(-pending * 10_000 // 5_700)))

    def do(self, command: commands.Command) -> tuple[Fact, ...]:
        """The facts of a command that must be accepted."""
        answer = self.ask(command)
        assert not isinstance(answer, Rejection), answer
        return answer

    def ask(self, command: commands.Command) -> tuple[Fact, ...] | Rejection:
        """Facts or a rejection; the decision alone changes nothing, to the byte."""
        before = pickle.dumps(self.house)
        answer = machine.decide(self.house, command)
        assert pickle.dumps(self.house) == before
        for fact in () if isinstance(answer, Rejection) else answer:
            text = encode(fact)
            again = decode(*text)
            assert again == fact
            self.journal.append(text)
            self.seq += 1
            machine.evolve(self.house, again, self.seq, 1_000)
            assert self.house.ledger.total() == 0
        return answer

    def refused(self, command: commands.Command) -> str:
        """The code a command is refused with."""
        answer = self.ask(command)
        assert isinstance(answer, Rejection), answer
        return answer.code.value

    def replayed(self) -> House:
        """The house that a restart would find."""
        house = House()
        for seq, text in enumerate(self.journal, 1):
            machine.evolve(house, decode(*text), seq, 1_000)  # type: ignore[arg-type]
        return house

    def desk(self, address: str = TOKEN) -> state.Desk:
        return self.house.desks[address]

    def phase(self, address: str = TOKEN) -> DeskPhase:
        return self.desk(address).phase

    def intend(
        self, collateral: int, address: str = TOKEN, *, at_ms: int = 1, caps: commands.Caps = commands.NO_CAPS
    ) -> commands.IntendOpen:
        """An order that adds risk, named for its number."""
        return commands.IntendOpen(address, f"o{self.seq}", "ETH", True, 20 * WAD, collateral, at_ms, caps)

    def fill(self, address: str = TOKEN, payout: int = 0) -> tuple[Fact, ...]:
        """Fills what stands."""
        order = self.desk(address).order
        assert order is not None
        outcome = Filled(order.order_id, ref_of(address, order.market), 2000 * WAD, USDC, 1, payout)
        return self.do(commands.RecordOutcome(address, outcome))

    def decline(self, address: str = TOKEN) -> tuple[Fact, ...]:
        """Declines what stands."""
        order = self.desk(address).order
        assert order is not None
        return self.do(commands.RecordOutcome(address, Declined(order.order_id, "NO", "not now")))


def in_flight_of(desk: state.Desk) -> int:
    """What its order may have spent."""
    order = desk.order
    return order.collateral if order is not None and order.kind in (OrderKind.OPEN, OrderKind.GROW) else 0
