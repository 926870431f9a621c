"""Colours by meaning: one TOML file per theme, checked before a terminal ever sees it."""

import re
import tomllib
from dataclasses import dataclass, fields
from importlib.resources import files
from typing import cast

NAMES = ("night", "day", "high-contrast", "ansi", "mono")

_ANSI = "black|red|green|yellow|blue|magenta|cyan|white"
_COLOUR = re.compile(rf"#[0-9a-f]{{6}}|default|(?:bright_)?(?:{_ANSI})")
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
    except tomllib.TOMLDecodeError as error:
        raise ThemeError(f"theme {name}: {error}") from error
    head = {"dark": bool, "ansi": bool, "background": str, "tones": dict}
    _same_keys(name, "", set(data), set(head))
    for key, kind in head.items():
        if not isinstance(data[key], kind):
            raise ThemeError(f"theme {name}: {key} must be {kind.__name__}")
    tones = cast(dict[str, object], data["tones"])
    _same_keys(name, "tones.", set(tones), {field.name for field in fields(Tones)})
    for key, style in tones.items():
        if not isinstance(style, str) or not is_style(style):
            raise ThemeError(f"theme {name}: tones.{key} is not a style: {style!r}")
    if not _COLOUR.fullmatch(data["background"]):
        raise ThemeError(f"theme {name}: background is not a colour: {data['background']!r}")
    return Theme(name, data["dark"], data["ansi"], data["background"], Tones(**cast(dict[str, str], tones)))


def _same_keys(name: str, prefix: str, given: set[str], wanted: set[str]) -> None:
    for key in sorted(given ^ wanted):
        raise ThemeError(f"theme {name}: {'unknown' if key in given else 'missing'} key {prefix}{key}")


def load(name: str) -> Theme:
    """One of the themes shipped with the program."""
    if name not in NAMES:
        raise ThemeError(f"no theme {name!r}; there are {', '.join(NAMES)}")
    return parse(name, (files("themes") / f"{name}.toml").read_text(encoding="utf-8"))
