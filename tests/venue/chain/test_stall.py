"""Whether the chain moves: blocks that come, clocks that stand still, numbers that stand still, and the start."""

import pytest

from tests.venue.chain.rpc_server import block_hash
from venue.chain.answers import Head
from venue.chain.stall import Pulse, Stall


def head(number: int, timestamp_s: int) -> Head:
    return Head(number, block_hash(number), block_hash(number - 1), timestamp_s, 7)


def moving(now_s: float = 2.0) -> Pulse:
    return Pulse(0.0).after(head(100, 1_000), 0.0).after(head(101, 1_002), now_s)


@pytest.mark.parametrize(
    ("now_s", "stall", "opens", "rules_close"),
    [
        (2.0, Stall.NONE, True, True),
        (31.9, Stall.NONE, True, True),
        (32.0, Stall.SLOW, False, True),
        (121.9, Stall.SLOW, False, True),
        (122.0, Stall.FROZEN, False, False),
        (10_000.0, Stall.FROZEN, False, False),
    ],
)
def test_thirty_seconds_bar_new_risk_and_two_minutes_all_but_people(
    now_s: float, stall: Stall, opens: bool, rules_close: bool
) -> None:
    pulse = moving()
    assert pulse.stall(now_s) is stall
    assert (not pulse.why_not(now_s), not pulse.why_stay(now_s)) == (opens, rules_close)


@pytest.mark.parametrize(
    "stuck",
    [head(102, 1_002), head(102, 900), head(101, 1_050), head(99, 1_050)],
    ids=["clock stands", "clock goes back", "number stands", "number goes back"],
)
def test_what_does_not_move_in_both_is_no_sign_of_life(stuck: Head) -> None:
    pulse = moving().after(stuck, 40.0)
    assert pulse.stall(40.0) is Stall.SLOW
    assert "no new block for 38 s" in pulse.why_not(40.0)


def test_a_block_ends_it() -> None:
    pulse = moving().after(head(102, 1_004), 500.0)
    assert (pulse.stall(500.0), pulse.why_not(500.0), pulse.why_stay(500.0)) == (Stall.NONE, "", "")


def test_the_first_block_may_be_an_old_one() -> None:
    pulse = Pulse(10.0)
    assert pulse.why_not(10.0) == "no new block was seen since the start"
    pulse = pulse.after(head(100, 1_000), 30.0)
    assert pulse.why_not(30.0) == "no new block was seen since the start"
    assert pulse.stall(40.0) is Stall.SLOW, "counted from the start"
    assert not pulse.why_stay(129.0)
    assert pulse.why_stay(130.0)
    assert pulse.after(head(101, 1_002), 131.0).why_not(131.0) == ""
