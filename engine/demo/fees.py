"""Simulated LP fees: what a claimer would have found, per token."""

import random

from engine.demo.tokens import appetite
from engine.fees import Earned

FIRST_FEES = 1.5
"""The first pass pays for the time before the demo began."""
CHANCE = 0.45


class SimulatedFees:
    """Each pass some tokens have earned something since the last."""

    def __init__(self, seed: int, rng: random.Random) -> None:
        self._seed = seed
        self._rng = rng

    async def claim_pooled_fees(self, last: dict[str, str]) -> tuple[Earned, ...]:
        """A fee reference is the token's running number, so that none is booked twice."""
        found = (self._earned(address, ref) for address, ref in last.items())
        return tuple(earned for earned in found if earned is not None)

    def _earned(self, address: str, last: str) -> Earned | None:
        if last and self._rng.random() > CHANCE:
            return None
        usual = appetite(self._seed, address) * (1.0 if last else FIRST_FEES)
        amount = max(1, int(usual * self._rng.lognormvariate(0.0, 0.5) * 10**6))
        number = int(last.rpartition(":")[2]) + 1 if last else 1
        return Earned(address, f"simulated:{number:012d}", amount)
