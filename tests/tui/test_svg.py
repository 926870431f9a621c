"""The overview as it looks, colours and all, compared with the files in `svg/`; PERPDESK_WRITE_SCREENS=1 draws them.

At three sizes in three themes: one of its own colours, one of the terminal's sixteen, one without any.
"""

import os
import re
from pathlib import Path

import pytest

from tests.tui.operator import watching
from tui.settings import UiSettings

FOLDER = Path(__file__).parent / "svg"
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_BUTTONS = {"#ff5f57", "#febc2e", "#28c840"}
"""Of the window that the exporter draws around every screen."""
_UNIQUE = re.compile(r"terminal-\d+")
"""Textual derives it from the content and the time."""


@pytest.mark.parametrize("theme", ["night", "ansi", "mono"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_overview_looks_as_it_did(size: tuple[int, int], theme: str) -> None:
    async with watching(size=size, ui=UiSettings(theme=theme, colour=theme != "mono")) as operator:
        drawn = operator.app.export_screenshot(title="perpdesk")
    drawn = _UNIQUE.sub("terminal", _FONTS.sub("", drawn))
    path = FOLDER / f"overview-{size[0]}x{size[1]}-{theme}.svg"
    if os.environ.get("PERPDESK_WRITE_SCREENS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(drawn, encoding="utf-8")
    assert drawn == path.read_text(encoding="utf-8"), f"{path.name} looks different: draw it anew and look at it"


def test_without_colour_nothing_is_coloured() -> None:
    for path in FOLDER.glob("*-mono.svg"):
        colours = set(re.findall(r"#[0-9a-f]{6}", path.read_text(encoding="utf-8"))) - _BUTTONS
        assert colours
        assert all(_grey(colour) for colour in colours), (path.name, colours)


def _grey(colour: str) -> bool:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return max(red, green, blue) - min(red, green, blue) < 16
