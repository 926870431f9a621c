"""The `[ui]` table of the configuration, and what the command line says instead of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

import themes
from engine.config import CONFIG_FILE, ConfigError, Settings, explain
from tui.keymap import Keymap, KeymapError

if TYPE_CHECKING:
    from tui.settings import UiSettings


class UiTable(BaseModel):
    """What a configuration may say about the screen."""

    model_config = ConfigDict(extra="forbid", strict=True)

    theme: str | None = None
    fps: int | None = Field(default=None, ge=1, le=30)
    mouse: bool | None = None
    low_bandwidth: bool = False
    bell: bool = True
    """Ring when an alarm appears."""
    desktop: bool = False
    """Notify the desktop of it as well."""
    keys: dict[str, str] = Field(default_factory=dict)

    _themes: Path | None = PrivateAttr(None)
    """Where the operator's own themes are."""

    def for_terminal(self, environ: Mapping[str, str]) -> "UiSettings":
        """What becomes of it at this terminal. Raises ConfigError for a theme that cannot be worn."""
        from tui.settings import UiSettings

        settings = UiSettings.for_terminal(
            environ,
            theme=self.theme,
            fps=self.fps,
            mouse=self.mouse,
            low_bandwidth=self.low_bandwidth,
            themes=self._themes,
            bell=self.bell,
            desktop=self.desktop,
            keymap=Keymap.of(self.keys),
        )
        _check_theme(settings.theme, self._themes)
        return settings


def ui_table(
    settings: Settings, theme: str | None, fps: int | None, low_bandwidth: bool, config: Path | None = None
) -> UiTable:
    """The table with what was asked for besides it; `config` is the file beside which the themes are, the user's own
    by default. Raises ConfigError."""
    try:
        table = UiTable.model_validate(settings.ui)
        Keymap.of(table.keys)
    except ValidationError as error:
        raise ConfigError(f"[ui] {explain(error, UiTable)}") from error
    except KeymapError as error:
        raise ConfigError(f"[ui.keys] {error}") from error
    chosen = theme or table.theme
    own = (config or CONFIG_FILE).parent / "themes"
    if chosen is not None:
        _check_theme(chosen, own)
    low = low_bandwidth or table.low_bandwidth
    made = table.model_copy(update={"theme": chosen, "fps": fps or table.fps, "low_bandwidth": low})
    made._themes = own
    return made


def _check_theme(name: str, own: Path | None) -> None:
    found = themes.shelf(own)
    if name in found.problems:
        raise ConfigError(found.problems[name])
    if name not in found.themes:
        raise ConfigError(f"theme: {name!r} is unknown; expected one of {', '.join(found.themes)}")
