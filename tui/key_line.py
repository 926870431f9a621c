"""The registry of actions as a screen shows and obeys it: bindings, the key line, the help page."""

from textual.binding import Binding, BindingType

from tui.actions import ACTIONS
from tui.bar import Piece, shorten
from tui.keymap import Keymap
from tui.reasons import Place, Sight
from tui.tones import Line, Tone

USUAL = Keymap()
"""The keys of an operator who has not chosen others."""


def bindings(place: Place) -> list[BindingType]:
    """The key bindings of a screen; the app puts the operator's own keys in their place, by id."""
    return [
        Binding(action.keys, f'operate("{action.id}")', action.help, show=False, id=action.id)
        for action in ACTIONS
        if place in action.places
    ]


def key_line(sight: Sight, width: int, keymap: Keymap = USUAL) -> Line:
    """What can be done now, and for what cannot: why."""
    pieces: list[Piece] = []
    for action in ACTIONS:
        if action.keep is None or sight.place not in action.places or sight.place not in action.on_line:
            continue
        keys = keymap.shown(action).split()
        if not keys:
            continue
        why = action.why_disabled(sight)
        if why is not None and sight.replaying:
            continue  # the past has one reason for everything, and it stands in the line above
        if why is None:
            pieces.append(Piece(action.keep, ((keys[0], Tone.STRONG), (f" {action.name(sight)}", Tone.TEXT))))
        else:
            pieces.append(Piece(action.keep - 60, ((f"{keys[0]} {action.name(sight)} ({why})", Tone.DIM),)))
    return ((" ", Tone.TEXT), *shorten(pieces, width - 2))


def help_lines(keymap: Keymap = USUAL) -> list[tuple[str, str, bool]]:
    """Keys, help and danger; actions with one help text share a line."""
    shared: dict[str, tuple[list[str], bool]] = {}
    for action in ACTIONS:
        keys, _ = shared.setdefault(action.help, ([], action.danger))
        keys += [key for key in keymap.shown(action).split() if key not in keys]
    return [(" ".join(keys), text, danger) for text, (keys, danger) in shared.items()]
