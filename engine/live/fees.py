"""Fees of real launches, as the fee claimer wants them."""

from engine.fees import Earned
from venue.clanker.claimer import Claimer


class LiveFees:
    """A `FeeSource` over the chain. Raises RpcError."""

    def __init__(self, claimer: Claimer) -> None:
        self._claimer = claimer

    async def claim_pooled_fees(self, last: dict[str, str]) -> tuple[Earned, ...]:
        """What has arrived in the wallet beyond the references that are booked."""
        found = await self._claimer.claim_pooled_fees(last)
        return tuple(Earned(fees.token, fees.ref, fees.amount) for fees in found)
