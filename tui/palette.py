"""Everything an operator can go to or do, found by a few letters of its name."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from textual.fuzzy import Matcher
from textual.screen import Screen

from tui import format as fmt
from tui.actions import ACTIONS
from tui.key_line import USUAL
from tui.keymap import Keymap
from tui.reasons import Sight, replaying
from tui.session import Session
from tui.tones import Line, Tone
from tui.typed_dialog import TypedDialog

_SHOWN = 12
_NO_USE = ("palette", "cancel", "back", "row_down", "row_up")
"""Of the registry, what makes no sense from here."""


@dataclass(frozen=True)
class Hit:
    """One thing that can be chosen."""

    title: str
    what: str
    """Its kind or its key."""
    run: Callable[[], None]
    why_not: str | None = None


Places = Callable[[], Iterable[Hit]]


def actions(sight: Sight, screen: Screen[Any], keymap: Keymap = USUAL) -> Iterator[Hit]:
    """The actions of the screen the operator comes from, also those that cannot be done now, with the reason."""
    for action in ACTIONS:
        why = action.why_disabled(sight)
        if action.id in _NO_USE or sight.place not in action.places or (why and action.why_disabled is replaying):
            continue

        def run(id_: str = action.id, title: str = action.name(sight)) -> None:
            screen.call_later(screen.run_action, f'operate_as("{id_}", "{title}")')

        yield Hit(action.name(sight), keymap.shown(action), run, why)


def found(query: str, hits: list[Hit]) -> list[Hit]:
    """The hits that have the letters in their order, the best first; all of them while nothing is typed."""
    if not query:
        return hits
    matcher = Matcher(query)
    scored = [(matcher.match(hit.title), number) for number, hit in enumerate(hits)]
    return [hits[number] for score, number in sorted(scored, key=lambda each: (-each[0], each[1])) if score > 0]


class FindDialog(TypedDialog):
    """A line to type in, and what it finds; actions that cannot be done say why."""

    width = 70

    def __init__(self, session: Session, sight: Sight, screen: Screen[Any], go_to: Places) -> None:
        super().__init__(session)
        self._hits = [*actions(sight, screen, session.keymap), *go_to()]
        self._line = 0

    def _found(self) -> list[Hit]:
        return found(self.text.strip(), self._hits)

    def changed(self) -> None:
        """The best hit is chosen."""
        self._line = 0

    def content(self) -> list[Line]:
        """The line, and a window of hits around the chosen one."""
        hits = self._found()
        self._line = max(0, min(self._line, len(hits) - 1))
        top = max(0, min(self._line - _SHOWN // 2, len(hits) - _SHOWN))
        lines = [self._hit(hit, number == self._line) for number, hit in enumerate(hits[top : top + _SHOWN], top)]
        if not hits:
            lines = [(("  nothing is called that", Tone.DIM),)]
        lines += [()] * (_SHOWN - len(lines))
        return [self.entry("find"), (), *lines, (), (("up and down choose, enter does it, esc leaves", Tone.DIM),)]

    def _hit(self, hit: Hit, chosen: bool) -> Line:
        mark = "> " if chosen else "  "
        title = fmt.fit(hit.title, 34)
        if hit.why_not is not None:
            return ((mark, Tone.TEXT), (title, Tone.DIM), (fmt.fit(f" {hit.why_not}", self.width - 42), Tone.DIM))
        return ((mark, Tone.TEXT), (title, Tone.BADGE if chosen else Tone.TEXT), (f" {hit.what}", Tone.DIM))

    def pressed(self, key: str) -> None:
        """Moves, or does what is chosen."""
        step = {"down": 1, "tab": 1, "up": -1, "shift+tab": -1}.get(key)
        if step is not None:
            self._line += step
            self.draw_frame(fresh=False)
        else:
            super().pressed(key)

    def answered(self) -> None:
        """Does it, or says why it cannot be done."""
        hits = self._found()
        if not hits:
            return
        hit = hits[self._line]
        self.dismiss()
        if hit.why_not is not None:
            self.session.say(f"{hit.title}: {hit.why_not}", Tone.WARN)
        else:
            hit.run()
