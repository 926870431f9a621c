"""Orders that cost something and come to nothing: they are not repeated in every pass."""

import pytest

from engine.desks import commands
from engine.desks.commands import Caps
from tests.engine.driven import USDC, Driven
from venue.perp import Declined

A = f"0x{1:040x}"
CAPS = Caps(open_interval_ms=900_000)


def ended(it: Driven, code: str, at_ms: int) -> None:
    """An order that adds risk, and had no effect."""
    it.do(it.intend(USDC, A, at_ms=at_ms, caps=CAPS))
    order = it.desk(A).order
    assert order is not None
    it.do(commands.RecordOutcome(A, Declined(order.order_id, code, "why")))


@pytest.mark.parametrize("code", ["REVERTED", "GIVEN_UP", "CANCELED", "EXPIRED"])
def test_what_was_sent_counts_for_the_interval(code: str) -> None:
    it = Driven(A, pending=100 * USDC)
    ended(it, code, 1_000)
    assert it.refused(it.intend(USDC, A, at_ms=900_999, caps=CAPS)) == "TOO_SOON"
    it.do(it.intend(USDC, A, at_ms=901_000, caps=CAPS))


def test_what_was_never_sent_does_not() -> None:
    it = Driven(A, pending=100 * USDC)
    ended(it, "NO_CHAIN", 1_000)
    it.do(it.intend(USDC, A, at_ms=1_001, caps=CAPS))


def test_the_second_failure_in_a_row_halts_the_desk_and_a_person_gives_it_two_more() -> None:
    it = Driven(A, pending=100 * USDC)
    ended(it, "REVERTED", 1_000)
    ended(it, "NO_CHAIN", 1_000_000)
    assert it.desk(A).halted_by is None
    ended(it, "GIVEN_UP", 2_000_000)
    assert it.desk(A).halted_by == "sender: GIVEN_UP"
    assert it.refused(it.intend(USDC, A, at_ms=9_000_000, caps=CAPS)) == "HALTED"
    assert it.replayed() == it.house
    it.do(commands.Resume(A, "ops", ""))
    ended(it, "REVERTED", 10_000_000)
    assert it.desk(A).halted_by is None
    ended(it, "REVERTED", 20_000_000)
    assert it.desk(A).halted_by == "sender: REVERTED"


def test_a_fill_in_between_is_a_new_beginning_and_growing_counts_as_well() -> None:
    it = Driven(A, pending=100 * USDC)
    ended(it, "REVERTED", 1_000)
    it.do(it.intend(USDC, A, at_ms=1_000_000, caps=CAPS))
    it.fill(A)
    ended(it, "REVERTED", 1_000_001)
    assert it.desk(A).halted_by is None
    ended(it, "REVERTED", 1_000_002)
    assert it.desk(A).halted_by == "sender: REVERTED"


def test_a_way_out_that_fails_halts_nothing() -> None:
    it = Driven(A, pending=100 * USDC)
    it.do(it.intend(USDC, A, at_ms=1_000, caps=CAPS))
    it.fill(A)
    for number in range(3):
        it.do(commands.IntendClose(A, f"c{number}", None, "ops", None))
        it.do(commands.RecordOutcome(A, Declined(f"c{number}", "REVERTED", "why")))
    assert it.desk(A).halted_by is None
