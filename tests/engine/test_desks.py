"""The desk machine: money in double entry, one position, one unanswered order, and halts that always work."""

from copy import deepcopy

import pytest

from engine.desks import commands, machine, state
from engine.desks.accounts import deployed, in_flight, pending, realised
from engine.desks.commands import Code
from engine.desks.facts import Fact
from engine.desks.state import House
from engine.snapshot import DeskPhase, Outcome
from tests.engine.house import OTHER, TOKEN
from venue.exchange.commands import Rejection
from venue.exchange.fixed import WAD
from venue.exchange.ledger import EXTERNAL
from venue.perp import Declined, Ended, Filled, PositionRef, Unsettled

REF = PositionRef("ETH", True, 0, 7)
FEES = 100_000_000


class Desk:
    """A house driven by hand, with every fact numbered."""

    def __init__(self) -> None:
        self.house = House()
        self.seq = 0
        self.do(commands.EnrollToken(TOKEN, "PEPE"))
        self.do(commands.BookFees(TOKEN, "f1", FEES))

    def do(self, command: commands.Command) -> tuple[Fact, ...]:
        answer = machine.decide(self.house, command)
        assert not isinstance(answer, Rejection), answer
        for fact in answer:
            self.seq += 1
            machine.evolve(self.house, fact, self.seq, 1_000)
            assert self.house.ledger.total() == 0
        return answer

    def refused(self, command: commands.Command) -> str:
        before = deepcopy(self.house)
        answer = machine.decide(self.house, command)
        assert isinstance(answer, Rejection)
        assert self.house == before
        return answer.code.value

    def phase(self) -> DeskPhase:
        return self.desk.phase

    @property
    def desk(self) -> state.Desk:
        return self.house.desks[TOKEN]

    def money(self) -> dict[str, int]:
        names = {"pending": pending, "in_flight": in_flight, "deployed": deployed, "realised": realised}
        return {name: held for name, account in names.items() if (held := self.house.ledger[account(TOKEN)])}

    def intend(self, order_id: str = "o1", collateral: int = 10_000_000) -> None:
        self.do(commands.IntendOpen(TOKEN, order_id, "ETH", True, 20 * WAD, collateral))

    def opened(self, collateral: int = 10_000_000) -> None:
        self.intend(collateral=collateral)
        self.do(commands.RecordOutcome(TOKEN, filled("o1")))


def filled(order_id: str, payout: int = 0) -> Filled:
    return Filled(order_id, REF, 2000 * WAD, 200_000_000, 190_000, payout)


def test_fees_are_split_to_the_last_micro_dollar() -> None:
    for amount in (1, 7, 9_999, 10_001, 123_456_789):
        desk = Desk()
        desk.do(commands.BookFees(TOKEN, "f2", amount))
        total = FEES + amount
        ledger = desk.house.ledger
        parts = (ledger["pum"], ledger["diem"], ledger[pending(TOKEN)], ledger[f"creator:{TOKEN}"])
        assert sum(parts) == total == -ledger[EXTERNAL]
        for part, share in zip(parts[1:], (2850, 5700, 950), strict=True):
            assert abs(part - total * share / 10_000) <= 2


def test_the_same_fees_count_once() -> None:
    desk = Desk()
    assert desk.refused(commands.BookFees(TOKEN, "f1", FEES)) == Code.ALREADY_BOOKED
    assert desk.refused(commands.BookFees(TOKEN, "f2", 0)) == Code.BAD_AMOUNT


def test_money_follows_an_order_through_its_life() -> None:
    desk = Desk()
    assert desk.money() == {"pending": 57_000_000}
    desk.intend()
    assert desk.phase() is DeskPhase.OPENING
    assert desk.money() == {"pending": 47_000_000, "in_flight": 10_000_000}
    desk.do(commands.RecordOutcome(TOKEN, filled("o1")))
    assert desk.phase() is DeskPhase.OPEN
    assert desk.money() == {"pending": 47_000_000, "deployed": 10_000_000}
    desk.intend("o2", 5_000_000)
    assert desk.phase() is DeskPhase.INCREASING
    desk.do(commands.RecordOutcome(TOKEN, filled("o2")))
    assert desk.money() == {"pending": 42_000_000, "deployed": 15_000_000}


@pytest.mark.parametrize("payout", [0, 14_000_000, 15_000_000, 31_000_000])
def test_a_close_returns_the_payout_and_books_the_difference_outside(payout: int) -> None:
    desk = Desk()
    desk.opened(15_000_000)
    outside = desk.house.ledger[EXTERNAL]
    desk.do(commands.IntendClose(TOKEN, "o2", None, "ops", desk.seq))
    desk.do(commands.RecordOutcome(TOKEN, filled("o2", payout)))
    assert desk.phase() is DeskPhase.CLOSED
    assert desk.desk.ref is None
    assert desk.house.ledger[realised(TOKEN)] == payout
    assert desk.house.ledger[deployed(TOKEN)] == 0
    assert desk.house.ledger[EXTERNAL] - outside == 15_000_000 - payout


def test_a_declined_order_gives_its_money_back() -> None:
    desk = Desk()
    desk.intend()
    desk.do(commands.RecordOutcome(TOKEN, Declined("o1", "PRICE_MOVE_LIMIT", "too big")))
    assert desk.money() == {"pending": 57_000_000}
    assert desk.phase() is DeskPhase.IDLE
    assert desk.desk.word is not None
    assert desk.desk.word.outcome is Outcome.REFUSED


def test_an_unsettled_order_keeps_its_money_and_blocks_the_desk() -> None:
    desk = Desk()
    desk.intend()
    desk.do(commands.RecordOutcome(TOKEN, Unsettled("o1")))
    assert desk.phase() is DeskPhase.UNKNOWN
    assert desk.do(commands.RecordOutcome(TOKEN, Unsettled("o1"))) == ()
    assert desk.money() == {"pending": 47_000_000, "in_flight": 10_000_000}
    assert desk.refused(commands.IntendOpen(TOKEN, "o2", "ETH", True, WAD, 1)) == Code.ORDER_PENDING
    assert desk.refused(commands.IntendClose(TOKEN, "o2", None, "ops", desk.seq)) == Code.ORDER_PENDING


def test_an_answer_to_another_order_is_refused() -> None:
    desk = Desk()
    assert desk.refused(commands.RecordOutcome(TOKEN, filled("o1"))) == Code.UNKNOWN_ORDER
    desk.intend()
    assert desk.refused(commands.RecordOutcome(TOKEN, filled("o9"))) == Code.UNKNOWN_ORDER


@pytest.mark.parametrize("payout", [0, 2_000_000])
def test_a_liquidated_desk_is_closed_with_its_loss_and_the_next_fees_fund_a_new_one(payout: int) -> None:
    desk = Desk()
    desk.opened()
    desk.do(commands.RecordEnd(TOKEN, Ended(REF, payout)))
    assert desk.phase() is DeskPhase.CLOSED
    assert desk.money() == {"pending": 47_000_000} | ({"realised": payout} if payout else {})
    assert desk.refused(commands.RecordEnd(TOKEN, Ended(REF, payout))) == Code.NO_POSITION
    desk.intend("o2")
    assert desk.phase() is DeskPhase.OPENING


def test_what_held_up_the_growth_of_a_position_does_not_hold_up_the_next_one() -> None:
    desk = Desk()
    desk.opened()
    desk.do(commands.Defer(TOKEN, "CAP_DESK", "full", 10**15, 2**62))
    desk.do(commands.RecordEnd(TOKEN, Ended(REF, 0)))
    assert desk.desk.deferred is None


def test_a_liquidation_that_overtakes_an_order_gives_the_order_its_money_back() -> None:
    desk = Desk()
    desk.opened()
    desk.intend("o2", 5_000_000)
    desk.do(commands.RecordEnd(TOKEN, Ended(REF, 0)))
    assert desk.desk.order is None
    assert desk.money() == {"pending": 47_000_000}


def test_a_halted_desk_takes_no_risk_but_may_be_closed() -> None:
    desk = Desk()
    desk.opened()
    desk.do(commands.Halt(TOKEN, "ops", "c1"))
    assert desk.refused(commands.IntendOpen(TOKEN, "o2", "ETH", True, WAD, 1)) == Code.HALTED
    desk.do(commands.IntendClose(TOKEN, "o3", None, "ops", desk.seq))
    assert desk.phase() is DeskPhase.CLOSING


def test_halting_twice_is_one_fact_and_halt_all_reaches_everyone() -> None:
    desk = Desk()
    desk.do(commands.EnrollToken(OTHER, "WIF"))
    assert len(desk.do(commands.Halt(TOKEN, "ops", "c1"))) == 1
    assert desk.do(commands.Halt(TOKEN, "ops", "c2")) == ()
    assert len(desk.do(commands.Halt("", "ops", "c3"))) == 1
    assert all(each.halted for each in desk.house.desks.values())
    desk.do(commands.Resume(TOKEN, "ops", "c4"))
    assert desk.do(commands.Resume(TOKEN, "ops", "c5")) == ()
    assert not desk.desk.halted


def test_a_close_is_refused_when_the_desk_has_changed_since_it_was_seen() -> None:
    desk = Desk()
    desk.opened()
    assert desk.refused(commands.IntendClose(TOKEN, "o2", None, "ops", desk.seq - 1)) == Code.CHANGED
    seen = desk.seq
    desk.do(commands.BookFees(TOKEN, "f2", 1_000))
    desk.do(commands.Halt(TOKEN, "ops", "c1"))
    desk.do(commands.Resume(TOKEN, "ops", "c2"))
    desk.do(commands.IntendClose(TOKEN, "o2", None, "ops", seen))


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (commands.IntendClose(TOKEN, "o", None, "ops", 99), Code.NO_POSITION),
        (commands.IntendOpen(TOKEN, "o", "ETH", True, WAD, 0), Code.BAD_AMOUNT),
        (commands.IntendOpen(TOKEN, "o", "ETH", True, WAD, 57_000_001), Code.INSUFFICIENT_PENDING),
        (commands.EnrollToken(TOKEN, "AGAIN"), Code.ALREADY_ENROLLED),
        (commands.Halt(OTHER, "ops", "c"), Code.UNKNOWN_DESK),
        (commands.Resume(OTHER, "ops", "c"), Code.UNKNOWN_DESK),
        (commands.BookFees(OTHER, "f", 1), Code.UNKNOWN_DESK),
    ],
)
def test_refusals_change_nothing(command: commands.Command, code: Code) -> None:
    assert Desk().refused(command) == code


def test_a_desk_does_not_grow_on_another_side_or_market() -> None:
    desk = Desk()
    desk.opened()
    for market, is_long in (("ETH", False), ("BTC", True)):
        assert desk.refused(commands.IntendOpen(TOKEN, "o2", market, is_long, WAD, 1)) == Code.HAS_POSITION
