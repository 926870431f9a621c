"""The keepers screen: what is broken stands on top and looks like nothing else, and its doings are below."""

from dataclasses import replace

import pytest

from engine.keeper_rows import KeeperHealth
from engine.snapshot import Event, Snapshot
from tests.tui.operator import watching
from tests.tui.scripted import NOW, ScriptedPort, address, keepers, snapshot, status
from tui.panes.keepers import detail, did, heading, rows, state

KEEPERS = keepers()
EVENTS = [
    Event(1, NOW - 9_000, "", "request", "request 0xabc executed by keeper-1"),
    Event(2, NOW - 8_000, "", "request", "request 0xdef executed by keeper-12"),
    Event(3, NOW - 7_000, address(1), "order", "open long ETH with 12.00 USDC sent by manager", "BONK", "manager"),
    Event(4, NOW - 6_000, "", "request", "request 0x123 cancelled by keeper-1: PRICE too old"),
    Event(5, NOW - 5_000, address(1), "open", "long ETH 240.00 at 3,020.11", "BONK", "venue"),
]


def picture(**changes: object) -> Snapshot:
    return replace(snapshot(keepers=KEEPERS), **changes)  # type: ignore[arg-type]


def names(picture: Snapshot) -> list[str]:
    return [seen.row.name for seen in rows(picture)]


def test_what_is_wrong_comes_first_and_the_rest_keeps_its_order() -> None:
    assert names(picture()) == ["keeper-1", "sampler", "feed", "positions", "desks", "callbacks"]
    assert "".join(text for text, _ in heading(picture())) == "Keepers 1 failing, 1 late, 4 ok"


def test_broken_idle_and_begun_look_like_nothing_else_without_colour() -> None:
    found = [(state(row)[0], detail(row)[0].split(":")[0]) for row in KEEPERS]
    assert found == [
        ("○ running", "no pass has ended yet"),
        ("● ok", "12 positions"),
        ("× failing", "OSError, try 3, it is tried again"),
        ("! late", "a pass is overdue; the last one"),
        ("● ok", "9 desks"),
        ("● ok", "nothing to do"),
    ]


def test_of_an_engine_that_has_stopped_no_keeper_is_well() -> None:
    seen = rows(picture(status=status(keepers=KeeperHealth.STOPPED)))
    assert {state(each.row)[0] for each in seen} == {"■ stopped"}
    assert all("start it again" in detail(each.row)[0] for each in seen)


def test_the_age_of_a_pass_is_counted_only_where_it_says_something() -> None:
    assert {each.row.name: each.when for each in rows(picture())} == {
        "feed": "never",
        "positions": "now",
        "callbacks": "now",
        "keeper-1": "14s",
        "sampler": "6m",
        "desks": "1m",
    }


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("keeper-1", [1, 4]), ("keeper-12", [2]), ("desks", [3]), ("positions", []), ("risk", [])],
)
def test_an_event_belongs_to_who_brought_it_about(name: str, numbers: list[int]) -> None:
    assert [event.number for event in EVENTS if did(name, event)] == numbers


def test_events_that_name_nobody_belong_to_the_only_loop_that_can() -> None:
    position = Event(1, NOW, "", "liquidation", "position #17,000 liquidated, fee 62.00")
    pool = Event(2, NOW, "", "liquidation", "pool position liquidated by keeper-1")
    assert did("liquidator", position)
    assert not did("pools", position)
    assert did("pools", pool)
    assert not did("liquidator", pool)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=str)
async def test_the_screen_follows_its_cursor(size: tuple[int, int]) -> None:
    async with watching(ScriptedPort(picture(), history=EVENTS), size=size) as operator:
        await operator.press("0")
        assert operator.line("> ").split()[1] == "keeper-1"
        assert operator.sees("What keeper-1 did")
        assert operator.sees("0x123 cancelled")
        assert not operator.sees("0xdef")
        await operator.press("enter")
        assert operator.message == "detail: nothing to open here"
        await operator.press("j")
        assert operator.sees("What sampler did")
        assert operator.sees("nothing that the log tells of")
        await operator.press("G", "k", "enter")
        assert operator.sees("BONK·"), "the desk it was busy with last"
        await operator.press("escape", "z")
        assert not operator.sees("What desks did")
        await operator.press("z", "1")
        assert operator.sees("Desks 12")


async def test_figures_are_counted_once_a_second_and_trouble_is_shown_at_once() -> None:
    port = ScriptedPort(picture())
    async with watching(port, size=(120, 40)) as operator:
        await operator.press("0")
        more = tuple(replace(row, passes=row.passes + 5_000) for row in KEEPERS)
        port.show(at_ms=NOW + 100, keepers=more)
        await operator.frame()
        assert operator.sees("1,204")
        broken = (*more[:1], replace(more[1], health=KeeperHealth.FAILING, detail="KeyError, try 1"), *more[2:])
        port.show(at_ms=NOW + 200, keepers=broken)
        await operator.frame()
        assert "× failing" in operator.line("positions")
        port.show(at_ms=NOW + 1_000, keepers=more)
        await operator.frame()
        assert operator.sees("6,204")


async def test_without_keepers_it_says_what_to_do() -> None:
    async with watching(ScriptedPort(picture(keepers=())), size=(120, 40)) as operator:
        await operator.press("0")
        assert operator.sees("no keeper runs: ")
        assert operator.sees("perpdesk status")
