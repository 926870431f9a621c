"""The demo's registry: twelve tokens, one of them with a name that attacks the terminal."""

import random
from hashlib import sha256

from engine.sections import Token

HOSTILE_NAME = "\x1b]0;owned\x07\x1b[31mEV\u202eIL\x9b2J[@click=app.quit]X[/]"
NAMES = ("PEPE", "BONK", "WIF", "MOG", "CAT", "TURBO", "PEPE", "KEYCAT", "BRETT", "TOSHI", "DEGEN", HOSTILE_NAME)


def demo_tokens(seed: int) -> tuple[Token, ...]:
    """The tokens of a seed; two of them share a name, and only their addresses tell them apart."""
    return tuple(
        Token(address="0x" + sha256(f"{seed}:{number}".encode()).hexdigest()[:40], name=name)
        for number, name in enumerate(NAMES)
    )


def appetite(seed: int, address: str) -> float:
    """How much a token earns, in USDC per fee pass: a few earn far more than the rest, as launchpad tokens do."""
    return random.Random(f"{seed}:{address}:appetite").lognormvariate(2.0, 0.9)  # noqa: S311 - a simulation
