"""Where USDC buys tokens: all that buybacks may know of it. USDC in 1e-6, tokens in 1e-18."""

from dataclasses import dataclass
from typing import Protocol

from venue.perp import Usdc

PROTOCOL_TOKEN = ""
"""Names the protocol's own token wherever a token's address is asked for."""


@dataclass(frozen=True, slots=True)
class SwapOrder:
    """Buy a token with `amount`; fewer than `least` tokens are no trade. `order_id` makes it happen at most once."""

    order_id: str
    token: str
    amount: Usdc
    least: int
    burn: bool = False
    """Send what was bought where nobody can spend it."""


@dataclass(frozen=True, slots=True)
class Swapped:
    """The swap took effect."""

    order_id: str
    bought: int
    burned: bool


@dataclass(frozen=True, slots=True)
class SwapDeclined:
    """The swap had and will have no effect."""

    order_id: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class SwapUnsettled:
    """Whether the swap took effect is not known yet. Never treat this as a failure."""

    order_id: str


SwapOutcome = Swapped | SwapDeclined | SwapUnsettled


class SwapVenue(Protocol):
    """A place where tokens are bought (seed avantis-venue, "Buybacks")."""

    name: str

    async def quote(self, token: str, amount: Usdc) -> int | None:
        """Tokens that `amount` would buy now, or None when nobody can tell."""
        ...

    async def most(self, token: str) -> Usdc | None:
        """The most that can be spent on it at once now; None is no limit."""
        ...

    async def swap_usdc_for_token(self, order: SwapOrder) -> SwapOutcome: ...

    async def outcome(self, order_id: str) -> SwapOutcome:
        """What became of a swap sent earlier, perhaps by an earlier process."""
        ...
