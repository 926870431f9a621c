"""Which key does what: the registry's own keys, and what the operator's configuration puts in their place."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tui.actions import ACTIONS, BY_ID, Action
from tui.reasons import Place

_PRINTED = {
    "slash": "/",
    "question_mark": "?",
    "colon": ":",
    "comma": ",",
    "full_stop": ".",
    "minus": "-",
    "plus": "+",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "semicolon": ";",
    "apostrophe": "'",
    "equals_sign": "=",
    "underscore": "_",
    "exclamation_mark": "!",
    "at": "@",
    "number_sign": "#",
    "dollar_sign": "$",
    "percent_sign": "%",
    "ampersand": "&",
    "asterisk": "*",
    "tilde": "~",
    "backslash": "\\",
    "vertical_line": "|",
    "grave_accent": "`",
    "circumflex_accent": "^",
    "quotation_mark": '"',
}
_NAMED = {printed: key for key, printed in _PRINTED.items()}
_OTHERS = frozenset(
    (
        *("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete", "backspace"),
        *("enter", "escape", "tab", "space", *(f"f{number}" for number in range(1, 13))),
    )
)
_HELD = ("ctrl+", "shift+", "alt+")
_NEEDED = ("leave", "open", "halt_all")
"""Nobody may lock themselves in, or out of the brake."""
_FIXED = ("cancel", "back")


class KeymapError(ValueError):
    """What is wrong with a key map, naming the action and the key."""


def printed(key: str) -> str:
    """A key as it is printed on a keyboard."""
    return _PRINTED.get(key, key)


@dataclass(frozen=True)
class Keymap:
    """The keys of every action; those that are not named in `chosen` are the registry's."""

    chosen: Mapping[str, str] = field(default_factory=dict)

    def keys(self, action: Action) -> tuple[str, ...]:
        """As Textual names them; none where the operator took them away."""
        return tuple(key for key in self.chosen.get(action.id, action.keys).split(",") if key)

    def shown(self, action: Action) -> str:
        """Its keys as printed on a keyboard, without the second choices that hold ctrl."""
        keys = self.keys(action)
        return " ".join(printed(key) for key in keys if not key.startswith("ctrl+") or len(keys) == 1)

    def means(self, key: str, action_id: str) -> bool:
        """Whether this key is one of the action's."""
        return key in self.keys(BY_ID[action_id])

    @classmethod
    def of(cls, wanted: Mapping[str, str]) -> "Keymap":
        """From a configuration: action to keys, `halt = "f5"` or `"f5 h"`. Raises KeymapError."""
        chosen: dict[str, str] = {}
        for name, words in wanted.items():
            if name not in BY_ID:
                raise KeymapError(f"{name}: no such action; there are {', '.join(BY_ID)}")
            if name in _FIXED:
                raise KeymapError(f"{name}: escape gets out of everything, and stays where it is")
            if not words.split() and name in _NEEDED:
                raise KeymapError(f"{name}: needs a key")
            chosen[name] = ",".join(_key(name, word) for word in words.split())
        made = cls(chosen)
        made._check()
        return made

    def _check(self) -> None:
        """One key means one thing on one screen."""
        for place in Place:
            taken: dict[str, str] = {}
            for action in ACTIONS:
                for key in self.keys(action) if place in action.places else ():
                    if other := taken.get(key):
                        raise KeymapError(f"{action.id}: {printed(key)} is also the key of {other}")
                    taken[key] = action.id


def _key(name: str, word: str) -> str:
    """Textual's name of a key. Raises KeymapError."""
    held = next((held for held in _HELD if word.startswith(held) and word != held), "")
    rest = word.removeprefix(held)
    key = _NAMED.get(rest, rest)
    if key in _PRINTED or key in _OTHERS or (len(key) == 1 and key.isascii() and key.isalnum()):
        return held + key
    raise KeymapError(f"{name}: {word[:20]!a} is not a key; expected one like h, H, f5, ctrl+k, space, enter or /")
