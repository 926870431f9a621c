"""Nothing is signed that was not asked for: the only maker of `Passed`, and the signer takes nothing else.

A call that a remote builder returns is held against our own encoding of what was asked, byte by byte; only words that
the builder must choose may differ, within bounds. Then every call, our own included, must be on the allow-list, under
its cap on native coin, and survive a simulation (`reliability`: rows B1 to B11, finding 9).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, final

from eth_typing import ChecksumAddress

from venue.chain.abi import SELECTOR, WORD, AbiError, Function
from venue.chain.call import Call, Wei


class GuardCode(StrEnum):
    """Why a call is not signed; stable."""

    WRONG_CHAIN = "WRONG_CHAIN"
    WRONG_SENDER = "WRONG_SENDER"
    WRONG_TARGET = "WRONG_TARGET"
    WRONG_FUNCTION = "WRONG_FUNCTION"
    WRONG_LENGTH = "WRONG_LENGTH"
    WRONG_ARGUMENT = "WRONG_ARGUMENT"
    OUT_OF_BOUNDS = "OUT_OF_BOUNDS"
    WRONG_VALUE = "WRONG_VALUE"
    VALUE_TOO_HIGH = "VALUE_TOO_HIGH"
    NOT_ALLOWED = "NOT_ALLOWED"
    NOT_CANONICAL = "NOT_CANONICAL"
    FORBIDDEN_ARGUMENT = "FORBIDDEN_ARGUMENT"
    WOULD_REVERT = "WOULD_REVERT"
    CHANGED = "CHANGED"


class Refused(Exception):
    """A call that must not be signed: a stable code, and one line that says what was expected."""

    def __init__(self, code: GuardCode, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class FreeWord:
    """A word of the calldata that the builder chooses, from `least` to `most`."""

    index: int
    """Which word after the selector, from 0."""
    name: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Expected:
    """The call that was asked for, as we encode it ourselves."""

    sender: ChecksumAddress
    call: Call
    free: tuple[FreeWord, ...] = ()
    most_value: Wei | None = None
    """The builder may name any value up to this; None: exactly that of `call`."""


@dataclass(frozen=True, slots=True)
class Offered:
    """The call that a builder returned, parsed and not believed."""

    chain_id: int
    sender: ChecksumAddress
    call: Call


@dataclass(frozen=True, slots=True)
class Rule:
    """One function that may be called at one address."""

    function: Function
    most_value: Wei = 0
    forbids: Callable[[tuple[Any, ...]], str] | None = None
    """Says why arguments are forbidden, or nothing."""


@final
class Passed:
    """A call the guard has passed. Only `Guard` makes it."""

    __slots__ = ("_call", "_what")

    def __init__(self, call: Call, what: str, made_by: object) -> None:
        if not isinstance(made_by, Guard):
            raise TypeError("only the guard passes calls")
        self._call = call
        self._what = what

    @property
    def call(self) -> Call:
        return self._call

    @property
    def what(self) -> str:
        """The function, for people."""
        return self._what


def matched(expected: Expected, offered: Offered, chain_id: int) -> Call:
    """The offered call, if it is the expected one. Raises Refused otherwise."""
    ours, theirs = expected.call, offered.call
    if offered.chain_id != chain_id:
        raise Refused(GuardCode.WRONG_CHAIN, f"chain id {offered.chain_id}: expected {chain_id}")
    if offered.sender != expected.sender:
        raise Refused(GuardCode.WRONG_SENDER, f"from {offered.sender}: expected {expected.sender}")
    if theirs.to != ours.to:
        raise Refused(GuardCode.WRONG_TARGET, f"to {theirs.to}: expected {ours.to}")
    if theirs.data[:SELECTOR] != ours.data[:SELECTOR]:
        found, asked = theirs.data[:SELECTOR].hex(), ours.data[:SELECTOR].hex()
        raise Refused(GuardCode.WRONG_FUNCTION, f"function 0x{found}: expected 0x{asked}")
    if len(theirs.data) != len(ours.data):
        raise Refused(GuardCode.WRONG_LENGTH, f"{len(theirs.data)} bytes of calldata: expected {len(ours.data)}")
    _compare_words(expected, theirs.data)
    if expected.most_value is None and theirs.value != ours.value:
        raise Refused(GuardCode.WRONG_VALUE, f"value {theirs.value} wei: expected {ours.value}")
    if expected.most_value is not None and not 0 <= theirs.value <= expected.most_value:
        raise Refused(GuardCode.VALUE_TOO_HIGH, f"value {theirs.value} wei: expected at most {expected.most_value}")
    return theirs


def _compare_words(expected: Expected, theirs: bytes) -> None:
    free = {word.index: word for word in expected.free}
    ours = expected.call.data
    for index, at in enumerate(range(SELECTOR, len(ours), WORD)):
        found, asked = theirs[at : at + WORD], ours[at : at + WORD]
        if index not in free:
            if found != asked:
                raise Refused(GuardCode.WRONG_ARGUMENT, f"word {index} is 0x{found.hex()}: expected 0x{asked.hex()}")
            continue
        word, value = free[index], int.from_bytes(found, "big")
        if not word.least <= value <= word.most:
            text = f"{word.name} {value}: expected {word.least} to {word.most}"
            raise Refused(GuardCode.OUT_OF_BOUNDS, text)


Simulate = Callable[[Call], Awaitable[str]]
"""Runs a call without sending it; says why it would revert, or nothing. Raises when nobody can tell."""


Changed = Callable[[ChecksumAddress], str]
"""Why a contract is not the one that was put on the list, or nothing."""


class Guard:
    """The allow-list, with the simulation behind it."""

    def __init__(
        self,
        rules: Mapping[ChecksumAddress, tuple[Rule, ...]],
        simulate: Simulate,
        changed: Changed = lambda _: "",
    ) -> None:
        self._rules = {(to, rule.function.selector): rule for to, several in rules.items() for rule in several}
        self._simulate = simulate
        self._changed = changed

    def allow(self, call: Call) -> Rule:
        """The rule under which a call is allowed, before it is simulated. Raises Refused."""
        rule = self._rules.get((call.to, call.data[:SELECTOR]))
        if rule is None:
            text = f"0x{call.data[:SELECTOR].hex()} at {call.to} is not on the allow-list"
            raise Refused(GuardCode.NOT_ALLOWED, text)
        try:
            arguments = rule.function.decode(call.data)
        except AbiError as error:
            raise Refused(GuardCode.NOT_CANONICAL, str(error)) from None
        if not 0 <= call.value <= rule.most_value:
            text = f"{rule.function.name}: value {call.value} wei: expected at most {rule.most_value}"
            raise Refused(GuardCode.VALUE_TOO_HIGH, text)
        if rule.forbids and (why := rule.forbids(arguments)):
            raise Refused(GuardCode.FORBIDDEN_ARGUMENT, f"{rule.function.name}: {why}")
        return rule

    async def passes(self, call: Call) -> Passed:
        """`call`, fit to be signed. Raises Refused, or whatever the simulation raises when nobody can tell."""
        rule = self.allow(call)
        if why := self._changed(call.to):
            raise Refused(GuardCode.CHANGED, why)
        if why := await self._simulate(call):
            raise Refused(GuardCode.WOULD_REVERT, f"{rule.function.name} would revert: {why}")
        return Passed(call, rule.function.name, self)
