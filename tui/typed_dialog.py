"""Questions that are answered by typing: words left on a desk, and a word that says a dangerous thing is meant."""

from textual import events

from tui import format as fmt
from tui.dialogs import Panel
from tui.session import Session
from tui.tones import Line, Tone


class TypedDialog(Panel):
    """One line of text; every printable key is a letter of it, enter ends it, escape withdraws."""

    most = 60
    """Characters."""
    ahead = True
    """Whether letters typed before it was there, and pasted ones, go into it: on a slow line nobody waits for a panel.
    A word that says that something dangerous is meant must have been typed, and after it was asked for."""

    def __init__(self, session: Session, text: str = "") -> None:
        super().__init__(session)
        self.text = text[: self.most]

    def entry(self, label: str, tone: Tone = Tone.STRONG) -> Line:
        """The line as it is typed; of a long one its end."""
        room = min(self.most + 1, self.width - len(label) - 8)
        return ((f"{label} ", Tone.TEXT), (f"[{fmt.fit(self.text[1 - room :] + '_', room)}]", tone))

    def typed(self, event: events.Key) -> bool:
        """Keys are text here, and H is one of them."""
        if event.key == "backspace":
            self.text = self.text[:-1]
        elif event.key == "ctrl+u":
            self.text = ""
        elif event.is_printable and event.character and self.takes(event.character):
            self.text = (self.text + event.character)[: self.most]
        else:
            return False
        self.changed()
        self.draw_frame(fresh=False)
        return True

    def on_paste(self, event: events.Paste) -> None:
        """The first line of what is pasted, as if it had been typed."""
        event.stop()
        if not self.ahead:
            return
        letters = [letter for letter in event.text.partition("\n")[0] if letter.isprintable() and self.takes(letter)]
        self.text = (self.text + "".join(letters))[: self.most]
        self.changed()
        self.draw_frame(fresh=False)

    def takes(self, letter: str) -> bool:
        """Whether this may be a letter of the answer; other keys keep their meaning."""
        return True

    def changed(self) -> None:
        """The text is another one."""

    def pressed(self, key: str) -> None:
        """Enter gives the answer, once."""
        if key == "enter" and self.is_current:
            self.answered()

    def answered(self) -> None:
        """What enter does."""
