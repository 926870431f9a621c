"""The accounts of the desks' ledger, in USDC of 1e-6, and how fees are split among them.

What the wallet holds is `HELD` plus everything under `HELD_PER_TOKEN`; what stands in positions is `deployed`; what an
unanswered order or buyback may or may not have spent is `in_flight` and `buying`.
"""

FEE_SHARES = (("pum", 500), ("diem", 2850), ("perp", 5700), ("creator", 950))
"""Basis points of a token's fees (seed desk-agent, "fee slice"); the perp leg feeds the desk."""
BPS = 10_000
PROTOCOL = "pum"
"""Account of what buys back the protocol's own token."""
DIEM = "diem"
"""Account of what pays for intelligence."""
DIFFERENCE = "difference"
"""What the wallet holds beyond every attribution; below zero, what it lacks."""
HELD = (PROTOCOL, DIEM, DIFFERENCE)
HELD_PER_TOKEN = ("pending", "reserve", "realised", "creator")


def pending(address: str) -> str:
    """Account of USDC attributed to a token and not yet deployed."""
    return f"pending:{address}"


def reserve(address: str) -> str:
    """Account of USDC kept back for a token; it is released when its position is liquidated."""
    return f"reserve:{address}"


def in_flight(address: str) -> str:
    """Account of USDC that an unanswered order may or may not have spent."""
    return f"in_flight:{address}"


def deployed(address: str) -> str:
    """Account of USDC that stands in the desk's position, at cost."""
    return f"deployed:{address}"


def realised(address: str) -> str:
    """Account of USDC that came back from a position; it buys back the token and is not deployed again."""
    return f"realised:{address}"


def creator(address: str) -> str:
    """Account of a token's creator leg, which buys back the token."""
    return f"creator:{address}"


def buying(address: str) -> str:
    """Account of USDC that an unanswered buyback may or may not have spent; empty for the protocol's own."""
    return f"buying:{address}"
