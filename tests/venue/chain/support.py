"""Keys of tests."""

from typing import Final

from venue.avantis.addresses import BASE
from venue.chain.signer import Signer, account_of

KEY: Final = bytes.fromhex("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
"""Anvil's second account; everybody knows it."""


def signer_of(key: bytes) -> Signer:
    return Signer(account_of(key), BASE)
