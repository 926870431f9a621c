"""The question before the first live order of a session."""

from textual import events

from engine.commands import PHRASE
from tui import format as fmt
from tui.dialogs import Panel
from tui.figures import figure, named
from tui.session import Session
from tui.tones import Line, Tone

_BLANK: Line = ()
_SHOWN = 4
"""Most wallets that are listed."""


class ArmDialog(Panel):
    """Whose money it is, and what may be risked; a word typed in full is the answer."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._typed = ""

    def content(self) -> list[Line]:
        """Wallets, limits, and what has been typed."""
        flow = self.session.frame.snapshot.flow
        wallets = [
            named(fmt.address(row.address), f"{fmt.money(row.usdc)} USDC, {fmt.amount(row.gas)} ETH")
            for row in flow.wallets[:_SHOWN]
        ]
        more = len(flow.wallets) - _SHOWN
        return [
            (("Real money", Tone.LIVE),),
            _BLANK,
            *wallets,
            *([((f"and {more} more wallets", Tone.DIM),)] if more > 0 else []),
            figure("at risk", fmt.money(flow.at_risk), remark=_of(flow.risk_cap)),
            figure("spent today", fmt.money(flow.day_spent), remark=_of(flow.day_cap)),
            _BLANK,
            (("Until it is confirmed nothing is opened, claimed or bought.", Tone.TEXT),),
            (("Positions are left all the same, by rules and by hand.", Tone.TEXT),),
            _BLANK,
            ((f"Type {PHRASE} and enter: ", Tone.TEXT), (f"[{fmt.fit(self._typed, len(PHRASE))}]", Tone.ALARM)),
            (("esc only looks; A asks again", Tone.DIM),),
        ]

    def typed(self, event: events.Key) -> bool:
        """Letters of the word, and nothing else: all other keys keep their meaning."""
        if event.key == "backspace":
            self._typed = self._typed[:-1]
        elif event.character and event.character in PHRASE and len(self._typed) < len(PHRASE):
            self._typed += event.character
        else:
            return False
        self.draw_frame(fresh=False)
        return True

    def pressed(self, key: str) -> None:
        """Enter confirms what is typed in full."""
        if key == "enter" and self._typed == PHRASE and self.is_current:
            self.dismiss()
            self.session.arm(PHRASE)


def _of(cap: int | None) -> str:
    return "no cap" if cap is None else f"of {fmt.money(cap)}"
