"""What the signed route is given: the journal, the relay, the chain, and how long it waits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from venue.avantis import intent_log
from venue.avantis.intent_facts import Fact
from venue.avantis.intent_log import Refusal
from venue.avantis.intent_state import Intents, OpenIntent
from venue.avantis.registered import Cancellation, Execution
from venue.avantis.relay import OnAccepted, Outcome
from venue.avantis.tracking import Track
from venue.avantis.typed_signer import SignedIntent

T = TypeVar("T")


class Door(Protocol):
    """The journal, as the route knows it."""

    async def submit(self, command: intent_log.Command) -> tuple[Fact, ...] | Refusal: ...

    async def read(self, look: Callable[[Intents], T]) -> T: ...


class Hands(Protocol):
    """The relay, as the route knows it. `follow` takes a few seconds at most: a pass waits for it, and the next asks
    again."""

    async def submit(self, signed: SignedIntent, on_accepted: OnAccepted) -> Outcome: ...

    async def follow(self, track: Track, on_accepted: OnAccepted) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class Deep:
    """A block that will stay; its time is Unix seconds."""

    block: int
    time_s: int


class Chain(Protocol):
    """The chain, agreed by several endpoints. Raises RpcError or AvantisError, nothing else."""

    async def deep(self) -> Deep:
        """The newest block that is deep enough to stay."""
        ...

    async def nonce_word(self, slot: int, block: int) -> int:
        """A word of the wallet's `nonceBitmap` as of `block`."""
        ...

    async def opened_at(self, pair_index: int, trade_index: int) -> int | None:
        """Since when the position has stood, Unix seconds, as of the newest block; None when there is none."""
        ...

    async def history(self, order: OpenIntent) -> Execution | Cancellation | None:
        """What became of an order whose nonce is used; None while nobody can tell. Raises Ambiguous as well."""
        ...


@dataclass(frozen=True, slots=True)
class Times:
    """How long things are waited for, in milliseconds."""

    life_ms: int = 90_000
    """From signature to deadline."""
    margin_ms: int = 30_000
    """Past its deadline an intent is given so much more, by the clock of the chain."""
    patience_ms: int = 10 * 60_000
    """What the chain has and nobody can tell the end of is a person's business after that."""
