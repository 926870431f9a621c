"""The dialogs of a new request: what it shall be, a form, and a summary that must be agreed to."""

from textual import events

from engine.commands import Receipt
from tui.dialogs import Panel, Question
from tui.format import clean, fit
from tui.forms.draft import ENTRY_CAP, Draft, Wrong
from tui.forms.kinds import KINDS, Field, Kind, plain
from tui.session import Session
from tui.tones import Line, Tone

_BLANK: Line = ()
_WIDTH = 74
_FIELDS = 8
"""Lines kept for fields, so that the panel does not jump when a choice opens or closes some."""
_LABEL = 14
_ENTRY = 24
_KEYS = "tab moves, left right choose, enter goes on to the summary, esc leaves"


class KindDialog(Panel):
    """Asks what shall be created."""

    width = 70

    def __init__(self, session: Session, pool: str) -> None:
        super().__init__(session)
        self._pool = pool
        self._line = 0

    def content(self) -> list[Line]:
        """One line per kind."""
        lines: list[Line] = [(("New request", Tone.STRONG),), _BLANK]
        for number, kind in enumerate(KINDS):
            mark, tone = ("> ", Tone.BADGE) if number == self._line else ("  ", Tone.TEXT)
            lines.append(((mark, Tone.TEXT), (fit(kind.name, 18), tone), (f"  {kind.what}", Tone.DIM)))
        return [*lines, _BLANK, (("up and down choose, enter opens the form, esc leaves", Tone.DIM),)]

    def pressed(self, key: str) -> None:
        """Moves, or opens the form in its place."""
        if key in ("down", "j", "tab"):
            self._line = (self._line + 1) % len(KINDS)
        elif key in ("up", "k", "shift+tab"):
            self._line = (self._line - 1) % len(KINDS)
        elif key == "enter" and self.is_current:
            self.dismiss()
            self.app.push_screen(FormDialog(self.session, KINDS[self._line], self._pool))
            return
        self.draw_frame(fresh=False)


class FormDialog(Question):
    """Fields first; once all can be meant, the summary and its two answers."""

    width = _WIDTH
    yes = "Send"

    def __init__(self, session: Session, kind: Kind, pool: str = "") -> None:
        super().__init__(session)
        self._kind = kind
        self._values = session.drafts.setdefault(kind.name, {})
        if pool and any(field.name == "market" for field in kind.fields):
            self._values["market"] = pool
        self._settle_choices()
        self._at = kind.fields[0].name
        self._wrong = ""
        self._reviewing = False

    @property
    def _draft(self) -> Draft:
        return Draft(self._values, self.session.frame.snapshot)

    @property
    def _fields(self) -> list[Field]:
        return self._kind.shown(self._draft)

    @property
    def _field(self) -> Field:
        return next((field for field in self._fields if field.name == self._at), self._fields[0])

    def _settle_choices(self) -> None:
        """An open choice starts with its first; one that another choice has closed starts anew.

        Never called for a new snapshot: what the operator chose does not change under their hands.
        """
        for field in self._kind.fields:
            if field.choices is None or not field.shown(self._draft):
                continue
            choices = field.choices(self._draft)
            if choices and self._values.get(field.name) not in choices:
                self._values[field.name] = choices[0]

    def content(self) -> list[Line]:
        """The form, or the summary."""
        lines = self._summary() if self._reviewing else [self._entry(field) for field in self._fields]
        lines += [_BLANK] * (_FIELDS + 1 - len(lines))
        head = f"Send this {self._kind.name}?" if self._reviewing else f"New {self._kind.name}"
        if self._reviewing:
            self._wrong = self._fault()  # a market may have gone away under the summary
            last = self.answers("tab chooses, enter confirms, esc goes back to the form")
        else:
            last = [_BLANK, _BLANK, ((_KEYS, Tone.DIM),)]
        wrong: Line = ((fit(self._wrong, _WIDTH - 4), Tone.WARN),) if self._wrong else ()
        return [((head, Tone.STRONG), (f"  {self._kind.what}", Tone.DIM)), _BLANK, *lines, _BLANK, wrong, *last]

    def _entry(self, field: Field) -> Line:
        here = field is self._field
        value = clean(self._values.get(field.name, ""))
        entry = value[1 - _ENTRY :] + ("_" if here else "")
        shown = entry if field.choices is None else f"‹ {value or 'none'} ›"
        return (
            ("> " if here else "  ", Tone.TEXT),
            (fit(field.name, _LABEL), Tone.STRONG if here else Tone.DIM),
            (fit(shown, _ENTRY), Tone.STRONG if here else Tone.TEXT),
            (f"  {field.hint(self._draft)}", Tone.DIM),
        )

    def _summary(self) -> list[Line]:
        lines: list[Line] = []
        for field in self._fields:
            text, unit = self._values.get(field.name, "").strip(), field.hint(self._draft)
            if text and field.choices is None and not field.letters and field.name != "position":
                text = plain(self._draft.amount(field.name))
            shown = " ".join((text, unit.partition(";")[0])) if text else unit.partition("empty: ")[2]
            lines.append((("  " + fit(field.name, _LABEL), Tone.DIM), (clean(shown), Tone.TEXT)))
        account = f"{clean(self.session.info.operator)}, which also offers the usual execution fee"
        return [*lines, (("  " + fit("account", _LABEL), Tone.DIM), (account, Tone.TEXT))]

    def typed(self, event: events.Key) -> bool:
        """In the form keys are entries; in the summary escape goes back to it."""
        if self._reviewing:
            if event.key == "escape":
                self._reviewing = self._chosen = False
                self.draw_frame(fresh=False)
            return event.key == "escape"
        if event.key == "escape" or (event.character == "H" and not self._field.letters):
            return False
        if event.key == "enter":
            self._review()
        elif event.key in ("tab", "down", "shift+tab", "up"):
            self._step(1 if event.key in ("tab", "down") else -1)
        elif self._field.choices is not None:
            self._choose(event.key, event.character or "")
        elif event.key in ("backspace", "ctrl+u"):
            self._values[self._at] = self._values.get(self._at, "")[:-1] if event.key == "backspace" else ""
        elif event.is_printable and event.character:
            self._write(event.character)
        self.draw_frame(fresh=False)
        return True

    def on_paste(self, event: events.Paste) -> None:
        """A pasted text goes into the field as if it had been typed, its first line only."""
        event.stop()
        if not self._reviewing and self._field.choices is None:
            self._write(event.text.partition("\n")[0])
            self.draw_frame(fresh=False)

    def _write(self, text: str) -> None:
        self._values[self._at] = (self._values.get(self._at, "") + clean(text))[:ENTRY_CAP]

    def _step(self, step: int) -> None:
        names = [field.name for field in self._fields]
        self._at = names[(names.index(self._field.name) + step) % len(names)]

    def _choose(self, key: str, character: str) -> None:
        """Left and right go round; a letter goes to the next choice that begins with it."""
        field = self._field
        choices = field.choices(self._draft) if field.choices else ()
        if not choices:
            return
        value = self._values.get(field.name, "")
        at = choices.index(value) if value in choices else 0
        if key in ("left", "right", "space"):
            at += -1 if key == "left" else 1
        elif character:
            after = [*range(at + 1, len(choices)), *range(at + 1)]
            at = next((n for n in after if choices[n].casefold().startswith(character.casefold())), at)
        self._values[field.name] = choices[at % len(choices)]
        self._settle_choices()

    def _review(self) -> None:
        self._wrong = self._fault()
        self._reviewing = not self._wrong

    def _fault(self) -> str:
        """What cannot be meant, with the focus on it; empty if all can."""
        try:
            self._kind.check(self._draft)
        except Wrong as wrong:
            self._at = wrong.field
            return str(wrong)
        return ""

    def possible(self) -> bool:
        """Not when something in it can no longer be meant."""
        return not self._fault()

    def agreed(self) -> None:
        """Sends what the summary said."""
        session = self.session
        command = self._kind.build(session.orders.envelope(), session.info.operator, self._draft)
        session.submit(command, f"new {self._kind.name}", self._forget)

    def _forget(self, receipt: Receipt | None) -> None:
        """What was accepted is not offered again; what was refused is."""
        if receipt is not None and receipt.ok:
            self.session.drafts.pop(self._kind.name, None)
