"""The first live order of a session: a word typed in full, and nothing less."""

from typing import Any

from engine.commands import ArmRun, HaltAll
from tests.tui.operator import Operator, watching
from tests.tui.scripted import ScriptedPort, flow, snapshot, status
from tui.arm_dialog import ArmDialog


def live(**changes: Any) -> ScriptedPort:
    """Real money that nobody has confirmed yet."""
    said = status(mode="LIVE", venue="avantis", simulated="", armed=False, **changes)
    return ScriptedPort(snapshot(status=said, flow=flow(simulated="")))


def asked(operator: Operator) -> bool:
    return isinstance(operator.app.screen, ArmDialog)


async def test_it_is_asked_at_once_and_only_the_whole_word_is_an_answer() -> None:
    async with watching(live()) as operator:
        assert asked(operator)
        assert operator.sees("NOT ARMED")
        await operator.press("enter", "L", "I", "V", "enter")
        assert asked(operator)
        assert operator.sees("[LIV ]")
        await operator.press("backspace", "V", "E", "x", "E", "enter")
        assert not asked(operator)
        await operator.until(lambda: operator.port.commands)
        (command,) = operator.port.commands
        assert isinstance(command, ArmRun)
        assert command.phrase == "LIVE"


async def test_escape_only_looks_and_a_asks_again() -> None:
    async with watching(live()) as operator:
        await operator.press("L", "escape")
        assert not asked(operator)
        assert not operator.port.commands
        await operator.press("A")
        assert asked(operator)
        assert operator.sees("[    ]")


async def test_all_can_be_halted_from_the_question() -> None:
    async with watching(live()) as operator:
        await operator.press("H", "H")
        assert not asked(operator)
        await operator.until(lambda: operator.port.commands)
        assert isinstance(operator.port.commands[0], HaltAll)


async def test_an_observer_is_not_asked_and_sees_that_it_only_looks() -> None:
    async with watching(live(observing=True)) as operator:
        assert not asked(operator)
        assert operator.sees("OBSERVING")
        assert not operator.sees("NOT ARMED")
        await operator.press("A")
        assert not asked(operator)
        assert operator.sees("only looks")


async def test_on_paper_there_is_nothing_to_confirm() -> None:
    async with watching() as operator:
        assert not asked(operator)
        await operator.press("A")
        assert operator.sees("no real money")
