"""A configuration file as a newcomer wants it, made of the settings themselves: what is documented is what is read."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from textwrap import wrap
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from engine.config import Settings

_HEAD = """\
# perpdesk reads this file, and after it the environment (PERPDESK_RISK__LEVERAGE goes before risk.leverage here).
# A setting after # without a space is commented out and shows its default; one without a value is not set.
# Keys and passwords do not belong here.
"""
_FOREIGN = ("ui",)
"""Belongs to the terminal."""
_UI = {
    "theme": ('"night"', "night, day, high-contrast, ansi or mono"),
    "fps": ("4", "frames a second; 2 over SSH"),
    "mouse": ("true", "off over SSH"),
    "bell": ("true", "ring when an alarm appears"),
    "desktop": ("false", "notify the desktop of it as well (OSC 9)"),
    "low_bandwidth": ("false", "one frame a second in the terminal's own colours, without the mouse"),
}


def sample() -> str:
    """The whole file, every setting commented out."""
    top = [*_lines(Settings)]
    sections = [line for name, field in Settings.model_fields.items() for line in _section(name, field)]
    ui = ["", "[ui]", *(line for key, (value, words) in _UI.items() for line in (f"# {words}", f"#{key} = {value}"))]
    ui += ["", "[ui.keys]", "# keys of your own in place of those on the help page, by action", '#halt = "f5 h"']
    return "\n".join([_HEAD, *top, *sections, *ui, ""])


def shown(settings: Settings) -> dict[str, Any]:
    """What is in force, as plain values; secrets only say whether they are set."""
    return {name: _plain(getattr(settings, name)) for name in Settings.model_fields}


def written(settings: Settings) -> str:
    """The same as TOML."""
    plain = shown(settings)
    lines = [f"{name} = {_toml(value)}" for name, value in plain.items() if not isinstance(value, dict)]
    for name, value in plain.items():
        if isinstance(value, dict):
            lines += ["", f"[{name}]", *(f"{key} = {_toml(each)}" for key, each in value.items() if each is not None)]
    return "\n".join(lines)


def _section(name: str, field: FieldInfo) -> Iterator[str]:
    kind = field.annotation
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return
    yield ""
    for words in (kind.__doc__ or "").strip().splitlines():
        yield f"# {words.strip()}"
    yield f"[{name}]"
    yield from _lines(kind)


def _lines(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if name in _FOREIGN or (isinstance(kind, type) and issubclass(kind, BaseModel)) or "SecretStr" in repr(kind):
            continue
        yield from wrap(" ".join((field.description or "").split()), 100, initial_indent="# ", subsequent_indent="# ")
        default = field.get_default(call_default_factory=True)
        yield f"#{name} = {'' if default is None else _toml(_plain(default))}".rstrip()


def _plain(value: Any) -> Any:  # noqa: ANN401 - any setting
    match value:
        case BaseModel():
            return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
        case SecretStr():
            return "(set)"
        case Decimal():
            return int(value) if value == value.to_integral() and abs(value) < 10**15 else float(value)
        case Path():
            return str(value)
        case tuple() | list():
            return [_plain(each) for each in value]
        case dict():
            return {str(key): _plain(each) for key, each in value.items()}
    return value


def _toml(value: Any) -> str:  # noqa: ANN401
    match value:
        case None:
            return '""'
        case dict():
            return (
                "{ " + ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items()) + " }"
                if value
                else "{}"
            )
        case list():
            return "[" + ", ".join(_toml(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)
