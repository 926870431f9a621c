"""What is told, once, and that it is over; by pictures alone."""

from dataclasses import replace
from typing import Any

import pytest

from engine.alerts.rules import Alert, Kind, Watch
from engine.desk_rows import FundsRow
from engine.keeper_rows import KeeperHealth, KeeperRow
from engine.snapshot import DeskPhase, FeedHealth, Snapshot
from tests.tui.scripted import NOW, desk, snapshot, status, usd, wallet


def calm(**changes: object) -> Snapshot:
    """Nothing is wrong."""
    quiet = snapshot(desks=(desk(0),), keepers=(), flow=FundsRow(), status=status())
    return replace(quiet, at_ms=NOW, **changes)  # type: ignore[arg-type]


def kinds(alerts: tuple[Alert, ...]) -> list[tuple[Kind, bool]]:
    return [(alert.kind, alert.over) for alert in alerts]


WRONG: dict[Kind, dict[str, Any]] = {
    Kind.HALTED: {"desks": (desk(0, halted_by="ops"),)},
    Kind.NEAR_LIQUIDATION: {"desks": (desk(0, liq_move=0.01),)},
    Kind.UNKNOWN: {"desks": (desk(0, phase=DeskPhase.UNKNOWN),)},
    Kind.QUARANTINED: {"desks": (desk(0, quarantine="contradicts itself"),)},
    Kind.KEEPER: {"keepers": (KeeperRow("feed", KeeperHealth.FAILING, 3, None, "try 3"),)},
    Kind.FEED: {"status": status(feed=FeedHealth.LOST)},
    Kind.FUNDS: {"flow": FundsRow(difference=usd(-3))},
    Kind.GAS: {"flow": FundsRow(wallets=(wallet(0, gas=1, least_gas=2),))},
}
LATER = {Kind.KEEPER: 15_000, Kind.FEED: 15_000, Kind.FUNDS: 60_000}


@pytest.mark.parametrize("kind", WRONG)
def test_each_is_told_once_and_when_it_is_over(kind: Kind) -> None:
    watch, wrong = Watch(near=0.01), calm(**WRONG[kind])
    assert watch.look(calm()) == ()
    patience = LATER.get(kind, 0)
    if patience:
        assert watch.look(wrong) == ()
        assert watch.look(replace(wrong, at_ms=NOW + patience - 1)) == ()
    assert kinds(watch.look(replace(wrong, at_ms=NOW + patience))) == [(kind, False)]
    assert watch.look(replace(wrong, at_ms=NOW + 10 * patience + 1)) == ()
    (over,) = watch.look(calm())
    assert (over.kind, over.over, over.text[:6]) == (kind, True, "over: ")
    assert watch.look(calm()) == ()


def test_what_passes_quickly_is_not_told_and_begins_anew() -> None:
    watch, lost = Watch(near=0.01), calm(status=status(feed=FeedHealth.STALE))
    assert watch.look(lost) == ()
    assert watch.look(replace(calm(), at_ms=NOW + 10_000)) == ()
    assert watch.look(replace(lost, at_ms=NOW + 16_000)) == ()
    assert kinds(watch.look(replace(lost, at_ms=NOW + 31_000))) == [(Kind.FEED, False)]


def test_names_from_outside_are_clean() -> None:
    (alert,) = Watch(near=0).look(calm(desks=(desk(0, token="\x1b]0;x\x07EVIL", halted_by="a\nb"),)))
    assert alert.text.isprintable()
