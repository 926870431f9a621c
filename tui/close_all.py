"""The question before every position is closed."""

from engine.commands import Leave
from engine.snapshot import DeskRow
from tui import format as fmt
from tui.orders import WORSE_PERCENT, worst_price
from tui.panes.desks import name, side
from tui.reasons import closable
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

    def takes(self, letter: str) -> bool:
        """Letters of the word only: H still halts all."""
        return letter in WORD

    def _desks(self) -> list[DeskRow]:
        rows = [desk for desk in self.session.frame.snapshot.desks if closable(desk) is None]
        return sorted(rows, key=lambda desk: -(desk.notional or 0))

    def content(self) -> list[Line]:
        """The largest positions, the sum of all, those that cannot be closed, and the word."""
        desks = self._desks()
        room = max(1, min(self.app.size.height - _AROUND, 20))
        rows = [_row(desk) for desk in desks[:room]]
        if len(desks) > room:
            rest = sum(desk.notional or 0 for desk in desks[room:])
            rows.append(((f"and {len(desks) - room} smaller ones, {fmt.money(rest)} together", Tone.DIM),))
        held = [desk for desk in self.session.frame.snapshot.desks if desk.side is not None]
        stay = len(held) - len(desks)
        return [
            ((f"Close all {len(desks)} positions", Tone.STRONG),),
            ((_HEAD, Tone.DIM),),
            *rows,
            _sum(desks),
            ((f"{stay} more cannot be closed now: an order is on its way, or no price", Tone.WARN),) if stay else (),
            (),
            ((f"None is closed more than {WORSE_PERCENT}% worse than its exit price now.", Tone.TEXT),),
            (("The USDC becomes realised. New fees may open positions unless halted.", Tone.TEXT),),
            ((f"After it, {self.session.ui.close_seconds:.0f} s remain to cancel with escape.", Tone.DIM),),
            (),
            self.entry(f"Type {WORD} and enter:", Tone.ALARM),
            (("esc closes nothing", Tone.DIM),),
        ]

    def draw_frame(self, fresh: bool) -> None:
        """Positions come and go: so does their room."""
        lines = self.content()
        self._panel.styles.height = len(lines) + 2
        self._panel.draw(lines)

    def answered(self) -> None:
        """Counts down, then closes what was listed."""
        if self.text != WORD:
            return
        leaves = [Leave(desk.address, worst) for desk in self._desks() if (worst := worst_price(desk)) is not None]
        self.dismiss()
        if leaves:
            self.session.close_all_soon(tuple(leaves))


_HEAD = f"{'token':14} {'side':5} {'size':>12} {'pnl':>10} {'exit price':>11} {'impact':>7} {'payout':>9}"


def _row(desk: DeskRow) -> Line:
    exit_ = desk.exit
    return (
        (fmt.fit(name(desk), 15), Tone.TEXT),
        (fmt.fit(side(desk.side), 6), Tone.TEXT),
        (fmt.fit(fmt.money(desk.notional, 12), 12, right=True) + " ", Tone.TEXT),
        (fmt.fit(fmt.signed(desk.pnl, 10), 10, right=True) + " ", gain_or_loss(desk.pnl)),
        (fmt.fit(fmt.price(exit_.price if exit_ else None, 11), 11, right=True) + " ", Tone.TEXT),
        (fmt.fit(fmt.percent(exit_.impact if exit_ else None, 2, sign=True), 7, right=True) + " ", Tone.DIM),
        (fmt.fit(fmt.money(exit_.payout if exit_ else None, 9), 9, right=True), Tone.TEXT),
    )


def _sum(desks: list[DeskRow]) -> Line:
    size = sum(desk.notional or 0 for desk in desks)
    pnl = None if any(desk.pnl is None for desk in desks) else sum(desk.pnl or 0 for desk in desks)
    payout = sum(desk.exit.payout for desk in desks if desk.exit)
    return (
        (fmt.fit("together", 21), Tone.STRONG),
        (fmt.fit(fmt.money(size, 12), 12, right=True) + " ", Tone.STRONG),
        (fmt.fit(fmt.signed(pnl, 10), 10, right=True) + " ", gain_or_loss(pnl)),
        (" " * 20, Tone.TEXT),
        (fmt.fit(fmt.money(payout, 9), 9, right=True), Tone.STRONG),
    )
