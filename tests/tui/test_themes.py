"""Themes are checked before a terminal sees them, and no meaning rests on colour alone."""

import os
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from time import monotonic, sleep

import pytest
from rich.style import Style

from tests.tui.operator import Operator, watching
from themes import NAMES, Shelf, ThemeError, is_style, load, parse, shelf
from tui.settings import UiSettings
from tui.theme_watch import ThemeWatch
from tui.tones import Palette, Tone
from tui.wire import DropDefaults

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
        ('text = "#ffffff"', "text = 1", "tones.text must be str"),
    ],
)
def test_a_broken_theme_names_the_key_that_is_wrong(old: str, new: str, message: str) -> None:
    with pytest.raises(ThemeError, match=message):
        parse("mine", GOOD.replace(old, new, 1))


HOSTILE = (
    "dark = " + "[" * 60_000,
    "dark = " + "{a=" * 20_000,
    "dark = " + "9" * 5_000,
    GOOD.replace('text = "#ffffff"', "text = 0x" + "f" * 5_000),
    GOOD.replace('text = "#ffffff"', 'text = "\u009b2J\u202e' + "x" * 60_000 + '"'),
    GOOD.replace('"#000000"', '"\\u001b[2J\\n' + "x" * 60_000 + '"'),
    GOOD + '"\\u001b]0;owned\\u0007\\n' + "x" * 60_000 + '" = 1',
    '"\\u001b]0;owned\\u0007\\n\\U0010FFFF" = 1\n' + GOOD,
    GOOD + "\x1b[2J",
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_stands_in_a_file_is_one_short_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(ThemeError) as told:
        parse("mine", text)
    assert len(str(told.value)) < 200
    assert str(told.value).isascii()
    assert str(told.value).isprintable()
    write(tmp_path, "mine", text)
    assert shelf(tmp_path).problems == {"mine": str(told.value)}


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


def write(folder: Path, name: str, text: str = GOOD) -> Path:
    """A theme of the operator; each time with another time of change, as a person's edits have."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.toml"
    was = path.stat().st_mtime_ns if path.exists() else 10**18
    path.write_text(text)
    os.utime(path, ns=(was + 10**9, was + 10**9))
    return path


def test_themes_of_the_operator_stand_beside_those_shipped(tmp_path: Path) -> None:
    write(tmp_path, "mine")
    write(tmp_path, "night")
    found = shelf(tmp_path)
    assert set(found.themes) == {*NAMES, "mine"}
    assert found.theme("mine").tones.gain == "bold cyan"
    assert found.theme("night") != load("night"), "the operator's goes first"
    assert found.theme("day") == load("day")
    assert not found.problems
    assert set(shelf(tmp_path / "nothing").themes) == set(NAMES)
    with pytest.raises(ThemeError, match="no theme 'none'; there are night"):
        found.theme("none")


def test_a_broken_theme_is_no_theme_and_says_why(tmp_path: Path) -> None:
    write(tmp_path, "mine", GOOD.replace('"yellow"', '"yelow"'))
    write(tmp_path, "night", "dark = ")
    write(tmp_path, "Bad Name")
    write(tmp_path, "large", "#" * 70_000)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    found = shelf(tmp_path)
    assert set(found.problems) == {"mine", "night", "Bad Name", "large", "bytes", "folder", "pipe"}
    assert all("\n" not in line and line.startswith("theme ") for line in found.problems.values())
    assert set(found.themes) == set(NAMES) - {"night"}
    with pytest.raises(ThemeError, match=r"tones\.warning is not a style"):
        found.theme("mine")
    with pytest.raises(ThemeError, match="theme night"):
        found.theme("night")


def style_of(operator: Operator, text: str) -> Style:
    """How a text is drawn, as the terminal is sent it."""
    for strip in operator.app.screen._compositor.render_strips():
        for segment in strip:
            if text in segment.text:
                assert segment.style is not None
                return segment.style
    raise AssertionError(f"no {text!r}")


def colours_of(operator: Operator) -> set[str]:
    """Every colour on the screen."""
    strips = operator.app.screen._compositor.render_strips()
    styles = [segment.style for strip in strips for segment in strip if segment.style]
    return {colour.name for style in styles for colour in (style.color, style.bgcolor) if colour is not None}


async def test_another_theme_repaints_everything_on_every_screen() -> None:
    async with watching() as operator:
        night = colours_of(operator)
        assert "#0f1318" in night
        await operator.press("5")
        await operator.press("?")
        operator.app.use_theme("day")
        await operator.frame()
        assert operator.app.theme_names == NAMES
        day = load("day")
        for leave in ("escape", "1", ""):
            assert not colours_of(operator) & (night - {"#ffffff"}), "a colour of the other theme is left"
            assert day.background in colours_of(operator)
            if leave:
                await operator.press(leave)
                await operator.frame()
        operator.app.use_theme("night")
        await operator.frame()
        assert colours_of(operator) <= night
        operator.app.use_theme("pink")
        await operator.frame()
        assert "no theme 'pink'" in operator.message


async def test_from_the_terminals_colours_to_others_and_back() -> None:
    async with watching(ui=UiSettings(theme="ansi")) as operator:
        ansi = colours_of(operator)
        assert not any(name.startswith("#") for name in ansi)
        operator.app.use_theme("night")
        await operator.frame()
        assert "#0f1318" in colours_of(operator)
        assert not any(isinstance(each, DropDefaults) for each in operator.app._filters)
        operator.app.use_theme("ansi")
        await operator.frame()
        assert colours_of(operator) == ansi
        assert sum(isinstance(each, DropDefaults) for each in operator.app._filters) == 1, "or it costs bytes"


async def test_a_screen_that_was_left_comes_back_in_what_is_worn_now(tmp_path: Path) -> None:
    write(tmp_path, "mine", GOOD.replace("#ffffff", "#fefefe"))
    write(tmp_path, "other", GOOD.replace("#ffffff", "#fdfdfd"))
    async with watching(ui=UiSettings(theme="mine", themes=tmp_path)) as operator:
        await operator.press("5")
        assert "#fefefe" in colours_of(operator)
        await operator.press("1")
        operator.app.use_theme("other")
        await operator.press("5")
        assert "#fdfdfd" in colours_of(operator)
        assert "#fefefe" not in colours_of(operator)


async def test_no_colour_stays_without_colour() -> None:
    async with watching(ui=UiSettings(theme="mono", colour=False)) as operator:
        assert colours_of(operator) == set()
        operator.app.use_theme("night")
        await operator.frame()
        assert "NO_COLOR" in operator.message
        assert colours_of(operator) == set()
        assert operator.app.theme_names == ("mono",)


async def test_a_theme_that_is_edited_is_worn_at_once(tmp_path: Path) -> None:
    write(tmp_path, "mine")
    async with watching(ui=UiSettings(theme="mine", themes=tmp_path)) as operator:
        watch = operator.app._wardrobe.watch
        assert style_of(operator, "+54.39").bold
        write(tmp_path, "mine", GOOD.replace("bold cyan", "#00ff01"))
        watch.look()
        await operator.frame()
        await operator.frame()
        assert style_of(operator, "+54.39").color == Style.parse("#00ff01").color
        assert operator.message == "theme mine: changed"

        write(tmp_path, "mine", GOOD.replace('"yellow"', '"yelow"'))
        write(tmp_path, "other", "dark = 1")
        watch.look()
        await operator.frame()
        assert "tones.warning is not a style: 'yelow'; theme other: " in operator.message, "all of them in one line"
        assert style_of(operator, "+54.39").color == Style.parse("#00ff01").color, "the old one stays"
        operator.app.use_theme("mine")
        await operator.frame()
        assert "yelow" in operator.message

        (tmp_path / "other.toml").unlink()
        write(tmp_path, "mine", GOOD.replace("bold cyan", "#00ff02"))
        watch.look()
        await operator.frame()
        await operator.frame()
        assert style_of(operator, "+54.39").color == Style.parse("#00ff02").color

        (tmp_path / "mine.toml").unlink()
        watch.look()
        await operator.frame()
        assert "is gone" in operator.message
        assert style_of(operator, "+54.39").color == Style.parse("#00ff02").color


async def test_a_broken_theme_that_nobody_wears_is_told_at_the_start_and_keeps_nobody_out(tmp_path: Path) -> None:
    write(tmp_path, "other", "dark = 1")
    async with watching(ui=UiSettings(themes=tmp_path)) as operator:
        await operator.frame()
        assert "theme other: " in operator.message
    with pytest.raises(ThemeError, match="theme other"):
        async with watching(ui=UiSettings(theme="other", themes=tmp_path)):
            pass


def test_a_folder_that_does_not_change_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "mine")
    watch = ThemeWatch(tmp_path)
    reads: list[Path | None] = []

    def counted(directory: Path | None) -> object:
        reads.append(directory)
        return shelf(directory)

    monkeypatch.setattr("tui.theme_watch.shelf", counted)
    watch.look()
    assert watch.take() is None
    assert reads == []
    write(tmp_path, "new")
    watch.look()
    found = watch.take()
    assert found is not None
    assert "new" in found.themes
    assert watch.take() is None, "told once"
    assert len(reads) == 1


def test_the_folder_is_watched_in_the_background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.theme_watch.LOOK_S", 0.01)
    watch = ThemeWatch(tmp_path)
    watch.start()
    try:
        write(tmp_path, "mine")
        assert "mine" in eventually(watch.take).themes
    finally:
        watch.stop()


def test_a_look_that_fails_is_told_once_and_the_next_one_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.theme_watch.LOOK_S", 0.01)
    watch = ThemeWatch(tmp_path)
    failed = threading.Semaphore(0)

    def broken(_: Path | None) -> list[Path]:
        failed.release()
        raise RuntimeError("no such thing was foreseen")

    try:
        with monkeypatch.context() as patch:
            patch.setattr("tui.theme_watch.theme_files", broken)
            watch.start()
            told = eventually(watch.take)
            assert list(told.problems.values()) == ["themes: cannot be read again: RuntimeError"]
            assert set(told.themes) == set(NAMES), "what there was is still there"
            for _ in range(5):
                assert failed.acquire(timeout=10)
            assert watch.take() is None, "told once"
        write(tmp_path, "mine")
        assert "mine" in eventually(watch.take).themes
    finally:
        watch.stop()


def eventually(look: Callable[[], Shelf | None]) -> Shelf:
    """What is found, sooner or later."""
    end = monotonic() + 10
    while (found := look()) is None:
        assert monotonic() < end
        sleep(0.01)
    return found
