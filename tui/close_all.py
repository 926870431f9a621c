"""The question before every position is closed."""

from dataclasses import replace

from tui import format as fmt
from tui.dialogs import same_position
from tui.leaving import Leaving, in_line, leaves
from tui.orders import WORSE_PERCENT
from tui.panes.desks import name, side
from tui.session import Session
from tui.tones import Line, Tone, gain_or_loss
from tui.typed_dialog import TypedDialog

WORD = "CLOSE ALL"
_AROUND = 15
"""Lines of the terminal that are no desk."""


class CloseAllDialog(TypedDialog):
    """What would be closed, at what price and for how much; a word typed in full is the answer.

    What is closed is what is listed when the word is confirmed, at prices as they are then.
    """

    width = 78
    most = len(WORD)
    ahead = False

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._asked = {desk.address: desk for desk in session.frame.snapshot.desks if desk.side is not None}
        """Positions as the question was put: what is opened after that is not answered for."""
        self._wrong = ""

    def takes(self, letter: str) -> bool:
        """Letters of the word only, small ones too: H still halts all."""
        return letter.upper() in WORD

    def changed(self) -> None:
        """As the word is written."""
        self.text, self._wrong = self.text.upper(), ""

    def _line(self) -> list[Leaving]:
        desks = self.session.frame.snapshot.desks
        meant = [desk for desk in desks if (was := self._asked.get(desk.address)) and same_position(was, desk)]
        return in_line(replace(self.session.frame.snapshot, desks=tuple(meant)))

    def content(self) -> list[Line]:
        """The largest positions, the sum of all, those that cannot be closed, and the word."""
        snapshot = self.session.frame.snapshot
        line = self._line()
        room = max(1, min(self.app.size.height - _AROUND, 20))
        rows = [_row(each) for each in line[:room]]
        if len(line) > room:
            rest = sum(each.desk.notional or 0 for each in line[room:])
            rows.append(((f"and {len(line) - room} smaller ones, {fmt.money(rest)} together", Tone.DIM),))
        stay = sum(desk.side is not None for desk in snapshot.desks) - len(line)
        return [
            ((f"Close all {len(line)} positions", Tone.STRONG), ("  one after the other, as quoted here", Tone.DIM)),
            ((_HEAD, Tone.DIM),),
            *rows,
            _sum(line),
            ((f"{stay} more are left: newly opened, no price, or an order on its way", Tone.WARN),) if stay else (),
            ((f"Each is refused {WORSE_PERCENT}% beyond its price as the last of its market to go.", Tone.TEXT),),
            (("The USDC becomes realised. New fees may open positions unless halted.", Tone.TEXT),),
            ((f"After it, {self.session.ui.close_seconds:.0f} s remain to cancel with escape.", Tone.DIM),),
            (),
            self.entry(f"Type {WORD} and enter:", Tone.ALARM),
            ((self._wrong, Tone.WARN),) if self._wrong else (("esc closes nothing", Tone.DIM),),
        ]

    def draw_frame(self, fresh: bool) -> None:
        """Positions come and go: so does their room."""
        self.fit(self.content())

    def answered(self) -> None:
        """Counts down, then closes what was listed."""
        if self.text != WORD:
            self._wrong = f"{self.text or 'Nothing'} is not {WORD}: nothing is closed"
            self.draw_frame(fresh=False)
            return
        line = self._line()
        self.dismiss()
        if line:
            self.session.close_all_soon(leaves(line))


_HEAD = f"{'token':14} {'side':5} {'size':>12} {'pnl':>10} {'exit price':>11} {'impact':>7} {'payout':>9}"


def _row(each: Leaving) -> Line:
    desk = each.desk
    return (
        (fmt.fit(name(desk), 15), Tone.TEXT),
        (fmt.fit(side(desk.side), 6), Tone.TEXT),
        (fmt.fit(fmt.money(desk.notional, 12), 12, right=True) + " ", Tone.TEXT),
        (fmt.fit(fmt.signed(desk.pnl, 10), 10, right=True) + " ", gain_or_loss(desk.pnl)),
        (fmt.fit(fmt.price(each.price, 11), 11, right=True) + " ", Tone.TEXT),
        (fmt.fit(fmt.percent(each.impact, 2, sign=True), 7, right=True) + " ", Tone.DIM),
        (fmt.fit(fmt.money(each.payout, 9), 9, right=True), Tone.TEXT),
    )


def _sum(line: list[Leaving]) -> Line:
    size = sum(each.desk.notional or 0 for each in line)
    unknown = any(each.desk.pnl is None for each in line)
    pnl = None if unknown else sum(each.desk.pnl or 0 for each in line)
    return (
        (fmt.fit("together", 21), Tone.STRONG),
        (fmt.fit(fmt.money(size, 12), 12, right=True) + " ", Tone.STRONG),
        (fmt.fit(fmt.signed(pnl, 10), 10, right=True) + " ", gain_or_loss(pnl)),
        (" " * 20, Tone.TEXT),
        (fmt.fit(fmt.money(sum(each.payout for each in line), 9), 9, right=True), Tone.STRONG),
    )
