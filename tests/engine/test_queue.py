"""At a venue that shows nobody else's positions the queue ranks the desks' own."""

from dataclasses import replace

from engine.exchange_rows import Side
from engine.queue import own_rows
from engine.snapshot import QueueState
from tests.tui.scripted import WAD, desk, idle


def test_the_nearest_comes_first_and_unknown_ones_are_left_out() -> None:
    rows, counts = own_rows((desk(0, liq_move=0.3), desk(1, liq_move=0.01), desk(2, mark=None), idle(3)))
    assert [row.move for row in rows] == [0.01, 0.3]
    assert (counts.watched, counts.ready) == (2, 0)


def test_the_share_is_how_far_mark_has_gone_from_entry_to_the_end() -> None:
    long = desk(1, side=Side.LONG, entry=100 * WAD, mark=95 * WAD, liq_move=5 / 95)
    short = desk(1, side=Side.SHORT, entry=100 * WAD, mark=109 * WAD, liq_move=1 / 109)
    winning = replace(long, mark=120 * WAD, liq_move=0.25)
    shares = [row.loss_share for each in (long, short, winning) for row in own_rows((each,))[0]]
    assert [round(share, 9) for share in shares] == [0.5, 0.9, 0.0]
    assert own_rows((short,))[0][0].state is QueueState.NEAR


def test_at_its_end_a_position_is_ready() -> None:
    (row,), counts = own_rows((desk(1, liq_move=0.0),))
    assert (row.state, row.loss_share, counts.ready, row.fee) == (QueueState.READY, 1.0, 1, None)
