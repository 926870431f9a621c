"""What comes back for one JSON-RPC question: its result, or an RpcError that says why there is none."""

from dataclasses import replace
from enum import StrEnum
from typing import Final, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from venue.chain.answers import WireEnvelope, WireFault
from venue.chain.reverts import Errors, Revert, one_line, revert_of
from venue.net.client import NetCode, NetFault, Reply
from venue.net.hide import Hidden
from venue.net.strict import NotStrict, parse

MAX_PAUSE_S: Final = 60.0
_T = TypeVar("_T")


class RpcCode(StrEnum):
    """Why there is no answer; stable."""

    UNREACHABLE = "UNREACHABLE"
    TOO_SLOW = "TOO_SLOW"
    RATE_LIMITED = "RATE_LIMITED"
    SERVER_ERROR = "SERVER_ERROR"
    MALFORMED = "MALFORMED"
    """It answered what no node answers: not JSON, another question's answer, without bound, compressed."""
    REVERTED = "REVERTED"
    """The chain's own answer, and final: the call does not go through."""
    REFUSED = "REFUSED"
    WRONG_CHAIN = "WRONG_CHAIN"
    NO_ENDPOINT = "NO_ENDPOINT"
    DISAGREEMENT = "DISAGREEMENT"


class RpcError(Exception):
    """There is no answer: a stable code and one line. `sent`: the endpoint may have acted on the request."""

    def __init__(
        self,
        code: RpcCode,
        text: str,
        *,
        sent: bool = True,
        retry_after_s: float | None = None,
        revert: Revert | None = None,
    ) -> None:
        super().__init__(text)
        self.code = code
        self.sent = sent
        self.retry_after_s = retry_after_s
        self.revert = revert

    def without(self, hidden: Hidden) -> "RpcError":
        """The same, in words that repeat no key."""
        revert = replace(self.revert, reason=hidden.line(self.revert.reason)) if self.revert else None
        words = hidden.line(str(self))
        return RpcError(self.code, words, sent=self.sent, retry_after_s=self.retry_after_s, revert=revert)


_NET: Final = {
    NetCode.UNREACHABLE: RpcCode.UNREACHABLE,
    NetCode.TOO_SLOW: RpcCode.TOO_SLOW,
    NetCode.TOO_LARGE: RpcCode.MALFORMED,
    NetCode.COMPRESSED: RpcCode.MALFORMED,
    NetCode.NOT_A_STREAM: RpcCode.MALFORMED,
}
_RATE_CODES: Final = frozenset({429, -32005, -32016, -32029})
_REVERT_CODE: Final = 3


def of_net(fault: NetFault) -> RpcError:
    """There was no whole HTTP answer."""
    return RpcError(_NET[fault.code], str(fault), sent=fault.sent)


def malformed(text: str) -> RpcError:
    """It answered, and no node answers so."""
    return RpcError(RpcCode.MALFORMED, text)


def read_as(adapter: TypeAdapter[_T], result: object) -> _T:
    """A result as what it should be. Raises RpcError otherwise."""
    try:
        return adapter.validate_python(result)
    except ValidationError as error:
        at = ".".join(str(each) for each in error.errors(include_input=False)[0]["loc"])
        raise malformed(one_line(f"a result that is none: {at}" if at else "a result that is none")) from None


def result_of(reply: Reply, asked: int, errors: Errors) -> object:
    """The result of question `asked`. Raises RpcError when there is none."""
    envelope = _envelope(reply, asked)
    if envelope.error:
        raise _error(envelope.error, errors)
    if reply.status != httpx.codes.OK:
        raise malformed(f"an answer under HTTP {reply.status}")
    return envelope.result


def _envelope(reply: Reply, asked: int) -> WireEnvelope:
    """The answer to question `asked`; statuses without one become errors."""
    _of_status(reply)
    try:
        envelope = WireEnvelope.model_validate(parse(reply.body))
    except (NotStrict, ValidationError) as error:
        if reply.status != httpx.codes.OK:
            raise RpcError(RpcCode.REFUSED, f"HTTP {reply.status}") from None
        raise malformed(str(error) if isinstance(error, NotStrict) else "not a JSON-RPC answer") from None
    if envelope.error is None and "result" not in envelope.model_fields_set:
        raise malformed("neither a result nor an error")
    if envelope.error and envelope.result is not None:
        raise malformed("a result and an error at once")
    if envelope.id != asked and not (envelope.id is None and envelope.error):
        raise malformed("the answer to another question")
    return envelope


def _of_status(reply: Reply) -> None:
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        pause = _pause(reply.headers.get("retry-after", ""))
        raise RpcError(RpcCode.RATE_LIMITED, "asked too often (HTTP 429)", sent=False, retry_after_s=pause)
    if reply.status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise RpcError(RpcCode.SERVER_ERROR, f"HTTP {reply.status}")


def _error(fault: WireFault, errors: Errors) -> RpcError:
    text = one_line(fault.message) or f"error {fault.code}"
    if fault.code in _RATE_CODES or "rate limit" in text.lower():
        return RpcError(RpcCode.RATE_LIMITED, text, sent=False)
    if fault.code == _REVERT_CODE or "revert" in text.lower():
        revert = revert_of(_revert_data(fault.data), errors, text)
        return RpcError(RpcCode.REVERTED, revert.reason, revert=revert)
    return RpcError(RpcCode.REFUSED, text)


def _revert_data(data: object) -> bytes:
    """Some nodes give it bare, some in an object, some behind a word."""
    if isinstance(data, dict):
        data = data.get("data")
    text = data.removeprefix("Reverted ") if isinstance(data, str) else ""
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return b""


def _pause(text: str) -> float | None:
    return min(float(text), MAX_PAUSE_S) if text.isascii() and text.isdigit() else None
