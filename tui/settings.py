"""What an operator may choose about the screen; the engine never hears of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from tui.keymap import Keymap

if TYPE_CHECKING:
    # Textual reads its environment when it is imported, and this is what is settled before.
    from tui.memory import Profile

LOCAL_FPS = 4
SSH_FPS = 2
LOW_FPS = 1
MIN_WIDTH, MIN_HEIGHT = 80, 24
"""Below this no figure can be shown that may be trusted."""


@dataclass(frozen=True, slots=True)
class UiSettings:
    """How the screen looks and how often it is drawn."""

    theme: str = "night"
    fps: int = LOCAL_FPS
    mouse: bool = True
    colour: bool = True
    """False: not one colour code is sent, whatever the theme says."""
    arm_seconds: float = 5.0
    """How long `halt all` stays armed."""
    quit_seconds: float = 3.0
    """How long the first `quit` waits for the second."""
    close_seconds: float = 3.0
    """How long a confirmed close can still be cancelled."""
    receipt_seconds: float = 5.0
    """How long a command may go unanswered before the operator is told that its outcome is unknown."""
    themes: Path | None = None
    """Where the operator's own themes are."""
    bell: bool = False
    """Ring when an alarm appears."""
    desktop: bool = False
    """Send it to the desktop as well, where the terminal can (OSC 9)."""
    tmux: bool = False
    """Whether tmux is between here and the terminal."""
    keymap: Keymap = field(default_factory=Keymap)
    exports: Path = field(default_factory=lambda: platformdirs.user_state_path("perpdesk") / "exports")
    """Where `e` writes files."""
    browser: bool = False
    """A tab of a browser is painted, which is on another machine than the files that are written."""
    profile: "Profile" = "local"
    """The kind of terminal, under which the screen remembers what it looked like."""

    @classmethod
    def for_terminal(
        cls,
        environ: Mapping[str, str],
        *,
        theme: str | None = None,
        fps: int | None = None,
        mouse: bool | None = None,
        low_bandwidth: bool = False,
        themes: Path | None = None,
        bell: bool = False,
        desktop: bool = False,
        keymap: Keymap | None = None,
    ) -> "UiSettings":
        """Defaults that suit the terminal at hand; what is given explicitly wins, except over NO_COLOR.

        `low_bandwidth`: one frame a second in the terminal's own colours, and no mouse.
        """
        if low_bandwidth:
            theme, fps, mouse = theme or "ansi", fps if fps is not None else LOW_FPS, bool(mouse)
        ssh = bool(environ.get("SSH_CONNECTION"))
        colour = not environ.get("NO_COLOR")
        return cls(
            theme=(theme or _default_theme(environ)) if colour else "mono",
            fps=max(1, fps if fps is not None else SSH_FPS if ssh else LOCAL_FPS),
            mouse=mouse if mouse is not None else not ssh,
            colour=colour,
            themes=themes,
            bell=bell,
            desktop=desktop,
            tmux=bool(environ.get("TMUX")),
            profile="low" if low_bandwidth else "ssh" if ssh else "local",
            keymap=keymap or Keymap(),
        )


def _default_theme(environ: Mapping[str, str]) -> str:
    rich_terminal = "COLORTERM" in environ or "256color" in environ.get("TERM", "")
    return "night" if rich_terminal else "ansi"
