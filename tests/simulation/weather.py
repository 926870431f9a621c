"""How bad the network, the disk and the clock are while a history is lived."""

import asyncio
import random
from dataclasses import dataclass


@dataclass
class Weather:
    """How bad it is: drawn once, and good again in the end."""

    rng: random.Random
    loss: float = 0.0
    delay: float = 0.0
    repeats: float = 0.0
    reorgs: float = 0.0
    jumps: float = 0.0
    strays: float = 0.0
    blind: float = 0.0
    """Chance in a second that nobody sees positions for a while."""
    blind_until: float = 0.0
    deaths: int = 0
    """Processes that die."""
    refusals: int = 0
    """Transactions the disk will refuse; and those it has."""
    refused: int = 0

    @classmethod
    def drawn(cls, rng: random.Random) -> "Weather":
        return cls(
            rng,
            loss=rng.choice((0.0, 0.05, 0.3)),
            delay=rng.choice((0.0, 0.1, 0.3)),
            repeats=rng.choice((0.0, 0.1, 0.5)),
            reorgs=rng.choice((0.0, 0.01, 0.05)),
            jumps=rng.choice((0.0, 0.0, 0.01)),
            strays=rng.choice((0.0, 0.005)),
            deaths=rng.choice((0, 1, 2, 6)),
            refusals=rng.choice((0, 0, 0, 1)),
            blind=rng.choice((0.0, 0.0, 0.01, 0.1)),
        )

    def calm(self) -> None:
        """No faults any more."""
        self.loss = self.delay = self.repeats = self.reorgs = self.jumps = self.strays = self.blind = 0.0
        self.blind_until = 0.0
        self.deaths = self.refusals = 0

    def lucky(self, chance: float) -> bool:
        return chance > 0 and self.rng.random() < chance

    def mist(self, now: float, chance: float) -> None:
        """May rise, for a while."""
        if now >= self.blind_until and self.lucky(chance):
            self.blind_until = now + self.rng.choice((5, 20, 60))

    async def way(self, longest: float = 40.0) -> None:
        """From here to there, or back."""
        await asyncio.sleep(self.rng.uniform(0, longest) if self.lucky(self.delay) else 0)
