"""What is settled with the terminal before Textual is imported."""

import subprocess
import sys

import pytest

from tui.settings import UiSettings
from tui.terminal import prepare, why_not


class Tty:
    """A stream that is a terminal, or not."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer

    def isatty(self) -> bool:
        return self.answer


@pytest.mark.parametrize(
    ("stdin", "stdout", "environ", "words"),
    [
        (True, True, {"TERM": "xterm-256color"}, None),
        (False, True, {"TERM": "xterm"}, "stdin is not a terminal"),
        (True, False, {"TERM": "xterm"}, "stdout is not a terminal"),
        (True, True, {"TERM": "dumb"}, "TERM='dumb'"),
        (True, True, {}, "TERM=''"),
    ],
)
def test_why_not(stdin: bool, stdout: bool, environ: dict[str, str], words: str | None) -> None:
    why = why_not(Tty(stdin), Tty(stdout), environ)
    if words is None:
        assert why is None
    else:
        assert why is not None
        assert words in why
        assert "--headless" in why
        assert "\n" not in why


def test_inherited_textual_variables_can_do_nothing() -> None:
    environ = {
        "TEXTUAL_PRESS": "H,H",
        "TEXTUAL_DRIVER": "evil:Driver",
        "TEXTUAL_SCREENSHOT": "1",
        "TEXTUAL_SCREENSHOT_LOCATION": "/",
        "TEXTUAL_LOG": "/tmp/x",  # noqa: S108
        "TEXTUAL_COLOR_SYSTEM": "256",
        "TEXTUAL": "debug,devtools",
        "HOME": "/root",
    }
    prepare(environ)
    assert environ == {"TEXTUAL_COLOR_SYSTEM": "256", "TEXTUAL_ANIMATIONS": "none", "HOME": "/root"}


def test_ssh_gets_fewer_frames_no_mouse_and_fewer_colours() -> None:
    environ = {"SSH_CONNECTION": "1 2 3 4", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    ui = UiSettings.for_terminal(environ)
    assert (ui.fps, ui.mouse, ui.theme) == (2, False, "night")
    prepare(environ)
    assert environ["TEXTUAL_COLOR_SYSTEM"] == "256"
    assert UiSettings.for_terminal(environ, fps=4, mouse=True, theme="day") == UiSettings(theme="day", profile="ssh")


def test_a_sixteen_colour_terminal_keeps_its_own_colours() -> None:
    assert UiSettings.for_terminal({"TERM": "linux"}).theme == "ansi"
    low = UiSettings.for_terminal({"TERM": "xterm-256color"}, low_bandwidth=True)
    assert (low.theme, low.fps, low.mouse) == ("ansi", 1, False)
    assert UiSettings.for_terminal({}, low_bandwidth=True, theme="day", fps=2, mouse=True).fps == 2
    assert UiSettings.for_terminal({"TERM": "xterm-256color"}) == UiSettings()


def test_no_color_wins_over_a_chosen_theme_unless_it_is_empty() -> None:
    ui = UiSettings.for_terminal({"NO_COLOR": "1", "TERM": "xterm-256color"}, theme="night")
    assert (ui.theme, ui.colour) == ("mono", False)
    environ = {"NO_COLOR": "", "TERM": "xterm-256color"}
    assert UiSettings.for_terminal(environ).colour
    prepare(environ)
    assert "NO_COLOR" not in environ


def test_nothing_here_imports_textual() -> None:
    code = "import sys, tui.terminal, tui.settings; sys.exit('textual' in sys.modules or 'rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
