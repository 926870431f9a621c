"""Simulated swaps: prices that a seed makes up, with an impact, so that buybacks have somewhere to go on paper."""

import math
import random
from collections.abc import Callable

from venue.perp import Usdc
from venue.swap import SwapDeclined, SwapOrder, SwapOutcome, Swapped

PERIOD_MS = 3_600_000
DEPTH_USDC = 50_000 * 10**6
NEVER_SENT = "NEVER_SENT"


class PaperSwap:
    """A `SwapVenue` that takes effect when its answer is journaled: a swap that a crash cut off never happened."""

    name = "simulated"

    def __init__(self, seed: int, now_ms: Callable[[], int]) -> None:
        self._seed = seed
        self._now_ms = now_ms

    async def quote(self, token: str, amount: Usdc) -> int | None:
        """Tokens of 1e-18; the price is the seed's and moves slowly, and larger amounts move it more."""
        rng = random.Random(f"{self._seed}:{token}:price")  # noqa: S311 - a simulation
        base, phase = rng.lognormvariate(-9.0, 1.0), rng.random() * math.tau
        price = base * (1.0 + 0.2 * math.sin(self._now_ms() / PERIOD_MS + phase)) * (1.0 + amount / DEPTH_USDC)
        return int(amount / 10**6 / price * 10**6) * 10**12

    async def most(self, token: str) -> Usdc | None:
        """No limit."""
        return None

    async def swap_usdc_for_token(self, order: SwapOrder) -> SwapOutcome:
        """Fills at the quote, or declines when that is below the least accepted."""
        bought = await self.quote(order.token, order.amount) or 0
        if bought < order.least:
            return SwapDeclined(order.order_id, "TOO_LITTLE", "the price has moved beyond the slippage allowed")
        return Swapped(order.order_id, bought, order.burn)

    async def outcome(self, order_id: str) -> SwapOutcome:
        """Nothing is remembered, because nothing happens before the answer is journaled."""
        return SwapDeclined(order_id, NEVER_SENT, "cut off before it took effect")
