"""A few words on a desk, for whoever looks at it next."""

from engine.snapshot import DeskRow
from tui import format as fmt
from tui.panes.desks import name
from tui.session import Session
from tui.tones import Line, Tone
from tui.typed_dialog import TypedDialog


class NoteDialog(TypedDialog):
    """The last words stand in the line to be changed; an empty line takes them away."""

    width = 78
    most = 120

    def __init__(self, session: Session, desk: DeskRow) -> None:
        super().__init__(session, desk.memo)
        self._desk = desk
        self._seen_seq = session.frame.snapshot.seq

    def content(self) -> list[Line]:
        """Whose desk, what stands there, and the line."""
        desk = self.session.desk(self._desk.address) or self._desk
        when = "" if desk.memo_at_ms is None else f" {fmt.moment(desk.memo_at_ms)}"
        last = f"by {desk.memo_by}{when}" if desk.memo else "nothing so far"
        return [
            ((f"Note on {name(self._desk)}", Tone.STRONG), (f"  {last}", Tone.DIM)),
            (),
            self.entry("note"),
            ((fmt.fit(self._meanwhile(desk), self.width - 4), Tone.WARN),),
            (("enter leaves it, an empty line takes it away, esc keeps what was", Tone.DIM),),
        ]

    def _meanwhile(self, desk: DeskRow) -> str:
        """What somebody else has written since; it is not written over unseen."""
        return f"now there: {fmt.clean(desk.memo)}" if desk.memo and desk.memo != self._desk.memo else ""

    def answered(self) -> None:
        """Sends it."""
        self.dismiss()
        self.session.note(self._desk, self.text.strip(), self._seen_seq)
