"""The overview as text, compared with the files in `screens/`; PERPDESK_WRITE_SCREENS=1 writes them anew."""

import os
from pathlib import Path

import pytest

from tests.tui.operator import Operator, watching

FOLDER = Path(__file__).parent / "screens"


def compare(operator: Operator, name: str) -> None:
    path = FOLDER / f"{name}.txt"
    text = "\n".join(operator.lines()) + "\n"
    if os.environ.get("PERPDESK_WRITE_SCREENS"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_overview(size: tuple[int, int]) -> None:
    async with watching(size=size) as operator:
        compare(operator, f"overview-{size[0]}x{size[1]}")


async def test_desk_page() -> None:
    async with watching(size=(120, 40)) as operator:
        await operator.press("enter")
        compare(operator, "desk-120x40")


async def test_close_dialog() -> None:
    async with watching(size=(80, 24)) as operator:
        await operator.press("c")
        compare(operator, "close-80x24")
