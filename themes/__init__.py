"""Colours by meaning: one TOML file per theme, checked before a terminal ever sees it.

Operators may have themes of their own beside their configuration; one with the name of a shipped theme goes before it.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import cast

NAMES = ("night", "day", "high-contrast", "ansi", "mono")

_ANSI = "black|red|green|yellow|blue|magenta|cyan|white"
_COLOUR = re.compile(rf"#[0-9a-f]{{6}}|default|(?:bright_)?(?:{_ANSI})")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_MOST_BYTES = 64 * 1024
"""Of one file; a theme has some hundred."""
_MOST_FILES = 200
_MOST_SHOWN = 40
"""Characters of what stands in a file, where it is said what is wrong with it."""
_ATTRIBUTES = frozenset({"bold", "dim", "reverse", "underline"})


class ThemeError(ValueError):
    """A theme file that cannot be used, and why."""


@dataclass(frozen=True, slots=True)
class Tones:
    """What a colour may mean; nothing on the screen is coloured for any other reason.

    Each is a style such as `bold #ff8866 on #101010`: attributes, a colour, a background.
    """

    text: str
    dim: str
    gain: str
    loss: str
    warning: str
    selected: str
    live: str


@dataclass(frozen=True, slots=True)
class Theme:
    """One validated theme."""

    name: str
    dark: bool
    ansi: bool
    """Colours are the terminal's own sixteen, and its own background stays."""
    background: str
    tones: Tones


def is_style(text: str) -> bool:
    """True for attributes, then at most one colour, then at most one `on` colour."""
    front, on, back = text.partition("on ")
    words = [word for word in front.split() if word not in _ATTRIBUTES]
    return (
        len(words) <= 1
        and all(_COLOUR.fullmatch(word) for word in words)
        and (not on or _COLOUR.fullmatch(back.strip()) is not None)
    )


def parse(name: str, text: str) -> Theme:
    """Reads a theme file; raises `ThemeError` naming the theme and the key that is wrong."""
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Brackets without end, or a number of more digits than Python reads, are no TOMLDecodeError.
        raise ThemeError(f"theme {name}: not valid TOML: {_shown(str(error), 120)}") from error
    head = {"dark": bool, "ansi": bool, "background": str, "tones": dict}
    _same_keys(name, "", set(data), set(head))
    for key, kind in head.items():
        if not isinstance(data[key], kind):
            raise ThemeError(f"theme {name}: {key} must be {kind.__name__}")
    tones = cast(dict[str, object], data["tones"])
    _same_keys(name, "tones.", set(tones), {field.name for field in fields(Tones)})
    for key, style in tones.items():
        if not isinstance(style, str):
            raise ThemeError(f"theme {name}: tones.{key} must be str")
        if not is_style(style):
            raise ThemeError(f"theme {name}: tones.{key} is not a style: '{_shown(style)}'")
    if not _COLOUR.fullmatch(data["background"]):
        raise ThemeError(f"theme {name}: background is not a colour: '{_shown(data['background'])}'")
    return Theme(name, data["dark"], data["ansi"], data["background"], Tones(**cast(dict[str, str], tones)))


def _same_keys(name: str, prefix: str, given: set[str], wanted: set[str]) -> None:
    for key in sorted(given ^ wanted):
        raise ThemeError(f"theme {name}: {'unknown' if key in given else 'missing'} key {prefix}{_shown(key)}")


def _shown(text: str, most: int = _MOST_SHOWN) -> str:
    """In ASCII and not too long: it stood in a file, and goes to a terminal."""
    return ascii(text[:most])[1:-1]


def load(name: str) -> Theme:
    """One of the themes shipped with the program."""
    if name not in NAMES:
        raise ThemeError(f"no theme {name!r}; there are {', '.join(NAMES)}")
    return parse(name, (files("themes") / f"{name}.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Shelf:
    """The themes there are, and why some files are none."""

    themes: Mapping[str, Theme]
    problems: Mapping[str, str]
    """One line each, by the name that the theme would have."""

    def theme(self, name: str) -> Theme:
        """The theme of this name; raises `ThemeError` with one line if there is none that can be used."""
        if name in self.problems:
            raise ThemeError(self.problems[name])
        if name not in self.themes:
            raise ThemeError(f"no theme {name!r}; there are {', '.join(self.themes)}")
        return self.themes[name]


def shelf(directory: Path | None = None) -> Shelf:
    """The shipped themes and those in the files `NAME.toml` of `directory`, which need not be there. Blocks."""
    themes = {name: load(name) for name in NAMES}
    problems: dict[str, str] = {}
    for path in theme_files(directory):
        try:
            themes[path.stem] = _user_theme(path)
        except ThemeError as error:
            # Not the shipped one of that name either: the operator has said that it is not what they want.
            themes.pop(path.stem, None)
            problems[path.stem] = str(error)
    return Shelf(MappingProxyType(themes), MappingProxyType(problems))


def theme_files(directory: Path | None) -> list[Path]:
    """The files that `shelf` reads, by name."""
    try:
        return [] if directory is None else sorted(directory.glob("*.toml"))[:_MOST_FILES]
    except OSError:
        return []


def _user_theme(path: Path) -> Theme:
    if not _NAME.fullmatch(path.stem):
        raise ThemeError(f"theme '{_shown(path.stem)}': a name is small letters, digits, - and _")
    try:
        if not path.is_file():
            raise ThemeError(f"theme {path.stem}: {path} is no file")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ThemeError(f"theme {path.stem}: {path}: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise ThemeError(f"theme {path.stem}: {path} is larger than {_MOST_BYTES:,} bytes")
    try:
        return parse(path.stem, content.decode())
    except UnicodeDecodeError as error:
        raise ThemeError(f"theme {path.stem}: {path} is not UTF-8") from error
