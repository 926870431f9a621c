"""Questions about one desk that are not about closing it whole: reducing it, and setting it aside."""

from engine.exchange_rows import Wad
from engine.snapshot import DeskRow
from tui import format as fmt
from tui.dialogs import Question, same_position
from tui.figures import figure, named
from tui.orders import SHARES, WHOLE, WORSE_PERCENT, worst_price
from tui.panes.desks import name, side
from tui.session import Session
from tui.tones import Line, Span, Tone

_BLANK: Line = ()


class ReduceDialog(Question):
    """Asks how much of a position to close."""

    yes = "Reduce position"

    def __init__(self, session: Session, desk: DeskRow) -> None:
        super().__init__(session)
        self._desk = desk
        self._share = SHARES[0]
        self._worst: Wad | None = None

    def content(self) -> list[Line]:
        """The shares, what the chosen one would give, and the two answers."""
        desk = same_position(self._desk, self.session.desk(self._desk.address))
        self._worst = None if desk is None else worst_price(desk)
        lines: list[Line] = [((f"Reduce {name(self._desk)}", Tone.STRONG),), _BLANK]
        if desk is None or desk.exit is None or self._worst is None:
            lines.append((("This position is gone, or there is no price to reduce it at.", Tone.WARN),))
            lines += [_BLANK] * 11
        else:
            lines += self._figures(desk, desk.exit.payout, self._worst)
        return [*lines, *self.answers("up, down share; tab chooses; enter confirms; esc cancels")]

    def possible(self) -> bool:
        """Not without a position and a price."""
        return self._worst is not None

    def _choice(self) -> Line:
        spans: list[Span] = [(" " + fmt.fit("share", 13), Tone.DIM)]
        for share in SHARES:
            chosen = share == self._share
            text = f"{'(•)' if chosen else '( )'} {share * 100 // WHOLE}%"
            spans.append((f" {text}  ", Tone.STRONG if chosen else Tone.TEXT))
        return tuple(spans)

    def _figures(self, desk: DeskRow, payout: Wad, worst: Wad) -> list[Line]:
        assert desk.exit is not None  # noqa: S101 - content() asked
        what = f"{side(desk.side)} {fmt.clean(desk.market or fmt.UNKNOWN)} {fmt.leverage(desk.leverage)}"
        left = None if desk.notional is None else desk.notional - desk.notional * self._share // WHOLE
        seconds = f"{self.session.ui.close_seconds:.0f}"
        return [
            self._choice(),
            named("position", what),
            figure("size", fmt.money(desk.notional), remark=f"on {fmt.money(desk.collateral)} collateral"),
            figure("left after", fmt.money(left)),
            figure("mark", fmt.price(desk.mark)),
            figure("exit price", fmt.price(desk.exit.price), remark="of the whole position, now"),
            figure("worst price", fmt.price(worst), Tone.WARN, f"refused beyond this ({WORSE_PERCENT}%)"),
            figure("payout", fmt.money(payout * self._share // WHOLE), Tone.STRONG, "USDC expected"),
            _BLANK,
            (("The USDC becomes realised and is not deployed again.", Tone.TEXT),),
            (("The rest of the position stays open.", Tone.TEXT),),
            ((f"After Reduce, {seconds} s remain to cancel with escape.", Tone.DIM),),
        ]

    def pressed(self, key: str) -> None:
        """Up and down choose the share; the rest as in every question."""
        step = {"up": -1, "k": -1, "down": 1, "j": 1}.get(key)
        if step is None:
            super().pressed(key)
            return
        number = min(max(SHARES.index(self._share) + step, 0), len(SHARES) - 1)
        self._share = SHARES[number]
        self.draw_frame(fresh=False)

    def agreed(self) -> None:
        """Counts down, then reduces."""
        if self._worst is not None:
            self.session.reduce_soon(self._desk, self._share, self._worst)


class QuarantineDialog(Question):
    """Asks before a desk is set aside."""

    yes = "Quarantine"

    def __init__(self, session: Session, desk: DeskRow) -> None:
        super().__init__(session)
        self._desk = desk

    def possible(self) -> bool:
        """Not twice, and not once the desk is gone."""
        now = self.session.desk(self._desk.address)
        return now is not None and not now.quarantine

    def content(self) -> list[Line]:
        """What it means, and the two answers."""
        desk = self.session.desk(self._desk.address) or self._desk
        gone = "It is quarantined already, or no longer enrolled: nothing to do."
        possible = self.possible()
        return [
            ((f"Quarantine {name(self._desk)}", Tone.STRONG),),
            _BLANK,
            named("phase", desk.phase.value),
            figure("size", fmt.money(desk.notional) if desk.side is not None else "no position"),
            figure("pending", fmt.money(desk.pending), remark="stays where it is"),
            _BLANK,
            (("No loop touches the desk until it is released with u:", Tone.TEXT),),
            (("no entry, no growth, no take-profit, no guard.", Tone.WARN),),
            (("Closing and reducing stay possible by hand.", Tone.TEXT),),
            (() if possible else ((gone, Tone.WARN),)),
            *self.answers(),
        ]

    def agreed(self) -> None:
        """Sends it."""
        self.session.quarantine(self._desk)
