"""What Avantis' servers say, read field by field: nothing is guessed, no float is made, no text of theirs stays raw.

Fields nobody asks for are ignored. A field that is asked for has the shape it must have, or the answer is refused.
"""

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import is_hex_address, to_checksum_address

from venue.avantis.units import scaled

_TEXT: Final = 160
_MOST_DIGITS: Final = 28
"""More significant digits than decimal arithmetic keeps: scaling them would round, perhaps up."""
_MOST: Final = Decimal(10**18)
_WORD: Final = 2**256


class AvantisCode(StrEnum):
    """Why Avantis gives no answer that may be acted on; stable."""

    UNREACHABLE = "UNREACHABLE"
    TOO_SLOW = "TOO_SLOW"
    TOO_LARGE = "TOO_LARGE"
    COMPRESSED = "COMPRESSED"
    REDIRECTED = "REDIRECTED"
    NOT_JSON = "NOT_JSON"
    WRONG_SHAPE = "WRONG_SHAPE"
    SERVER_FAILED = "SERVER_FAILED"
    UPSTREAM_ERROR = "UPSTREAM_ERROR"
    RATE_LIMITED = "RATE_LIMITED"
    GEO_RESTRICTED = "GEO_RESTRICTED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    BAD_REQUEST = "BAD_REQUEST"
    TX_REJECTED = "TX_REJECTED"
    SIMULATION_FAILED = "SIMULATION_FAILED"
    REFUSED = "REFUSED"
    HISTORY_FAILED = "HISTORY_FAILED"
    UNKNOWN_VERSION = "UNKNOWN_VERSION"
    STALE = "STALE"
    NOT_LISTED = "NOT_LISTED"
    META_MISMATCH = "META_MISMATCH"
    NO_PRICE = "NO_PRICE"
    SPREAD_BLOCKED = "SPREAD_BLOCKED"
    DO_NOT_EXECUTE = "DO_NOT_EXECUTE"


REMEDIES: Final = {
    AvantisCode.UNREACHABLE: "check the network and the host names of the configuration",
    AvantisCode.TOO_SLOW: "wait; the next read tries again",
    AvantisCode.TOO_LARGE: "check the host names: this server is not what it should be",
    AvantisCode.COMPRESSED: "check the host names: something between us and the server rewrites answers",
    AvantisCode.REDIRECTED: "the service has moved: configure its new host after checking who runs it",
    AvantisCode.NOT_JSON: "check the host names: a page answers instead of the service",
    AvantisCode.WRONG_SHAPE: "the venue has changed its answers: update perpdesk before trading on",
    AvantisCode.SERVER_FAILED: "wait; the venue has a fault of its own",
    AvantisCode.UPSTREAM_ERROR: "wait; the venue cannot reach the chain",
    AvantisCode.RATE_LIMITED: "wait as long as the server says, then ask less often",
    AvantisCode.GEO_RESTRICTED: "the venue does not serve this place by law; perpdesk does not work around it",
    AvantisCode.FORBIDDEN: "ask the venue whether this wallet or this address is blocked",
    AvantisCode.NOT_FOUND: "check what was asked for; it may not be indexed yet",
    AvantisCode.VALIDATION_ERROR: "the request does not fit the venue's rules: read its text",
    AvantisCode.BAD_REQUEST: "the request does not fit the venue's rules: read its text",
    AvantisCode.TX_REJECTED: "nothing was sent: read its text, then ask again",
    AvantisCode.SIMULATION_FAILED: "nothing was sent: it would have reverted; check balance, allowance and limits",
    AvantisCode.REFUSED: "read its text; perpdesk does not know this refusal",
    AvantisCode.HISTORY_FAILED: "wait; the history is not to be taken for empty",
    AvantisCode.UNKNOWN_VERSION: "the catalogue has a new version: update perpdesk before opening anything",
    AvantisCode.STALE: "wait for a fresh answer; check the clock of this machine",
    AvantisCode.NOT_LISTED: "choose a market the venue lists",
    AvantisCode.META_MISMATCH: "do not trade: the server names other contracts than the pinned ones",
    AvantisCode.NO_PRICE: "wait for a price; check the clock of this machine",
    AvantisCode.SPREAD_BLOCKED: "wait: the market is closed or in its roll window, or the wallet is blocked",
    AvantisCode.DO_NOT_EXECUTE: "wait: the venue has no spread for this order; it is not zero",
}


class AvantisError(Exception):
    """No answer that may be acted on: a stable code and one line.

    `sent`: the server may have acted on the request. `wait_s`: stay away at least this long.
    """

    def __init__(self, code: AvantisCode, text: str, *, sent: bool = True, wait_s: float = 0.0) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.sent = sent
        self.wait_s = wait_s

    @property
    def remedy(self) -> str:
        """What an operator can do about it."""
        return REMEDIES[self.code]


def cleaned(text: str) -> str:
    """Text of a server, fit for one line of a screen: nothing that acts on a terminal, not long."""
    return " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * _TEXT]).split())[:_TEXT]


def wrong(where: str, found: object, expected: str) -> AvantisError:
    """WRONG_SHAPE, naming the field, what it holds and what it should hold."""
    return AvantisError(AvantisCode.WRONG_SHAPE, f"{where} is {_shown(found)}: expected {expected}")


def _shown(found: object) -> str:
    match found:
        case None:
            return "missing"
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return repr(cleaned(found)[:40])
    return str(found)[:40]


class Fields:
    """An object of an answer, and where it stands. Every reader raises WRONG_SHAPE for what does not fit.

    Where several names are given, the first one that is there counts: the venue has renamed fields before.
    """

    __slots__ = ("_members", "where")

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise wrong(where, value, "an object")
        self._members: dict[str, object] = value
        self.where = where

    def names(self) -> Iterator[str]:
        """The names of all fields."""
        return iter(self._members)

    def get(self, *names: str) -> object:
        """The value as it stands, None when there is none."""
        return next((self._members[name] for name in names if self._members.get(name) is not None), None)

    def path(self, *names: str) -> str:
        """Where a field stands, for people."""
        return f"{self.where}.{names[0]}"

    def text(self, *names: str) -> str:
        """Text, cleaned."""
        value = self.get(*names)
        if not isinstance(value, str) or not cleaned(value):
            raise wrong(self.path(*names), value, "text")
        return cleaned(value)

    def flag(self, *names: str) -> bool:
        """True or false; 0 and 1 are neither."""
        value = self.get(*names)
        if not isinstance(value, bool):
            raise wrong(self.path(*names), value, "true or false")
        return value

    def integer(self, *names: str, least: int = 0, most: int = _WORD - 1) -> int:
        """An integer, as a number or as text: how the venue writes amounts of chain units, indexes and times."""
        value = self.get(*names)
        if isinstance(value, str) and len(value) <= 79 and value.isascii() and value.removeprefix("-").isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise wrong(self.path(*names), value, f"an integer from {least} to {_bound(most)}")
        return value

    def human(self, *names: str, steps: int, least: Decimal = Decimal(0), up: bool = False) -> int:
        """A decimal of at least `least`, in steps of 1/`steps`; rounded down, or up if asked."""
        value = self.get(*names)
        number = _decimal(value)
        if number is None or not least <= number < _MOST or len(number.as_tuple().digits) > _MOST_DIGITS:
            raise wrong(self.path(*names), value, f"a number of at least {least}")
        return -scaled(-number, steps) if up else scaled(number, steps)

    def address(self, *names: str) -> ChecksumAddress:
        """An address, however its letters are written."""
        value = self.get(*names)
        if not isinstance(value, str) or not is_hex_address(value):
            raise wrong(self.path(*names), value, "an address")
        return to_checksum_address(value)

    def inner(self, *names: str) -> "Fields":
        """An object in it."""
        return Fields(self.get(*names), self.path(*names))

    def rows(self, *names: str) -> list["Fields"]:
        """A list of objects in it."""
        value = self.get(*names)
        if not isinstance(value, list):
            raise wrong(self.path(*names), value, "a list")
        return [Fields(each, f"{self.path(*names)}[{at}]") for at, each in enumerate(value)]


def _bound(most: int) -> str:
    return str(most) if most < 10**18 else "a word of the chain"


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int):
        return Decimal(value) if abs(value) < _MOST else None
    plain = isinstance(value, str) and len(value) <= 40 and value.isascii()
    digits = value.removeprefix("-").replace(".", "", 1) if plain and isinstance(value, str) else ""
    return Decimal(value) if isinstance(value, str) and digits.isdigit() else None
