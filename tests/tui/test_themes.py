"""Themes are checked before a terminal sees them, and no meaning rests on colour alone."""

from dataclasses import asdict

import pytest

from tests.tui.operator import watching
from themes import NAMES, ThemeError, is_style, load, parse
from tui.settings import UiSettings
from tui.tones import Palette, Tone

GOOD = """
dark = true
ansi = false
background = "#000000"
[tones]
text = "#ffffff"
dim = "dim"
gain = "bold cyan"
loss = "#ff0000"
warning = "yellow"
selected = "on #222222"
live = "bold #ffffff on #ff00ff"
"""


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_themes_load(name: str) -> None:
    theme = load(name)
    assert theme.name == name
    assert set(Palette(theme).styles) == set(Tone)


@pytest.mark.parametrize("name", NAMES)
def test_live_has_a_background_nothing_else_uses(name: str) -> None:
    tones = asdict(load(name).tones)
    live = tones.pop("live")
    assert live not in tones.values()
    if name != "mono":
        background = live.partition("on ")[2]
        assert background
        assert not any(background in style for style in tones.values())


def test_mono_has_no_colour_at_all() -> None:
    for style in Palette(load("mono")).styles.values():
        assert style.color is None or style.color.is_default
        assert style.bgcolor is None or style.bgcolor.is_default


def test_ansi_uses_the_sixteen_colours_of_the_terminal() -> None:
    for style in Palette(load("ansi")).styles.values():
        assert style.color is None or style.color.is_default or (style.color.number or 0) < 16


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"yellow"', '"yelow"', "tones.warning is not a style: 'yelow'"),
        ('warning = "yellow"', "", "missing key tones.warning"),
        ("dark = true", "dark = 1", "dark must be bool"),
        ("dark = true", "dark = true\nborder = 1", "unknown key border"),
        ('"#000000"', '"black hole"', "background is not a colour"),
        ('text = "#ffffff"', 'text = "#ffffff', "theme mine:"),
    ],
)
def test_a_broken_theme_names_the_key_that_is_wrong(old: str, new: str, message: str) -> None:
    with pytest.raises(ThemeError, match=message):
        parse("mine", GOOD.replace(old, new, 1))


def test_a_theme_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(ThemeError, match="night, day"):
        load("../night")


@pytest.mark.parametrize("style", ["bold", "", "bold dim #ffffff", "on #000000", "reverse", "bright_black"])
def test_styles(style: str) -> None:
    assert is_style(style)


@pytest.mark.parametrize("style", ["blink", "#fff", "red green", "on", "red on", "on red blue", "link http://x"])
def test_not_styles(style: str) -> None:
    assert not is_style(style)


@pytest.mark.parametrize("name", NAMES)
async def test_every_theme_shows_the_same_text(name: str) -> None:
    async with watching(ui=UiSettings(theme=name)) as operator:
        assert "+54.39" in operator.line("DEGEN·")
        assert "HALTED by ops" in operator.line("CAT·")
        assert "!1.6%" in operator.line("TOSHI·")
