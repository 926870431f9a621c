"""What Hermes puts on the wire: one model per message, parsed from bytes in one pass."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, OnErrorOmit, StringConstraints, TypeAdapter

from venue.net.strict import parse

# Explicit ASCII classes: \d would let other scripts' digits through. 19 digits hold every int64.
Digits = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,19}$")]
FeedId = Annotated[
    str,
    StringConstraints(to_lower=True, pattern=r"^(0[xX])?[0-9a-fA-F]{64}$"),
    AfterValidator(lambda text: text.removeprefix("0x")),
]


_DEEPEST = 256
"""Deeper than any frame: only one with very many feeds need be looked at for its depth."""


class _Wire(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class WirePrice(_Wire):
    """A price as sent: value = int(price) * 10**expo USD, conf in the same unit, publish_time in unix s."""

    price: Digits
    conf: Digits
    expo: int = Field(ge=-30, le=30)
    publish_time: int = Field(ge=0, lt=2**63)


class WireItem(_Wire):
    """One feed's update. The moving average and the metadata that come with it are tolerated and not kept."""

    id: FeedId
    price: WirePrice


class Updates(_Wire):
    """A REST answer or SSE frame. A malformed item is left out, so one bad feed cannot blind the others."""

    parsed: list[OnErrorOmit[WireItem]]


class SocketUpdate(_Wire):
    """A WebSocket price."""

    type: Literal["price_update"]
    price_feed: WireItem


class SocketReply(_Wire):
    """The server's answer to a WebSocket subscribe or unsubscribe."""

    type: Literal["response"]
    status: Literal["success", "error"]
    error: str = ""


class SocketRequest(_Wire):
    """A WebSocket subscribe or unsubscribe."""

    type: Literal["subscribe", "unsubscribe"]
    ids: list[FeedId] = Field(max_length=512)
    verbose: bool = False
    binary: bool = False
    allow_out_of_order: bool = False
    ignore_invalid_price_ids: bool = False


_socket_message: TypeAdapter[SocketUpdate | SocketReply] = TypeAdapter(
    Annotated[SocketUpdate | SocketReply, Field(discriminator="type")]
)


def parse_updates(payload: bytes) -> list[WireItem]:
    """The well-formed items of a REST answer or an SSE frame. Raises `NotStrict` or `pydantic.ValidationError` if
    neither."""
    return Updates.model_validate(parse(payload, _DEEPEST)).parsed


def parse_socket(payload: bytes) -> SocketUpdate | SocketReply:
    """One WebSocket message from the server. Raises `NotStrict` or `pydantic.ValidationError` when it is not one."""
    return _socket_message.validate_python(parse(payload, _DEEPEST))
