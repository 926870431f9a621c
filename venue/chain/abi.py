"""Calls and logs of contracts, encoded and decoded by our own descriptions of them.

Decoding is strict: `eth_abi` alone accepts trailing bytes and dirty padding, so what is decoded is encoded again and
compared.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.grammar import TupleType, parse
from eth_utils.crypto import keccak

WORD = 32
SELECTOR = 4


class AbiError(Exception):
    """Bytes that are not what the description says; one line."""


@dataclass(frozen=True)
class Function:
    """One function: `openTrade((address,uint256),uint8)`, and the types it returns."""

    signature: str
    returns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.signature.partition("(")[0]

    @cached_property
    def types(self) -> tuple[str, ...]:
        """Types of the arguments."""
        return _types(self.signature)

    @cached_property
    def selector(self) -> bytes:
        """The first four bytes of its calls."""
        return keccak(text=self.signature)[:SELECTOR]

    def encode(self, *arguments: object) -> bytes:
        """Calldata. Raises AbiError for arguments that do not fit."""
        try:
            return self.selector + encode(self.types, arguments)
        except (EncodingError, TypeError, ValueError, OverflowError) as error:
            raise AbiError(f"{self.name}: arguments do not fit: {type(error).__name__}") from None

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """Arguments of calldata. Raises AbiError unless it is exactly how this function is called."""
        if data[:SELECTOR] != self.selector:
            raise AbiError(f"not a call of {self.name}")
        return _strictly(self.types, data[SELECTOR:], self.name)

    def decode_returned(self, data: bytes) -> tuple[Any, ...]:
        """What a call returned. Raises AbiError when it is something else."""
        return _strictly(self.returns, data, self.name)


@dataclass(frozen=True)
class Event:
    """One event: `Transfer(address indexed,address indexed,uint256)`."""

    description: str

    @property
    def name(self) -> str:
        return self.description.partition("(")[0]

    @cached_property
    def types(self) -> tuple[str, ...]:
        return _types(self.description.replace(" indexed", ""))

    @cached_property
    def topic(self) -> bytes:
        """The first topic of its logs."""
        return keccak(text=self.description.replace(" indexed", ""))

    @cached_property
    def _indexed(self) -> tuple[bool, ...]:
        marked = self.description.replace(" indexed", "!")
        depth, flags = 0, [False]
        for char in marked[marked.index("(") + 1 : -1]:
            depth += (char == "(") - (char == ")")
            if char == "!":
                flags[-1] = True
            elif char == "," and not depth:
                flags.append(False)
        return tuple(flags)

    def decode(self, topics: tuple[bytes, ...], data: bytes) -> tuple[Any, ...]:
        """The fields of a log, in the order of the description. Raises AbiError unless it is exactly this event."""
        if not topics or topics[0] != self.topic or len(topics) != 1 + sum(self._indexed):
            raise AbiError(f"not a log of {self.name}")
        plain = [kind for kind, indexed in zip(self.types, self._indexed, strict=True) if not indexed]
        rest = iter(_strictly(tuple(plain), data, self.name))
        words = iter(topics[1:])
        return tuple(
            _strictly((kind,), next(words), self.name)[0] if indexed else next(rest)
            for kind, indexed in zip(self.types, self._indexed, strict=True)
        )


def _types(signature: str) -> tuple[str, ...]:
    if signature.endswith("()"):  # the library knows no empty tuple
        return ()
    tree = parse(signature[signature.index("(") :])
    if not isinstance(tree, TupleType):
        raise AssertionError(f"{signature} is no signature")
    return tuple(each.to_type_str() for each in tree.components)


def _strictly(types: tuple[str, ...], data: bytes, name: str) -> tuple[Any, ...]:
    try:
        values = decode(types, data)
        again = encode(types, values)
    except (DecodingError, EncodingError, ValueError, OverflowError) as error:
        raise AbiError(f"{name}: cannot be decoded: {type(error).__name__}") from None
    if again != data:
        raise AbiError(f"{name}: bytes that do not belong there")
    return values
