"""Simulated LP fees: what the claimer would have found, per token."""

import random

from engine.demo.tokens import appetite
from engine.desks.commands import BookFees
from engine.settlement import Settlement
from venue.exchange.commands import Rejection

FIRST_FEES = 1.5
"""The first pass pays for the time before the demo began."""
CHANCE = 0.45


class SimulatedFees:
    """Each pass some tokens have earned something since the last."""

    def __init__(self, settlement: Settlement, seed: int, rng: random.Random) -> None:
        self._settlement = settlement
        self._seed = seed
        self._rng = rng

    async def claim_pooled_fees(self) -> str:
        """One claim cycle; a fee reference is the token's running number, so that none is booked twice."""
        refs = await self._settlement.read(
            lambda world: {address: world.house.fee_refs.get(address, "") for address in world.house.desks}
        )
        claimed = 0
        for address, last in refs.items():
            if last and self._rng.random() > CHANCE:
                continue
            usual = appetite(self._seed, address) * (1.0 if last else FIRST_FEES)
            amount = max(1, int(usual * self._rng.lognormvariate(0.0, 0.5) * 10**6))
            number = int(last.rpartition(":")[2]) + 1 if last else 1
            answer = await self._settlement.submit(BookFees(address, f"simulated:{number:012d}", amount))
            claimed += not isinstance(answer, Rejection)
        return f"{claimed} of {len(refs)} tokens had fees"
