"""The terminal rings for alarms that are new, not too often, and says nothing that could drive it."""

from dataclasses import replace

import pytest

from tests.tui.operator import watching
from tests.tui.scripted import ScriptedPort, snapshot
from tui.bells import EVERY_S, Bells, Standing, bytes_for, noticed
from tui.settings import UiSettings


def rung(*looks: tuple[float, tuple[str, ...]]) -> list[tuple[str, ...]]:
    """What each look rings for."""
    standing, found = Standing(), []
    for now, alarms in looks:
        standing, fresh = noticed(standing, alarms, now)
        found.append(fresh)
    return found


def test_what_stands_at_the_start_rings_for_nobody() -> None:
    assert rung((0, ("a",)), (1, ("a",)), (2, ("a", "b"))) == [(), (), ("b",)]


def test_it_rings_at_most_every_ten_seconds_and_forgets_nothing_that_stands() -> None:
    looks = [(0.0, ()), (1.0, ("a",)), (2.0, ("a", "b", "c")), (3.0, ("a", "b"))]
    assert rung(*looks, (1.0 + EVERY_S - 0.01, ("a", "b"))) == [(), ("a",), (), (), ()]
    assert rung(*looks, (1.0 + EVERY_S, ("a", "b"))) == [(), ("a",), (), (), ("b",)]
    assert rung(*looks, (1.0 + EVERY_S, ("a",)))[-1] == (), "what is over or acknowledged by then is no news"


def test_an_alarm_that_counts_is_no_new_one_and_one_that_comes_back_is() -> None:
    assert rung((0, ()), (1, ("no price for 3 s",)), (20, ("no price for 4 s",)))[1:] == [("no price for 3 s",), ()]
    assert rung((0, ()), (1, ("#26 lost",)), (20, ("#26 lost", "#27 lost")))[-1] == ("#27 lost",)
    assert rung((0, ()), (1, ("a",)), (20, ()), (40, ("a",)))[-1] == ("a",)


def test_what_is_sent() -> None:
    def sent(*alarms: str, bell: bool = True, desktop: bool = False, tmux: bool = False) -> str:
        return bytes_for(alarms, bell=bell, desktop=desktop, tmux=tmux)

    assert sent() == ""
    assert sent("a", bell=False) == ""
    assert sent("a") == "\x07"
    assert sent("a", tmux=True) == "\x07", "tmux passes a bell on by itself"
    assert sent("a", desktop=True, bell=False) == "\x1b]9;perpdesk: a\x07"
    assert sent("a", "b", "c", desktop=True) == "\x07\x1b]9;perpdesk (and 2 more): a\x07"
    assert sent("a", desktop=True, bell=False, tmux=True) == "\x1bPtmux;\x1b\x1b]9;perpdesk: a\x07\x1b\\"


def test_a_notification_ends_where_we_say_and_is_short() -> None:
    hostile = "\x07\x1b]0;owned\x1b\\\x9c\u202e" + "x" * 1000
    told = bytes_for((hostile,), bell=False, desktop=True, tmux=False)
    inside = told.removeprefix("\x1b]9;").removesuffix("\x07")
    assert len(inside) == 160
    assert all(char.isprintable() for char in inside)


def test_nothing_is_written_where_nothing_is_wanted() -> None:
    written: list[str] = []
    for bell, desktop in ((False, False), (True, False)):
        bells = Bells(written.append, bell=bell, desktop=desktop, tmux=False)
        bells.look((), 0)
        bells.look(("a",), 1)
    assert written == ["\x07"]


async def test_the_screen_rings_through_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    port = ScriptedPort()
    for wanted in (False, True):
        port.picture = snapshot()
        async with watching(port, ui=UiSettings(bell=wanted, desktop=wanted)) as operator:
            sent: list[str] = []
            driver = operator.app._driver
            assert driver is not None
            monkeypatch.setattr(driver, "write", sent.append)
            status = port.picture.status
            port.show(status=replace(status, alarms=(*status.alarms, "the venue does not answer")))
            await operator.frame()
            await operator.frame()
            rings = [each for each in sent if "\x07" in each]
            assert rings == (["\x07\x1b]9;perpdesk: the venue does not answer\x07"] if wanted else [])
