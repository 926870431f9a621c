"""What several endpoints say to one question, and what is made of it. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from venue.chain.answers import SendOutcome, Sent
from venue.chain.endpoint import Endpoint
from venue.chain.envelope import RpcCode, RpcError
from venue.chain.reverts import Revert

_BEST: Final = tuple(SendOutcome)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Agreed(Generic[T]):
    """An answer that most endpoints gave."""

    value: T
    block: int
    """As of which it was asked."""
    voices: int
    """How many gave it."""
    endpoints: int
    """How many there are; 1: nobody could contradict."""

    @property
    def alone(self) -> bool:
        return self.endpoints == 1


class Disagreement(RpcError):
    """Too few endpoints say the same: money waits. `code` is theirs, where all failed alike."""

    def __init__(self, text: str, code: RpcCode = RpcCode.DISAGREEMENT) -> None:
        super().__init__(code, text)


@dataclass(frozen=True, slots=True)
class Voice(Generic[T]):
    """What one of them says."""

    value: T
    revert: Revert | None = None


def too_few(
    text: str, needed: int, asked: Sequence[Endpoint], counted: Collection[Endpoint], now_s: float
) -> Disagreement:
    """Names those of `asked` that are not `counted`, and why."""
    missing = [each for each in asked if each not in counted]
    why = "; ".join(each.why_not(now_s) for each in missing)
    codes = {each.health.last_code for each in missing}
    alike = codes.pop() if len(codes) == 1 and not counted else None
    text = f"{text}: {needed} are needed" + (f" ({why})" if why else "")
    return Disagreement(text, alike or RpcCode.DISAGREEMENT)


def best(answers: Iterable[Sent]) -> Sent:
    """Of the answers to one transaction, the one that promises most."""
    return min(answers, key=lambda sent: _BEST.index(sent.outcome))
