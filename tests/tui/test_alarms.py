"""The page of alarms: all of them, wrapped, scrolled, and what it says when there are none."""

from dataclasses import replace

from engine.commands import AckAlarm, alarm_key
from tests.tui.operator import watching
from tests.tui.scripted import ScriptedPort, snapshot, status
from tui.keymap import Keymap
from tui.settings import UiSettings

LONG = "KEY SHARED, nothing is sent: " + "find out who uses the wallet of this run " * 4


async def test_all_alarms_are_listed_and_wrapped() -> None:
    port = ScriptedPort(snapshot(status=status(alarms=(LONG, "disk full"))))
    async with watching(port, size=(80, 24)) as operator:
        await operator.press("a")
        assert operator.sees("Alarms 2")
        assert operator.sees("! KEY SHARED, nothing is sent")
        assert operator.sees("! disk full")
        assert " ".join(LONG.split()) in " ".join(" ".join(operator.lines()).replace("│", " ").split())
        assert not operator.sees("below")
        await operator.press("escape")
        assert not operator.sees("Alarms 2")


async def test_more_than_fit_are_scrolled() -> None:
    port = ScriptedPort(snapshot(status=status(alarms=tuple(f"alarm number {number}" for number in range(50)))))
    async with watching(port, size=(80, 24)) as operator:
        await operator.press("a")
        assert operator.sees("0 lines above, 30 below: j k")
        await operator.press("j", "down", "k", "j")
        assert operator.sees("> ! alarm number 2")
        await operator.press("pagedown")
        assert operator.sees("> ! alarm number 22")
        assert operator.sees("3 lines above, 27 below")
        await operator.press("pagedown", "pagedown", "pagedown")
        assert operator.sees("alarm number 49")
        assert operator.sees("30 lines above, 0 below")
        port.show(status=status(alarms=("disk full",)))
        await operator.frame()
        assert operator.sees("! disk full")
        await operator.press("a")
        assert not operator.sees("Alarms 1")


async def test_without_alarms_it_says_so() -> None:
    async with watching(ScriptedPort(snapshot(status=replace(status(), alarms=())))) as operator:
        await operator.press("a")
        assert operator.sees("Nothing needs you now.")
        await operator.press("enter")
        assert not operator.sees("Nothing needs you now.")


async def test_an_alarm_is_acknowledged_and_stays_in_sight() -> None:
    port = ScriptedPort(snapshot(status=status(alarms=("feed lost", "disk full"))))
    async with watching(port) as operator:
        await operator.press("a", "j", "enter")
        (command,) = operator.port.commands
        assert (type(command), getattr(command, "key", "")) == (AckAlarm, alarm_key("disk full"))
        port.show(status=status(alarms=("feed lost",), acknowledged=("disk full (ops 14:03)",)))
        await operator.frame()
        assert operator.sees("Alarms 1")
        assert operator.sees("> ! feed lost")
        assert operator.sees("✓ disk full (ops 14:03)")
        await operator.press("escape")
        assert "1 alarm" in operator.lines()[0]


async def test_the_cursor_stays_on_its_alarm() -> None:
    port = ScriptedPort(snapshot(status=status(alarms=("feed lost", "disk full"))))
    async with watching(port) as operator:
        await operator.press("a", "j")
        port.show(status=status(alarms=("KEY SHARED", "feed lost", "disk full")))
        await operator.frame()
        await operator.press("enter")
        assert [getattr(command, "key", "") for command in operator.port.commands] == [alarm_key("disk full")]


async def test_an_observer_acknowledges_nothing() -> None:
    port = ScriptedPort(snapshot(status=status(alarms=("feed lost",))), role="observer")
    async with watching(port) as operator:
        await operator.press("a", "enter")
        assert operator.port.commands == []
        await operator.press("escape")
        assert operator.message == "acknowledge: observer: may only look"


async def test_the_cursor_follows_an_alarm_that_counts_and_a_key_of_ones_own_acknowledges() -> None:
    port = ScriptedPort(snapshot(status=status(alarms=("no answer for 3 min: PEPE", "disk full"))))
    async with watching(port, ui=UiSettings(keymap=Keymap.of({"acknowledge": "y"}))) as operator:
        await operator.press("a")
        port.show(status=status(alarms=("keeper failing: x", "no answer for 4 min: PEPE", "disk full")))
        await operator.frame()
        assert operator.sees("y acknowledges")
        assert operator.sees("> ! no answer for 4 min: PEPE")
        await operator.press("enter", "y")
        assert [getattr(command, "key", "") for command in operator.port.commands] == [
            alarm_key("no answer for 3 min: PEPE")
        ]
