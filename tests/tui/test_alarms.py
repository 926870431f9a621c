"""The page of alarms: all of them, wrapped, scrolled, and what it says when there are none."""

from dataclasses import replace

from tests.tui.operator import watching
from tests.tui.scripted import ScriptedPort, snapshot, status

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
        assert not operator.sees("alarm number 1 ")
        assert operator.sees("2 lines above, 28 below")
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
