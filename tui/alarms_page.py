"""All alarms, spelled out: the message line has room for the first only. One that is known is acknowledged here."""

from engine.commands import alarm_key
from tui import format as fmt
from tui.actions import BY_ID
from tui.dialogs import Scroll
from tui.session import Session
from tui.tones import Line, Tone

_MOST = 6
"""Lines of one alarm."""


class AlarmsPage(Scroll):
    """What a person should know now, the most urgent first; below it what somebody knows already."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._at = 0
        self._chosen = ""

    def heading(self) -> tuple[str, str]:
        """How many ask for somebody."""
        number = len(self._alarms)
        if not number:
            return "Alarms", "esc closes this page"
        key = self.session.keymap.shown(BY_ID["acknowledge"]) or "nothing"
        return f"Alarms {number}", f"{key} acknowledges, esc closes this page"

    @property
    def _alarms(self) -> tuple[str, ...]:
        return self.session.frame.snapshot.status.alarms

    def entries(self) -> list[Line]:
        """Every alarm wrapped, the one of the cursor in view."""
        self._follow()
        lines: list[Line] = []
        for number, alarm in enumerate(self._alarms):
            first = len(lines)
            for part, text in enumerate(fmt.wrap(alarm, self.width - 10, _MOST)):
                mark = ("> " if number == self._at else "  ") if part == 0 else "  "
                lines.append(((mark, Tone.TEXT), ("  " if part else "! ", Tone.LOSS), (text, Tone.TEXT)))
            if number == self._at:
                self._top = min(max(self._top, len(lines) - self.room), first)
        known = self.session.frame.snapshot.status.acknowledged
        for alarm in known:
            for part, text in enumerate(fmt.wrap(alarm, self.width - 10, _MOST)):
                lines.append((("    " if part else "  ✓ ", Tone.DIM), (text, Tone.DIM)))
        return lines or [(("Nothing needs you now.", Tone.TEXT),)]

    def _follow(self) -> None:
        """The cursor stays on its alarm while others come and go."""
        keys = [alarm_key(alarm) for alarm in self._alarms]
        if self._chosen in keys:
            self._at = keys.index(self._chosen)
        self._at = max(0, min(self._at, len(keys) - 1))
        self._chosen = keys[self._at] if keys else ""

    def pressed(self, key: str) -> None:
        """Moves, acknowledges, or goes back."""
        keymap = self.session.keymap
        known = keymap.means(key, "acknowledge")
        if keymap.means(key, "alarms") or (known and not self._alarms):
            self.dismiss()
            return
        if known:
            self._acknowledge()
        if step := self.step(key):
            self._at = max(0, min(self._at + step, len(self._alarms) - 1))
            self._chosen = alarm_key(self._alarms[self._at]) if self._alarms else ""
        self.draw_frame(fresh=False)

    def _acknowledge(self) -> None:
        """The one under the cursor; if it has just ended, none."""
        chosen = next((alarm for alarm in self._alarms if alarm_key(alarm) == self._chosen), None)
        if chosen is not None:
            self.session.acknowledge(chosen)
