"""Machine and exact model side by side through operations that Hypothesis chooses, compared after every one."""

from fractions import Fraction

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.venue.exchange.model import Model
from venue.exchange.ledger import EXTERNAL
from venue.exchange.scenario.config import configured
from venue.exchange.scenario.simulation import Simulation

USERS = st.sampled_from(("ann", "bob", "cid"))
SIDES = st.sampled_from(("long", "short"))
TOTALS = st.sampled_from(("1", "0.000001", "50", "333.333333333333333333", "2000", "1/3", "-1", "0"))
LEVERAGES = st.sampled_from(("1", "2", "7/3", "10", "20", "29.99", "30", "31"))
PARTS = st.sampled_from(("1", "0.5", "1/3", "0.999", "0", "2"))
POSITIONS = st.integers(1, 8)


class Lockstep(RuleBasedStateMachine):
    """Two engines that share no code; the answers and the whole state must be the same strings."""

    limit: str | None = None

    @initialize(insurance=st.sampled_from(("0", "5", "5000")))
    def start(self, insurance: str) -> None:
        config = {"MAX_OPEN_PRICE_MOVE": self.limit} if self.limit else {}
        self.machine = Simulation.fresh(configured(config))
        self.model = Model(config, grid=True)
        for user in ("ann", "bob", "cid"):
            self.do(op="deposit", user=user, amount="5000")
        self.do(op="fund_insurance", amount=insurance)

    def do(self, **op: object) -> None:
        answer, expected = self.machine.run(op), self.model.shown(self.model.apply(op))
        assert answer == expected, op

    @rule(user=USERS, amount=TOTALS)
    def deposit(self, user: str, amount: str) -> None:
        self.do(op="deposit", user=user, amount=amount)

    @rule(user=USERS, amount=TOTALS)
    def withdraw(self, user: str, amount: str) -> None:
        self.do(op="withdraw", user=user, amount=amount)

    @rule(blocks=st.integers(0, 40))
    def tick(self, blocks: int) -> None:
        self.do(op="tick", blocks=blocks)

    @rule(user=USERS, side=SIDES, total=TOTALS, leverage=LEVERAGES)
    def open(self, user: str, side: str, total: str, leverage: str) -> None:
        self.do(op="open", user=user, side=side, total=total, leverage=leverage)

    @rule(user=USERS, position=POSITIONS, total=TOTALS, leverage=LEVERAGES)
    def increase(self, user: str, position: int, total: str, leverage: str) -> None:
        self.do(op="increase", user=user, position=position, total=total, leverage=leverage)

    @rule(user=USERS, position=POSITIONS, part=PARTS)
    def close(self, user: str, position: int, part: str) -> None:
        self.do(op="close", user=user, position=position, part=part)

    @rule(user=USERS, position=POSITIONS)
    def liquidate(self, user: str, position: int) -> None:
        self.do(op="liquidate", liquidator=user, position=position)

    @rule(user=USERS, total=st.sampled_from(("500", "3000")))
    def push_then_liquidate(self, user: str, total: str) -> None:
        """What makes liquidations likely: a large short, a block, then everybody is tried."""
        self.do(op="open", user=user, side="short", total=total, leverage="20")
        self.do(op="tick", blocks=1)
        for position in range(1, 9):
            self.do(op="liquidate", liquidator="kim", position=position)

    @invariant()
    def states_are_the_same(self) -> None:
        if hasattr(self, "machine"):
            assert self.machine.state() == self.model.shown(self.model.state())

    @invariant()
    def money_is_conserved_and_never_negative(self) -> None:
        if hasattr(self, "machine"):
            ledger = self.machine.exchange.ledger
            assert ledger.total() == 0
            assert all(amount >= 0 for name, amount in ledger.balances.items() if name != EXTERNAL)
            wallets = sum(self.model.wallets.values(), Fraction(0))
            assert wallets >= 0


class LimitedLockstep(Lockstep):
    """With the limit on how far one open may move mark."""

    limit = "1/30"


TestLockstep = Lockstep.TestCase
TestLockstep.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestLimitedLockstep = LimitedLockstep.TestCase
TestLimitedLockstep.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
