"""Whole answers of Avantis' servers: what their status and their envelope mean, in codes of ours.

There are three habits. tx-builder wraps everything in `{ok, data}` or `{ok, error}`; history in `{success, data}`, and
answers 200 even when it failed; the gateway and the feed answer bare, perhaps inside `{data}`.
"""

from typing import Final

from venue.avantis.wire import AvantisCode, AvantisError, Fields, cleaned
from venue.net.client import NetCode, NetFault, Reply
from venue.net.strict import NotStrict, parse

_LONGEST_WAIT_S: Final = 600.0
_LIMITED_S: Final = 10.0
"""Wait after a 429 that names none."""

_NET: Final = {
    NetCode.UNREACHABLE: AvantisCode.UNREACHABLE,
    NetCode.TOO_SLOW: AvantisCode.TOO_SLOW,
    NetCode.TOO_LARGE: AvantisCode.TOO_LARGE,
    NetCode.COMPRESSED: AvantisCode.COMPRESSED,
    NetCode.NOT_A_STREAM: AvantisCode.NOT_JSON,
}
_STATUS: Final = {
    400: AvantisCode.BAD_REQUEST,
    401: AvantisCode.FORBIDDEN,
    403: AvantisCode.FORBIDDEN,
    404: AvantisCode.NOT_FOUND,
    422: AvantisCode.VALIDATION_ERROR,
    429: AvantisCode.RATE_LIMITED,
    451: AvantisCode.GEO_RESTRICTED,
    502: AvantisCode.UPSTREAM_ERROR,
}
_BUILDER: Final = {
    "VALIDATION_ERROR": AvantisCode.VALIDATION_ERROR,
    "BAD_REQUEST": AvantisCode.BAD_REQUEST,
    "TX_REJECTED": AvantisCode.TX_REJECTED,
    "SIMULATION_FAILED": AvantisCode.SIMULATION_FAILED,
    "RATE_LIMITED": AvantisCode.RATE_LIMITED,
    "GEO_RESTRICTED": AvantisCode.GEO_RESTRICTED,
    "UPSTREAM_ERROR": AvantisCode.UPSTREAM_ERROR,
    "RPC_ERROR": AvantisCode.UPSTREAM_ERROR,
    "NOT_FOUND": AvantisCode.NOT_FOUND,
    "INTERNAL_ERROR": AvantisCode.SERVER_FAILED,
}
_BARE: Final = frozenset((429, 451))
"""Statuses that mean the same whatever stands below them: a gateway in front of the service sends them, as a page."""


def fault(error: NetFault) -> AvantisError:
    """A request that has no whole answer, in a code of ours."""
    return AvantisError(_NET[error.code], str(error), sent=error.sent)


def bare(reply: Reply, what: str, status: int = 200) -> Fields:
    """The object of an answer of the gateway or the feed, taken out of `{data}`. Raises AvantisError."""
    if reply.status != status:
        raise refusal(reply, what)
    fields = Fields(body(reply, what), what)
    return fields.inner("data") if isinstance(fields.get("data"), dict) else fields


def built(reply: Reply, what: str) -> Fields:
    """The data of an answer of tx-builder. Raises AvantisError with the code it sent."""
    if reply.status not in (200, 201):
        raise _explained(reply, what)
    fields = Fields(body(reply, what), what)
    if not fields.flag("ok"):
        raise _named(reply, fields.inner("error"), what)
    return fields.inner("data")


def _explained(reply: Reply, what: str) -> AvantisError:
    """By the code in the envelope, else by the status: what stands before the service knows no envelopes."""
    otherwise = refusal(reply, what)
    if reply.status in _BARE or otherwise.code is AvantisCode.REDIRECTED:
        return otherwise
    try:
        return _named(reply, Fields(body(reply, what), what).inner("error"), what)
    except AvantisError:
        return otherwise


def recorded(reply: Reply, what: str) -> Fields:
    """The envelope of an answer of history, which has succeeded. Raises AvantisError, for a 200 that failed as well."""
    if reply.status != 200:
        raise refusal(reply, what)
    fields = Fields(body(reply, what), what)
    if not fields.flag("success"):
        said = fields.get("errorMessage", "message", "error")
        raise AvantisError(AvantisCode.HISTORY_FAILED, _line(what, "failed", said))
    return fields


def body(reply: Reply, what: str) -> object:
    """The JSON of an answer. Raises NOT_JSON."""
    if reply.body.lstrip()[:1] == b"<":
        raise AvantisError(AvantisCode.NOT_JSON, f"{what}: an HTML page ({reply.status}): expected JSON")
    try:
        return parse(reply.body)
    except NotStrict as error:
        raise AvantisError(AvantisCode.NOT_JSON, f"{what}: {error} ({reply.status})") from None


def refusal(reply: Reply, what: str) -> AvantisError:
    """What an answer means by its status alone, with what the server says if that can be read."""
    if 300 <= reply.status < 400:
        return AvantisError(AvantisCode.REDIRECTED, f"{what}: redirect refused ({reply.status})")
    if reply.status not in _BARE and reply.body.lstrip()[:1] == b"<":
        return AvantisError(AvantisCode.NOT_JSON, f"{what}: an HTML page ({reply.status}): expected JSON")
    otherwise = AvantisCode.SERVER_FAILED if reply.status >= 500 else AvantisCode.REFUSED
    code = _STATUS.get(reply.status, otherwise)
    return AvantisError(code, _line(what, f"status {reply.status}", _said(reply)), wait_s=_wait_s(reply, code))


def _named(reply: Reply, error: Fields, what: str) -> AvantisError:
    name = error.text("code")
    code = _BUILDER.get(name, AvantisCode.REFUSED)
    return AvantisError(code, _line(what, name, error.get("message")), wait_s=_wait_s(reply, code))


def _said(reply: Reply) -> object:
    try:
        value = parse(reply.body)
    except NotStrict:
        return None
    if not isinstance(value, dict):
        return None
    inner = value.get("error")
    return inner.get("message") if isinstance(inner, dict) else value.get("message", inner)


def _line(what: str, why: str, said: object) -> str:
    words = cleaned(said) if isinstance(said, str) else ""
    return f"{what}: {why}: {words}" if words else f"{what}: {why}"


def _wait_s(reply: Reply, code: AvantisCode) -> float:
    if code is not AvantisCode.RATE_LIMITED:
        return 0.0
    text: str = reply.headers.get("retry-after", "")
    told = text.isascii() and text.isdigit() and len(text) < 6
    return min(float(text), _LONGEST_WAIT_S) if told else _LIMITED_S
