"""Facts to journal text and back. Integers cross as strings: they are larger than what JSON readers keep exactly."""

import json
from dataclasses import fields
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from engine.plain import plain
from engine.world import FACT_TYPES, Fact
from store.errors import Damaged

_TYPES = {kind.__name__: kind for kind in FACT_TYPES}


def encode(fact: Fact) -> tuple[str, str]:
    """(kind, payload) of a fact, as `Journal.append` takes it. Raises ValueError for what is no number: nobody could
    read it back."""
    value = plain(fact)
    try:
        text = to_json(value, inf_nan_mode="constants").decode()
    except PydanticSerializationError:  # half a surrogate pair
        return type(fact).__name__, _SLOWLY(value)
    quick = text.isascii() and "NaN" not in text and "Infinity" not in text
    return type(fact).__name__, text if quick else _SLOWLY(value)


_SLOWLY = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
"""For what the quick way cannot write, or would write otherwise: ASCII only, and no number that is none."""


def decode(kind: str, payload: str) -> Fact:
    """The fact an entry holds. Raises Damaged for a kind or a field this perpdesk does not know."""
    fact_type = _TYPES.get(kind)
    if fact_type is None:
        raise Damaged("UNKNOWN_FACT", f"the journal holds a fact of unknown kind {kind!r}; it is from another perpdesk")
    try:
        quick: Fact = _adapter(kind).validator.validate_json(payload, extra="forbid")
    except ValidationError:
        return _decode_slowly(kind, fact_type, payload)
    return quick


def _decode_slowly(kind: str, fact_type: type, payload: str) -> Fact:
    """Says what is wrong, if anything is: the quick way also stumbles over half a surrogate pair."""
    plain = json.loads(payload)
    if plain.keys() - _names(fact_type):
        raise Damaged("UNKNOWN_FACT", f"a {kind} in the journal has unknown fields; it is from another perpdesk")
    try:
        fact: Fact = _adapter(kind).validate_python(plain)
    except ValidationError as error:
        raise Damaged("UNKNOWN_FACT", f"a {kind} in the journal cannot be read: {error.errors()[0]['msg']}") from error
    return fact


@cache
def _names(kind: type) -> frozenset[str]:
    return frozenset(field.name for field in fields(kind))


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(_TYPES[kind])
