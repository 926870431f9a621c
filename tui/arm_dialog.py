"""The question before the first live order of a session."""

from engine.commands import PHRASE
from tui import format as fmt
from tui.figures import figure, named
from tui.tones import Line, Tone
from tui.typed_dialog import TypedDialog

_BLANK: Line = ()
_SHOWN = 4
"""Most wallets that are listed."""


class ArmDialog(TypedDialog):
    """Whose money it is, and what may be risked; a word typed in full is the answer."""

    most = len(PHRASE)
    ahead = False

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
            ((f"Type {PHRASE} and enter: ", Tone.TEXT), (f"[{fmt.fit(self.text, len(PHRASE))}]", Tone.ALARM)),
            (("esc only looks; A asks again", Tone.DIM),),
        ]

    def takes(self, letter: str) -> bool:
        """Letters of the word only: all other keys keep their meaning."""
        return letter in PHRASE

    def answered(self) -> None:
        """Confirms what is typed in full."""
        if self.text == PHRASE:
            self.dismiss()
            self.session.arm(PHRASE)


def _of(cap: int | None) -> str:
    return "no cap" if cap is None else f"of {fmt.money(cap)}"
