"""Any commands in any order on three desks: the money adds up, phases agree, a restart finds the same."""

import itertools

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engine.desks import commands
from engine.desks.accounts import buying, deployed, in_flight
from engine.desks.facts import Rule
from engine.desks.state import Desk
from engine.snapshot import DeskPhase
from tests.engine.driven import SIGHT, USDC, Driven, in_flight_of, ref_of
from venue.exchange.fixed import WAD
from venue.exchange.ledger import EXTERNAL
from venue.perp import WHOLE, Declined, Ended, Filled, OrderOutcome, Unsettled, Waiting
from venue.swap import SwapDeclined, SwapOutcome, Swapped, SwapUnsettled

ADDRESSES = tuple(f"0x{number:040x}" for number in (1, 2, 3))
WHICH = st.sampled_from(ADDRESSES)
MARKETS = st.sampled_from(["ETH", "BTC"])
AMOUNTS = st.integers(0, 30 * USDC)
CAPS = commands.Caps(20 * USDC, 30 * USDC, 45 * USDC, 60 * USDC, 5)


class AnyOrder(RuleBasedStateMachine):
    """Whatever is asked, in whatever order, the money adds up and the phases do not contradict each other."""

    def __init__(self) -> None:
        super().__init__()
        self.it = Driven(*ADDRESSES, pending=20 * USDC)
        self.ids = itertools.count()

    def new_id(self) -> str:
        return f"n{next(self.ids)}"

    @rule(address=WHICH, amount=AMOUNTS, reserve=st.sampled_from([0, 200_000, WHOLE]))
    def fees(self, address: str, amount: int, reserve: int) -> None:
        self.it.ask(commands.BookFees(address, f"g{next(self.ids):09}", amount, reserve))

    @rule(address=WHICH, opens=st.booleans())
    def agent(self, address: str, opens: bool) -> None:
        self.it.ask(commands.AskDecision(address, SIGHT))
        if opens:
            self.it.ask(commands.RecordDecision(address, "signal", True, "ETH", True, WAD, "up"))

    @rule(address=WHICH, code=st.sampled_from(["A", "B"]))
    def defer(self, address: str, code: str) -> None:
        self.it.ask(commands.Defer(address, code, code))

    @rule(address=WHICH, market=MARKETS, amount=AMOUNTS, now_ms=st.integers(1, 2 * 86_400_000), capped=st.booleans())
    def adds_risk(self, address: str, market: str, amount: int, now_ms: int, capped: bool) -> None:
        caps = CAPS if capped else commands.NO_CAPS
        self.it.ask(commands.IntendOpen(address, self.new_id(), market, True, WAD, amount, now_ms, caps))

    @rule(address=WHICH, share=st.integers(0, WHOLE), seen=st.none() | st.integers(0, 5))
    def reduce(self, address: str, share: int, seen: int | None) -> None:
        seq = None if seen is None else self.it.seq - seen
        self.it.ask(commands.IntendReduce(address, self.new_id(), share, None, "x", seq, Rule.DRAWDOWN))

    @rule(address=WHICH, by_hand=st.booleans())
    def close(self, address: str, by_hand: bool) -> None:
        self.it.ask(commands.IntendClose(address, self.new_id(), None, "x", self.it.seq if by_hand else None))

    @rule(address=WHICH, kind=st.sampled_from("ffffduw?"), payout=AMOUNTS, elsewhere=st.booleans())
    def answer(self, address: str, kind: str, payout: int, elsewhere: bool) -> None:
        order = self.it.desk(address).order
        order_id = order.order_id if order and kind != "?" else "other"
        market = order.market if order and not elsewhere else "ETH"
        paid = 0 if order and order.kind.adds_risk and not elsewhere else payout
        outcomes: dict[str, OrderOutcome] = {
            "f": Filled(order_id, ref_of(address, market), WAD, USDC, 1, paid),
            "d": Declined(order_id, "NO", ""),
            "u": Unsettled(order_id),
            "w": Waiting(order_id),
        }
        self.it.ask(commands.RecordOutcome(address, outcomes.get(kind, outcomes["f"])))

    @rule(address=WHICH, market=MARKETS, payout=st.integers(-1, 30 * USDC))
    def ends(self, address: str, market: str, payout: int) -> None:
        self.it.ask(commands.RecordEnd(address, Ended(ref_of(address, market), payout)))

    @rule(address=WHICH, which=st.sampled_from(Rule), active=st.booleans())
    def guard(self, address: str, which: Rule, active: bool) -> None:
        self.it.ask(commands.RecordGuard(address, which, 1, 2, "x", active))

    @rule(address=WHICH | st.just(""), verb=st.sampled_from(["halt", "resume", "quarantine", "release"]))
    def operator(self, address: str, verb: str) -> None:
        asked: dict[str, commands.Command] = {
            "halt": commands.Halt(address, "ops", "c"),
            "resume": commands.Resume(address, "ops", "c"),
            "quarantine": commands.Quarantine(address, "", "ops"),
            "release": commands.Release(address, "ops", "c"),
        }
        self.it.ask(asked[verb])

    @rule(off=st.integers(-5 * USDC, 5 * USDC))
    def counted(self, off: int) -> None:
        self.it.ask(commands.ReconcileWallet(off))

    @rule(token=WHICH | st.just(""), amount=st.integers(0, 5 * USDC), least=st.integers(0, 2))
    def buys(self, token: str, amount: int, least: int) -> None:
        self.it.ask(commands.IntendBuyback(token, self.new_id(), amount, least))

    @rule(token=WHICH | st.just(""), kind=st.sampled_from("fdu"), bought=st.integers(0, 2))
    def swapped(self, token: str, kind: str, bought: int) -> None:
        buyback = self.it.house.buybacks.get(token)
        order_id = buyback.order.order_id if buyback and buyback.order else "other"
        outcomes: dict[str, SwapOutcome] = {
            "f": Swapped(order_id, bought, burned=not token),
            "d": SwapDeclined(order_id, "NO", ""),
            "u": SwapUnsettled(order_id),
        }
        self.it.ask(commands.RecordSwap(token, outcomes[kind]))

    @invariant()
    def the_money_adds_up(self) -> None:
        house = self.it.house
        books = house.ledger.balances
        assert all(held >= 0 for account, held in books.items() if account not in (EXTERNAL, "difference"))
        placed = dict.fromkeys(("ETH", "BTC"), 0)
        away = sum(held for account, held in books.items() if account.startswith("buying:"))
        for desk in house.desks.values():
            held = house.ledger[deployed(desk.address)] + house.ledger[in_flight(desk.address)]
            market = desk.order.market if desk.order else desk.ref.market if desk.ref else "ETH"
            placed[market] += held
            away += held
        assert placed == {market: house.at_risk[market] for market in placed}
        assert house.held() + away + house.ledger[EXTERNAL] == 0
        assert house.unanswered() == sum(
            held for account, held in books.items() if account.startswith(("in_flight:", "buying:"))
        )
        for token in (*ADDRESSES, ""):
            order = house.buybacks[token].order if token in house.buybacks else None
            assert house.ledger[buying(token)] == (order.amount if order else 0)
        assert house.day_spent >= 0

    @invariant()
    def no_phase_contradicts_what_the_desk_has(self) -> None:
        for desk in self.it.house.desks.values():
            self._consistent(desk)

    def _consistent(self, desk: Desk) -> None:
        ledger = self.it.house.ledger
        assert bool(desk.ref) is (ledger[deployed(desk.address)] > 0)
        assert in_flight_of(desk) == ledger[in_flight(desk.address)]
        assert not desk.unsettled or desk.order
        assert not desk.deciding or not (desk.ref or desk.order or desk.halted or desk.quarantine)
        assert not desk.warnings or desk.ref
        assert desk.order is None or (desk.order.kind == "open") is (desk.ref is None)
        assert (desk.phase is DeskPhase.QUARANTINED) is bool(desk.quarantine)
        if not desk.quarantine:
            assert (desk.phase in (DeskPhase.IDLE, DeskPhase.CLOSED, DeskPhase.DECIDING)) is (
                desk.ref is None and desk.order is None
            )

    @invariant()
    def a_restart_finds_the_same(self) -> None:
        if self.it.seq % 8 == 0:
            assert self.it.replayed() == self.it.house

    def teardown(self) -> None:
        assert self.it.replayed() == self.it.house


AnyOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
test_any_order_of_commands = AnyOrder.TestCase
