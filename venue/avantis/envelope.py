"""The tx-builder's answer, read strictly: a call that is not believed yet, or the one reason why there is none.

Text of the builder's own is never repeated: of an error only a code that we know survives.
"""

import re
from enum import StrEnum
from http import HTTPStatus
from typing import Final, NoReturn

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from venue.chain.call import Call
from venue.chain.guard import Offered
from venue.net.client import Reply
from venue.net.strict import NotStrict, parse

MOST_BYTES: Final = 64 * 1024
MOST_HEX: Final = 32 * 1024
"""Characters of calldata in hex."""


class BuilderCode(StrEnum):
    """Why the builder gave no call that could be looked at; stable."""

    UNREACHABLE = "BUILDER_UNREACHABLE"
    TOO_SLOW = "BUILDER_TOO_SLOW"
    TOO_LARGE = "BUILDER_TOO_LARGE"
    COMPRESSED = "BUILDER_COMPRESSED"
    REDIRECTED = "BUILDER_REDIRECTED"
    RATE_LIMITED = "BUILDER_RATE_LIMITED"
    GEO_BLOCKED = "BUILDER_GEO_BLOCKED"
    """The law where this machine stands; it is reported and not worked around."""
    HTTP_STATUS = "BUILDER_HTTP_STATUS"
    NOT_JSON = "BUILDER_NOT_JSON"
    NOT_STRICT = "BUILDER_NOT_STRICT"
    NOT_AN_ENVELOPE = "BUILDER_NOT_AN_ENVELOPE"
    CONTRADICTORY = "BUILDER_CONTRADICTORY"
    DECLINED = "BUILDER_DECLINED"
    UNKNOWN_FIELD = "BUILDER_UNKNOWN_FIELD"
    MISSING_FIELD = "BUILDER_MISSING_FIELD"
    BAD_ADDRESS = "BUILDER_BAD_ADDRESS"
    BAD_CHECKSUM = "BUILDER_BAD_CHECKSUM"
    BAD_DATA = "BUILDER_BAD_DATA"
    DATA_TOO_LONG = "BUILDER_DATA_TOO_LONG"
    BAD_VALUE = "BUILDER_BAD_VALUE"
    BAD_CHAIN_ID = "BUILDER_BAD_CHAIN_ID"
    CIRCUIT_OPEN = "BUILDER_CIRCUIT_OPEN"


class NotOffered(Exception):
    """There is no call to look at: a stable code, and one line that repeats nothing of the answer."""

    def __init__(self, code: BuilderCode, text: str) -> None:
        super().__init__(text)
        self.code = code


_DECLINES: Final = frozenset(
    {
        *("VALIDATION_ERROR", "BAD_REQUEST", "TX_REJECTED", "SIMULATION_FAILED", "RATE_LIMITED", "GEO_RESTRICTED"),
        *("UPSTREAM_ERROR", "RPC_ERROR", "NOT_FOUND", "INTERNAL_ERROR"),
    }
)
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_HEX: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_QUANTITY: Final = re.compile(r"0x(?:0|[1-9a-f][0-9a-f]{0,63})")
_NEEDED: Final = ("to", "from", "data", "value", "chainId")
_KNOWN: Final = frozenset({*_NEEDED, "description", "meta"})


def offered(reply: Reply) -> Offered:
    """The call in an HTTP answer. Raises NotOffered."""
    _ordinary(reply.status)
    if _media_type(reply) != "application/json":
        _fail(BuilderCode.NOT_JSON, f"status {reply.status}, and what came is not JSON")
    envelope = _envelope(reply.body)
    if envelope.get("ok") is False:
        _declined(envelope)
    if reply.status != HTTPStatus.OK:
        _fail(BuilderCode.HTTP_STATUS, f"status {reply.status} without an error of the builder's")
    if envelope.get("ok") is not True or set(envelope) - {"ok", "data", "error"}:
        _fail(BuilderCode.NOT_AN_ENVELOPE, "what came is neither an answer nor an error")
    if "error" in envelope:
        _fail(BuilderCode.CONTRADICTORY, "the answer says ok and error at once")
    return _read(envelope.get("data"))


def _ordinary(status: int) -> None:
    """Raises for the statuses whose body does not matter."""
    if 300 <= status < 400:
        _fail(BuilderCode.REDIRECTED, f"status {status}: redirects are not followed")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        _fail(BuilderCode.RATE_LIMITED, "the builder wants fewer requests")
    if status == HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS:
        _fail(BuilderCode.GEO_BLOCKED, "the venue does not serve this place")


def _media_type(reply: Reply) -> str:
    sent: str = reply.headers.get("content-type", "")
    return sent.partition(";")[0].strip().lower()


def _envelope(body: bytes) -> dict[str, object]:
    if len(body) > MOST_BYTES:
        _fail(BuilderCode.TOO_LARGE, f"the answer is larger than {MOST_BYTES:,} bytes")
    try:
        envelope = parse(body)
    except NotStrict as error:
        raise NotOffered(BuilderCode.NOT_STRICT, str(error)) from None
    if not isinstance(envelope, dict):
        _fail(BuilderCode.NOT_AN_ENVELOPE, "what came is not an object")
    return envelope


def _declined(envelope: dict[str, object]) -> NoReturn:
    if "data" in envelope:
        _fail(BuilderCode.CONTRADICTORY, "the answer says error and data at once")
    error = envelope.get("error")
    said = error.get("code") if isinstance(error, dict) else None
    known = said if isinstance(said, str) and said in _DECLINES else "an error without a known code"
    codes = {"GEO_RESTRICTED": BuilderCode.GEO_BLOCKED, "RATE_LIMITED": BuilderCode.RATE_LIMITED}
    _fail(codes.get(known, BuilderCode.DECLINED), f"the builder declined: {known}")


def _read(data: object) -> Offered:
    if not isinstance(data, dict):
        _fail(BuilderCode.NOT_AN_ENVELOPE, "the answer has no data")
    if unknown := set(data) - _KNOWN:
        _fail(BuilderCode.UNKNOWN_FIELD, f"{len(unknown)} fields that no call has")
    if missing := [name for name in _NEEDED if name not in data]:
        _fail(BuilderCode.MISSING_FIELD, f"no {missing[0]}")
    to, sender = (_address(name, data[name]) for name in ("to", "from"))
    return Offered(_chain_id(data["chainId"]), sender, Call(to, _data(data["data"]), _value(data["value"])))


def _address(name: str, said: object) -> ChecksumAddress:
    text = _text(said, _ADDRESS, BuilderCode.BAD_ADDRESS, f"{name} is not an address of 20 bytes")
    checksummed = to_checksum_address(text)
    if text[2:] not in (checksummed[2:], text[2:].lower(), text[2:].upper()):
        _fail(BuilderCode.BAD_CHECKSUM, f"{name} is an address with a wrong checksum")
    return checksummed


def _data(said: object) -> bytes:
    if isinstance(said, str) and len(said) > MOST_HEX:
        _fail(BuilderCode.DATA_TOO_LONG, f"data is longer than {MOST_HEX:,} characters")
    return bytes.fromhex(_text(said, _HEX, BuilderCode.BAD_DATA, "data is not whole bytes in hex")[2:])


def _value(said: object) -> int:
    return int(_text(said, _QUANTITY, BuilderCode.BAD_VALUE, "value is not a quantity in lower-case hex")[2:], 16)


def _chain_id(said: object) -> int:
    if not isinstance(said, int) or isinstance(said, bool):
        _fail(BuilderCode.BAD_CHAIN_ID, "chainId is not an integer")
    return said


def _text(said: object, form: re.Pattern[str], code: BuilderCode, text: str) -> str:
    if not isinstance(said, str) or not form.fullmatch(said):
        _fail(code, text)
    return said


def _fail(code: BuilderCode, text: str) -> NoReturn:
    raise NotOffered(code, text)
