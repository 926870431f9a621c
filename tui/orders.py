"""What an operator asks for, as commands: each says who asks, what was on the screen, and until when it is meant."""

from typing import TypedDict
from uuid import uuid4

from engine.commands import (
    AckAlarm,
    ArmRun,
    CloseDesk,
    CloseDesks,
    HaltAll,
    HaltDesk,
    Leave,
    NoteDesk,
    QuarantineDesk,
    ReduceDesk,
    ReleaseDesk,
    ResumeDesk,
    alarm_key,
)
from engine.exchange_rows import Side, Wad
from engine.port import Port
from engine.requests.commands import CancelRequest, RetryRequest
from engine.snapshot import DeskRow
from tui.frame import Frame

MEANT_FOR_MS = 3_000
"""A command older than this no longer says what its operator wants."""
WORSE_PERCENT = 1
"""How much worse than the quoted exit price a close may fill."""
WHOLE = 1_000_000
"""A whole position, in the unit of the shares below."""
SHARES = (250_000, 500_000, 750_000)
"""How much of a position an operator may close, short of all of it."""


class EnvelopeFields(TypedDict):
    """What every command says about itself."""

    id: str
    who: str
    seen_seq: int
    expires_at_ms: int


def worst_price(desk: DeskRow) -> Wad | None:
    """The worst average price a close of this desk accepts: below the quote for a long, above it for a short."""
    if desk.exit is None or desk.side is None:
        return None
    worse = 100 - WORSE_PERCENT if desk.side is Side.LONG else 100 + WORSE_PERCENT
    return desk.exit.price * worse // 100


class Orders:
    """Writes commands in the name of the operator at this terminal."""

    def __init__(self, port: Port, frame: Frame) -> None:
        self._port = port
        self._frame = frame

    def envelope(self) -> EnvelopeFields:
        """For a command sent now."""
        return EnvelopeFields(
            id=str(uuid4()),
            who=self._port.info().operator,
            seen_seq=self._frame.snapshot.seq,
            expires_at_ms=self._frame.now_ms() + MEANT_FOR_MS,
        )

    def arm(self, phrase: str) -> ArmRun:
        """A run with real money may begin orders."""
        return ArmRun(**self.envelope(), phrase=phrase)

    def halt(self, desk: DeskRow) -> HaltDesk:
        """No new risk on this desk."""
        return HaltDesk(**self.envelope(), address=desk.address)

    def resume(self, desk: DeskRow) -> ResumeDesk:
        """Lifts the halt."""
        return ResumeDesk(**self.envelope(), address=desk.address)

    def halt_all(self) -> HaltAll:
        """No new risk anywhere."""
        return HaltAll(**self.envelope())

    def close(self, address: str, worst: Wad, seen_seq: int) -> CloseDesk:
        """Closes the whole position as it stood when it was confirmed, no worse than this price."""
        envelope = self.envelope() | {"seen_seq": seen_seq}
        return CloseDesk(**envelope, address=address, worst_price=worst)

    def close_each(self, leaves: tuple[Leave, ...], seen_seq: int) -> CloseDesks:
        """Closes all these positions as they stood when it was confirmed."""
        envelope = self.envelope() | {"seen_seq": seen_seq}
        return CloseDesks(**envelope, leaves=leaves)

    def reduce(self, address: str, share: int, worst: Wad, seen_seq: int) -> ReduceDesk:
        """Closes a share of the position as it stood when it was confirmed, no worse than this price."""
        envelope = self.envelope() | {"seen_seq": seen_seq}
        return ReduceDesk(**envelope, address=address, share=share, worst_price=worst)

    def quarantine(self, desk: DeskRow) -> QuarantineDesk:
        """Sets the desk aside."""
        return QuarantineDesk(**self.envelope(), address=desk.address)

    def release(self, desk: DeskRow) -> ReleaseDesk:
        """Gives it back to the loops."""
        return ReleaseDesk(**self.envelope(), address=desk.address)

    def note(self, desk: DeskRow, text: str, seen_seq: int) -> NoteDesk:
        """Words in place of those that were there at `seen_seq`; none take them away."""
        envelope = self.envelope() | {"seen_seq": seen_seq}
        return NoteDesk(**envelope, address=desk.address, text=text)

    def acknowledge(self, alarm: str) -> AckAlarm:
        """The alarm is known, and asks for nobody any more."""
        return AckAlarm(**self.envelope(), key=alarm_key(alarm))

    def cancel_request(self, key: str) -> CancelRequest:
        """Takes a request back."""
        return CancelRequest(**self.envelope(), key=key)

    def retry_request(self, key: str) -> RetryRequest:
        """Executes a request now."""
        return RetryRequest(**self.envelope(), key=key)
