"""Accounts that a demo invents."""

TRADER_PREFIX = "trader-"
LP_PREFIX = "lp-"
ARBITRAGEUR = "arbitrageur"
TRADERS = 48


def is_simulated(owner: str) -> bool:
    """Whether an account of the exchange is one of the demo's inventions."""
    return owner == ARBITRAGEUR or owner.startswith((TRADER_PREFIX, LP_PREFIX))
