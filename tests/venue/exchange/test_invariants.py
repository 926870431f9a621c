"""Random histories: whatever is asked, in whatever order, these never break."""

from copy import deepcopy
from fractions import Fraction

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.venue.exchange.market import LITERAL, SYMBOL, exchange, wad
from venue.exchange import commands, machine
from venue.exchange.commands import Code, Rejection
from venue.exchange.facts import PositionLiquidated, PositionReduced
from venue.exchange.fixed import WAD
from venue.exchange.health import exit_part, health
from venue.exchange.ledger import EXTERNAL
from venue.exchange.params import MarketParams
from venue.exchange.state import Exchange

USERS = st.sampled_from(("a", "b", "c"))
AMOUNTS = st.one_of(st.integers(-WAD, wad("20000")), st.sampled_from((0, 1, WAD, wad("1000"))), st.integers(1, 10**6))
LEVERAGES = st.fractions(0, 31, max_denominator=7)
IDS = st.integers(0, 12)


class Clearing(RuleBasedStateMachine):
    """Drives a market with its open-move limit on; every fact is checked to be all a second fold needs."""

    params = MarketParams()

    def __init__(self) -> None:
        super().__init__()
        self.state = exchange(self.params)
        self.mirror = exchange(self.params)
        self.entry = {True: 0, False: 0}
        self.realised = 0

    def do(self, command: commands.Command) -> tuple[object, ...] | Rejection:
        before = deepcopy(self.state)
        answer = machine.decide(self.state, command)
        assert self.state == before, "decide changed the state"
        if isinstance(answer, Rejection):
            return answer
        k = self._k(self.state)
        for fact in answer:
            machine.evolve(self.state, fact)
            machine.evolve(self.mirror, fact)
            assert self.state.ledger.total() == 0
            if isinstance(fact, PositionReduced | PositionLiquidated):
                self.realised += fact.pnl_trade
        assert self._k(self.state) >= k
        return answer

    @staticmethod
    def _k(state: Exchange) -> int:
        return state.markets[SYMBOL].base_reserve * state.markets[SYMBOL].quote_reserve

    @rule(user=USERS, amount=AMOUNTS)
    def deposit(self, user: str, amount: int) -> None:
        self.do(commands.Deposit(user, amount))

    @rule(user=USERS, amount=AMOUNTS)
    def withdraw(self, user: str, amount: int) -> None:
        self.do(commands.Withdraw(user, amount))

    @rule(amount=AMOUNTS)
    def fund_insurance(self, amount: int) -> None:
        self.do(commands.FundInsurance(amount))

    @rule(blocks=st.integers(0, 50))
    def tick(self, blocks: int) -> None:
        self.do(commands.AdvanceBlock(blocks))

    @rule(user=USERS, is_long=st.booleans(), total=AMOUNTS, leverage=LEVERAGES, deposit=AMOUNTS)
    def open(self, user: str, is_long: bool, total: int, leverage: Fraction, deposit: int) -> None:
        mark = self.state.markets[SYMBOL].mark
        order = commands.OpenPosition(
            user=user, market=SYMBOL, is_long=is_long, total=total, leverage=leverage, deposit=deposit
        )
        answer = self.do(order)
        if not isinstance(answer, Rejection) and self.params.max_open_move is not None:
            moved = abs(self.state.markets[SYMBOL].mark - mark)
            assert moved <= self.params.max_open_move * mark + 2

    @rule(user=USERS, position=IDS, total=AMOUNTS, leverage=LEVERAGES)
    def increase(self, user: str, position: int, total: int, leverage: Fraction) -> None:
        self.do(
            commands.IncreasePosition(
                user=user, position_id=position, total=total, leverage=leverage, deposit=max(0, total)
            )
        )

    @rule(user=USERS, position=IDS, part=st.one_of(st.just(Fraction(1)), st.fractions(-1, 2, max_denominator=9)))
    def close(self, user: str, position: int, part: Fraction) -> None:
        held = self.state.open_positions.get(position)
        preview = None
        if held and 0 < part <= 1 and held.base_size * part >= 1:
            preview = exit_part(self.state.markets[SYMBOL], held, part)
        answer = self.do(commands.ClosePosition(user=user, position_id=position, part=part))
        if isinstance(answer, Rejection):
            assert answer.code not in (Code.POOL_EXHAUSTED, Code.BASE_EXHAUSTED)
        elif preview:
            fact = answer[0]
            assert isinstance(fact, PositionReduced)
            assert fact.payout == preview.equity

    @rule(position=IDS)
    def liquidate(self, position: int) -> None:
        held = self.state.open_positions.get(position)
        state = health(self.state.markets[SYMBOL], held) if held else None
        answer = self.do(commands.LiquidatePosition("keeper", position))
        if isinstance(answer, Rejection):
            sure = held is not None and state is not None and state.liquidatable
            assert not sure or answer.code in (Code.SAME_BLOCK, Code.FUNDS_INSUFFICIENT)
        else:
            assert state is not None
            assert state.liquidatable
            fact = answer[0]
            assert isinstance(fact, PositionLiquidated)
            assert fact.equity == state.exit.equity
            assert isinstance(self.do(commands.LiquidatePosition("keeper", position)), Rejection)

    @invariant()
    def the_fold_of_the_facts_is_the_state(self) -> None:
        assert self.mirror == self.state

    @invariant()
    def no_account_but_external_is_negative(self) -> None:
        balances = self.state.ledger.balances
        assert all(amount >= 0 for name, amount in balances.items() if name != EXTERNAL)

    @invariant()
    def reserves_open_interest_and_positions_agree(self) -> None:
        market = self.state.markets[SYMBOL]
        longs = [each for each in self.state.open_positions.values() if each.is_long]
        shorts = [each for each in self.state.open_positions.values() if not each.is_long]
        assert market.long_open_interest == sum(each.entry_notional for each in longs)
        assert market.short_open_interest == sum(each.entry_notional for each in shorts)
        assert market.long_base == sum(each.base_size for each in longs)
        sold = sum(each.base_size for each in shorts)
        assert market.base_reserve == market.params.initial_base - market.long_base + sold
        net = market.long_open_interest - market.short_open_interest
        assert market.quote_reserve == market.params.initial_quote + net - self.realised
        assert all(each.base_size < market.base_reserve for each in shorts)
        assert abs(market.imbalance) <= WAD


class LiteralClearing(Clearing):
    """The same without the open-move limit, as the seed has it."""

    params = LITERAL


TestClearing = Clearing.TestCase
TestClearing.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLiteralClearing = LiteralClearing.TestCase
TestLiteralClearing.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
