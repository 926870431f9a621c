"""All alarms, spelled out: the message line has room for the first only."""

from tui import format as fmt
from tui.dialogs import Panel
from tui.session import Session
from tui.tones import Line, Tone

_MOST = 6
"""Lines of one alarm."""
_AROUND = 4
"""Rows of the terminal that are no alarm: the frame, the heading and the foot."""
_STEPS = {"down": 1, "j": 1, "up": -1, "k": -1}
_PAGES = {"pagedown": 1, "pageup": -1}


class AlarmsPage(Panel):
    """What a person should know now, the most urgent first."""

    width = 78

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._top = 0

    def content(self) -> list[Line]:
        """A heading, as many lines as have room, and where one is among them."""
        alarms, lines = self.session.frame.snapshot.status.alarms, self._all()
        room = self._room()
        self._top = max(0, min(self._top, len(lines) - room))
        shown = lines[self._top : self._top + room]
        heading: Line = (
            (fmt.fit(f"Alarms {len(alarms)}" if alarms else "Alarms", 17), Tone.STRONG),
            ("esc closes this page", Tone.DIM),
        )
        below = len(lines) - self._top - len(shown)
        more = f"{self._top} lines above, {below} below: j k" if len(lines) > room else ""
        return [heading, *shown, ((more, Tone.DIM),)]

    def draw_frame(self, fresh: bool) -> None:
        """Alarms come and go: so does their room."""
        lines = self.content()
        self._panel.styles.height = len(lines) + 2
        self._panel.draw(lines)

    def pressed(self, key: str) -> None:
        """Scrolls, or goes back."""
        if key in _STEPS:
            self._top += _STEPS[key]
        elif key in _PAGES:
            self._top += _PAGES[key] * self._room()
        elif key in ("a", "enter"):
            self.dismiss()
            return
        self.draw_frame(fresh=False)

    def _room(self) -> int:
        return max(1, self.app.size.height - _AROUND)

    def _all(self) -> list[Line]:
        lines: list[Line] = []
        for alarm in self.session.frame.snapshot.status.alarms:
            for number, part in enumerate(fmt.wrap(alarm, self.width - 8, _MOST)):
                lines.append((("  " if number else "! ", Tone.LOSS), (part, Tone.TEXT)))
        return lines or [(("Nothing needs you now.", Tone.TEXT),)]
