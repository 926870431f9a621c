"""The fee claimer: asks a source what tokens have earned, a batch at a time, and books it where it belongs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.desks.commands import BookFees
from engine.settlement import Settlement
from venue.exchange.commands import Rejection
from venue.perp import Usdc

CLAIM_BATCH_SIZE = 25


@dataclass(frozen=True, slots=True)
class Earned:
    """What one token earned since `ref` was last its newest; references of a token only ever grow."""

    address: str
    ref: str
    amount: Usdc


class FeeSource(Protocol):
    """Where LP fees come from."""

    async def claim_pooled_fees(self, last: dict[str, str]) -> tuple[Earned, ...]:
        """Fees of the tokens in `last`, beyond the references that are booked already. What was claimed and not
        booked before a crash is reported again."""
        ...


class FeeClaimer:
    """Round robin over the tokens."""

    def __init__(
        self, settlement: Settlement, source: FeeSource, reserve: int, hold: Callable[[], str] = lambda: ""
    ) -> None:
        self._settlement = settlement
        self._source = source
        self._reserve = reserve
        self._hold = hold
        self._next = 0

    async def claim_pooled_fees_cycle(self) -> str:
        """One batch; none while something holds it."""
        if why := self._hold():
            return why
        refs = await self._settlement.read(
            lambda world: [(address, world.house.fee_refs.get(address, "")) for address in world.house.desks]
        )
        turn = self._next % len(refs) if refs else 0
        batch = dict((refs[turn:] + refs[:turn])[:CLAIM_BATCH_SIZE])
        self._next = turn + len(batch)
        booked = 0
        for earned in await self._source.claim_pooled_fees(batch) if batch else ():
            answer = await self._settlement.submit(BookFees(earned.address, earned.ref, earned.amount, self._reserve))
            booked += not isinstance(answer, Rejection)
        return f"{booked} of {len(batch)} tokens had fees"
