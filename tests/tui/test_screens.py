"""The overview as text, compared with the files in `screens/`; PERPDESK_WRITE_SCREENS=1 writes them anew."""

import os
from pathlib import Path

import pytest

from engine.snapshot import Event
from tests.tui.operator import Operator, watching
from tests.tui.scripted import NOW, TOKENS, ScriptedPort, address, agent, events, keepers, points, snapshot

FOLDER = Path(__file__).parent / "screens"


def compare(operator: Operator, name: str) -> None:
    path = FOLDER / f"{name}.txt"
    text = "\n".join(operator.lines()) + "\n"
    if os.environ.get("PERPDESK_WRITE_SCREENS"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (250, 70)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_overview(size: tuple[int, int]) -> None:
    async with watching(size=size) as operator:
        compare(operator, f"overview-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 45), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_exchange(size: tuple[int, int]) -> None:
    async with watching(size=size) as operator:
        await operator.press("5")
        compare(operator, f"exchange-{size[0]}x{size[1]}")


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("request", ("5", "j", "enter")),
        ("pool", ("6", "enter")),
        ("cancel", ("5", "j", "x")),
        ("new", ("6", "n")),
        ("form", ("6", "n", "down", "down", "enter", "tab", "tab", "tab", "1", "comma", "5", "enter")),
        ("summary", ("6", "n", "enter", "tab", "1", "full_stop", "5", "enter")),
        ("help", ("5", "question_mark")),
    ],
)
async def test_pages_and_dialogs_of_the_exchange(name: str, keys: tuple[str, ...]) -> None:
    async with watching(size=(80, 24)) as operator:
        await operator.press(*keys)
        compare(operator, f"{name}-80x24")


async def drawn(operator: Operator) -> None:
    """The past has come, and is drawn where there is room for it."""
    await operator.until(lambda: operator.app.size.width < 100 or operator.sees("UTC└"))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_desk_page(size: tuple[int, int]) -> None:
    fills = [
        Event(61, NOW - 1_500_000, address(0), "open", "short ETH 1,205.00 at 3,005.01", TOKENS[0], "venue"),
        Event(62, NOW - 400_000, address(0), "reduce", "short ETH 300.00 at 3,012.00", TOKENS[0], "venue"),
    ]
    async with watching(ScriptedPort(history=[*events(60), *fills], past=points(400)), size=size) as operator:
        await operator.press("enter")
        await drawn(operator)
        compare(operator, f"desk-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_market_page(size: tuple[int, int]) -> None:
    async with watching(ScriptedPort(past=points(240)), size=size) as operator:
        await operator.press("2", "enter")
        await operator.until(lambda: operator.sees("UTC└"))
        compare(operator, f"market-{size[0]}x{size[1]}")


@pytest.mark.parametrize(("name", "tabs"), [("interest", 1), ("carry", 2), ("curve", 3)])
async def test_the_other_charts_of_a_market(name: str, tabs: int) -> None:
    async with watching(ScriptedPort(past=points(240)), size=(80, 24)) as operator:
        await operator.press("2", "enter")
        await operator.until(lambda: operator.sees("UTC└"))
        await operator.press(*["tab"] * tabs)
        compare(operator, f"{name}-80x24")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_position_page(size: tuple[int, int]) -> None:
    async with watching(ScriptedPort(past=points(400)), size=size) as operator:
        await operator.press("4", *"jjjjj", "enter")
        await drawn(operator)
        compare(operator, f"position-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_keepers(size: tuple[int, int]) -> None:
    done = Event(1, NOW - 9_000, "", "request", "request 0x9e3779b1 executed by keeper-1")
    async with watching(ScriptedPort(snapshot(keepers=keepers()), history=[done]), size=size) as operator:
        await operator.press("0")
        compare(operator, f"keepers-{size[0]}x{size[1]}")


async def test_the_page_of_a_desk_in_trouble() -> None:
    port = ScriptedPort(history=events(60))
    port.change_desk(
        3,
        quarantine="the venue reports a position of another size than the journal",
        warning="take-profit was missed by 0.4%",
        pnl_unknown="no price for 14 s",
        halted_by="ops",
    )
    async with watching(port, size=(80, 24)) as operator:
        compare(operator, "quarantined-80x24")
        await operator.press("j", "j", "j", "enter")
        compare(operator, "trouble-80x24")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(("name", "key"), [("log", "7"), ("funds", "8")])
async def test_log_and_funds(name: str, key: str, size: tuple[int, int]) -> None:
    port = ScriptedPort(snapshot(agent=agent(degen=name == "log")), history=events(60), dropped=1_204)
    async with watching(port, size=size) as operator:
        await operator.press(key)
        compare(operator, f"{name}-{size[0]}x{size[1]}")


@pytest.mark.parametrize(("name", "key"), [("reduce", "v"), ("quarantine", "u")])
async def test_dialogs_of_a_desk(name: str, key: str) -> None:
    async with watching(size=(80, 24)) as operator:
        await operator.press(key)
        compare(operator, f"{name}-80x24")


async def test_close_dialog() -> None:
    async with watching(size=(80, 24)) as operator:
        await operator.press("c")
        compare(operator, "close-80x24")
