"""What opens above a screen: pages of lines, and questions before something is done. The screen behind stands still."""

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from engine.exchange_rows import RequestRow, Wad
from engine.snapshot import DeskRow
from tui import format as fmt
from tui.figures import figure, named
from tui.lines import Lines
from tui.orders import WORSE_PERCENT, worst_price
from tui.panes import requests
from tui.panes.desks import name, side
from tui.session import Session
from tui.settings import MIN_HEIGHT, MIN_WIDTH
from tui.tones import Line, Tone

_BLANK: Line = ()
_AROUND = 4
"""Rows of the terminal that are no entry: the frame, the heading and the foot."""
STEPS = {"down": 1, "j": 1, "up": -1, "k": -1}
PAGES = {"pagedown": 1, "pageup": -1}


class Panel(ModalScreen[None], inherit_bindings=False):
    """An opaque panel in the middle; keys that mean nothing in it do nothing."""

    DEFAULT_CSS = """
    Panel { align: center middle; background: transparent; }
    Panel > Lines {
        border: round $foreground; background: $background; padding: 0 1; max-width: 100%; max-height: 100%;
    }
    """
    width = 64

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._panel = Lines(session.palette)

    def compose(self) -> ComposeResult:
        """One panel."""
        yield self._panel

    def content(self) -> list[Line]:
        """The lines of the panel."""
        return []

    def on_mount(self) -> None:
        """Takes the size of its content."""
        self._panel.styles.width = self.width
        self._panel.styles.height = len(self.content()) + 2
        self.call_after_refresh(self.draw_frame, fresh=True)

    def draw_frame(self, fresh: bool) -> None:
        """Follows the live snapshot."""
        self._panel.draw(self.content())

    def fit(self, lines: list[Line]) -> None:
        """Draws lines of which there may be more or fewer than before; they have their room first."""
        height = len(lines) + 2
        if self._panel.styles.height is None or self._panel.styles.height.value != height:
            self._panel.styles.height = height
            self.call_after_refresh(self._panel.draw, lines)
        else:
            self._panel.draw(lines)

    def on_key(self, event: events.Key) -> None:
        """Halting all works here too, and escape cancels what counts down behind the panel."""
        event.stop()
        if not self.is_current:
            self._too_late(event)
        elif self.typed(event):
            return
        elif self.session.keymap.means(event.key, "halt_all"):
            behind = self.app.screen_stack[-2]
            self.dismiss()
            behind.call_later(behind.run_action, 'operate("halt_all")')
        elif event.key == "escape":
            self.dismiss()
            self.session.cancel()
        else:
            self.pressed(event.key)

    def _too_late(self, event: events.Key) -> None:
        """A key of the same burst as the one that closed the panel: only the brake is still meant."""
        if self.session.keymap.means(event.key, "halt_all"):
            self.app.screen.call_later(self.app.screen.run_action, 'operate("halt_all")')

    def typed(self, event: events.Key) -> bool:
        """True for a key that is an entry and has no other meaning then."""
        return False

    def pressed(self, key: str) -> None:
        """What any other key does."""

    def on_resize(self) -> None:
        """Draws for the new size; where its answers could not be seen any more, the question is withdrawn."""
        width, height = self.app.size
        if width < MIN_WIDTH or height < MIN_HEIGHT:
            self.dismiss()
        else:
            self.call_after_refresh(self.draw_frame, fresh=True)


class Scroll(Panel):
    """More lines than there may be room for: a heading, those that fit, and how many are above and below."""

    width = 78

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._top = 0

    def entries(self) -> list[Line]:
        """All lines."""
        return []

    def heading(self) -> tuple[str, str]:
        """What the page is called, and what can be done on it."""
        return "", "esc closes this page"

    @property
    def room(self) -> int:
        """Lines of a page."""
        return max(1, self.app.size.height - _AROUND)

    def content(self) -> list[Line]:
        """The lines that fit, between a heading and what there is besides them."""
        lines, room = self.entries(), self.room
        self._top = max(0, min(self._top, len(lines) - room))
        below = max(0, len(lines) - self._top - room)
        more = f"{self._top} lines above, {below} below: j k" if len(lines) > room else ""
        title, can = self.heading()
        heading: Line = ((fmt.fit(title, 17), Tone.STRONG), (can, Tone.DIM))
        return [heading, *lines[self._top : self._top + room], ((more, Tone.DIM),)]

    def draw_frame(self, fresh: bool) -> None:
        """Lines come and go: so does their room."""
        self.fit(self.content())

    def step(self, key: str) -> int:
        """How many lines a key goes, down or up."""
        return STEPS.get(key, 0) or PAGES.get(key, 0) * self.room

    def pressed(self, key: str) -> None:
        """Scrolls."""
        self._top += self.step(key)
        self.draw_frame(fresh=False)


class Question(Panel):
    """Two answers: the first, which does nothing, has the focus; the second must be chosen."""

    no = "Cancel"
    yes: str

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._chosen = False

    def possible(self) -> bool:
        """Whether the second answer can be given now."""
        return True

    def agreed(self) -> None:
        """What the second answer does, after the panel is gone."""

    def answers(self, keys: str = "tab chooses, enter confirms, esc cancels") -> list[Line]:
        """The last lines of the panel."""
        no = Tone.TEXT if self._chosen else Tone.BADGE
        yes = Tone.ALARM if self._chosen else Tone.TEXT if self.possible() else Tone.DIM
        gap = ("    ", Tone.TEXT)
        return [_BLANK, (gap, (f"[ {self.no} ]", no), gap, (f"[ {self.yes} ]", yes)), ((f"    {keys}", Tone.DIM),)]

    def pressed(self, key: str) -> None:
        """Tab and arrows choose, enter answers."""
        if key in ("tab", "shift+tab", "left", "right"):
            self._chosen = not self._chosen
            self.draw_frame(fresh=False)
        elif key == "enter":
            self._answer()

    def _answer(self) -> None:
        if self._chosen and not self.possible():
            return
        if not self.is_current:
            # A second enter from the same burst: it has been answered already.
            return
        self.dismiss()
        if self._chosen:
            self.agreed()


def same_position(was: DeskRow, now: DeskRow | None) -> DeskRow | None:
    """The desk as it is now, if it still has the position that was asked about: no answer is given for another one."""
    names = (now.market, now.side, now.position_id) if now is not None else None
    return now if names == (was.market, was.side, was.position_id) else None


class CloseDialog(Question):
    """Asks before a close."""

    yes = "Close position"

    def __init__(self, session: Session, desk: DeskRow) -> None:
        super().__init__(session)
        self._desk = desk
        self._worst: Wad | None = None

    def content(self) -> list[Line]:
        """The position now, what a close would give, and the two answers."""
        desk = same_position(self._desk, self.session.desk(self._desk.address))
        self._worst = None if desk is None else worst_price(desk)
        lines: list[Line] = [((f"Close {name(self._desk)}", Tone.STRONG),), _BLANK]
        if desk is None or desk.exit is None or self._worst is None:
            lines.append((("This position is gone, or there is no price to close it at.", Tone.WARN),))
            lines += [_BLANK] * 11
        else:
            lines += self._figures(desk, self._worst)
        return [*lines, *self.answers()]

    def possible(self) -> bool:
        """Not without a position and a price."""
        return self._worst is not None

    def _figures(self, desk: DeskRow, worst: Wad) -> list[Line]:
        assert desk.exit is not None  # noqa: S101 - content() asked
        what = f"{side(desk.side)} {fmt.clean(desk.market or fmt.UNKNOWN)} {fmt.leverage(desk.leverage)}"
        worse = "worse" if desk.exit.impact < 0 else "better"
        seconds = f"{self.session.ui.close_seconds:.0f}"
        return [
            figure("position", what),
            figure("size", fmt.money(desk.notional), remark=f"on {fmt.money(desk.collateral)} collateral"),
            figure("pnl", fmt.signed(desk.pnl), Tone.LOSS if (desk.pnl or 0) < 0 else Tone.GAIN),
            figure("mark", fmt.price(desk.mark)),
            figure("exit price", fmt.price(desk.exit.price), remark="expected now"),
            figure("impact", fmt.percent(abs(desk.exit.impact), 2), remark=f"{worse} than mark"),
            figure("worst price", fmt.price(worst), Tone.WARN, f"refused beyond this ({WORSE_PERCENT}%)"),
            figure("payout", fmt.money(desk.exit.payout), Tone.STRONG, "USDC expected"),
            _BLANK,
            (("The USDC becomes realised and is not deployed again.", Tone.TEXT),),
            (("New fees may open a new position unless it is halted.", Tone.TEXT),),
            ((f"After Close, {seconds} s remain to cancel with escape.", Tone.DIM),),
        ]

    def agreed(self) -> None:
        """Counts down, then closes."""
        if self._worst is not None:
            self.session.close_soon(self._desk, self._worst)


class CancelDialog(Question):
    """Asks before a request is taken back."""

    no = "Keep it"
    yes = "Cancel request"

    def __init__(self, session: Session, row: RequestRow) -> None:
        super().__init__(session)
        self._row = row

    def possible(self) -> bool:
        """Not once it has ended."""
        now = self.session.request(self._row.key)
        return now is not None and requests.waiting(now) and now.may_cancel

    def content(self) -> list[Line]:
        """What it is, and what becomes of what was put in."""
        row = self.session.request(self._row.key) or self._row
        word, tone = requests.state(row)
        possible = self.possible()
        back = "What was put in goes back to its account."
        ended = "It has ended or may not be cancelled: nothing to do."
        return [
            ((f"Cancel {requests.name(row)}", Tone.STRONG),),
            _BLANK,
            named("state", word, tone),
            named("market", f"{row.market} {'' if row.side is None else side(row.side)}"),
            named("amount", row.amount),
            named("account", requests.account(row)),
            _BLANK,
            ((back, Tone.TEXT),) if possible else ((ended, Tone.WARN),),
            *self.answers("tab chooses, enter confirms, esc keeps it"),
        ]

    def agreed(self) -> None:
        """Sends it."""
        self.session.cancel_request(self._row)
