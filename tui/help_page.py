"""All keys, from the registry of actions, as far as there is room; the rest by scrolling."""

from itertools import zip_longest

from tui import format as fmt
from tui.dialogs import Scroll
from tui.key_line import help_lines
from tui.tones import Line, Tone

_KEYS = 15


class HelpPage(Scroll):
    """One line per thing an operator can do."""

    width = 80

    def heading(self) -> tuple[str, str]:
        """Keys."""
        return "Keys", "j k scroll, any other key closes this page"

    def entries(self) -> list[Line]:
        """Keys right of their meaning; what is dangerous looks it."""
        lines: list[Line] = []
        for keys, text, danger in help_lines(self.session.keymap):
            tone = Tone.WARN if danger else Tone.TEXT
            parts, words = fmt.wrap(keys, _KEYS, 3), fmt.wrap(text, self.width - _KEYS - 6, 3)
            for part, word in zip_longest(parts, words, fillvalue=""):
                lines.append(((fmt.fit(part, _KEYS, right=True) + "  ", Tone.STRONG), (word, tone)))
        return lines

    def pressed(self, key: str) -> None:
        """Scrolls; any other key closes it, and does nothing else."""
        if self.step(key):
            super().pressed(key)
        else:
            self.dismiss()
