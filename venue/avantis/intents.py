"""Signed intents: what the trader signs so that the venue's relay may send it. Nothing here signs.

Prices and amounts are those of `asked`; deadlines are Unix milliseconds, an expiry is Unix seconds. Nonces are random,
256 bits wide, and their order means nothing; whoever makes an intent brings one.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from eth_typing import ChecksumAddress

from venue.avantis import intent_types
from venue.avantis.asked import MARKET, Close, Increase, Open
from venue.avantis.intent_types import DOMAIN, TYPES, Domain, Message, Value


@dataclass(frozen=True, slots=True)
class OpenIntent:
    """Open at market."""

    asked: Open
    deadline_ms: int
    nonce: int

    @property
    def trader(self) -> ChecksumAddress:
        return self.asked.trader


@dataclass(frozen=True, slots=True)
class IncreaseIntent:
    """Add to a position."""

    asked: Increase
    deadline_ms: int
    nonce: int

    @property
    def trader(self) -> ChecksumAddress:
        return self.asked.trader


@dataclass(frozen=True, slots=True)
class CloseIntent:
    """Take collateral out of the position that has stood since `opened_at` (Unix seconds).

    Every change of margin and every partial close moves `opened_at`: it is read again right before signing. The intent
    carries no slippage of its own, its price is what the venue measures against.
    """

    asked: Close
    opened_at: int
    deadline_ms: int
    nonce: int

    @property
    def trader(self) -> ChecksumAddress:
        return self.asked.trader


@dataclass(frozen=True, slots=True)
class TriggersIntent:
    """Set both triggers. A take-profit of 0 is the venue's highest, not none; a stop-loss of 0 is none."""

    trader: ChecksumAddress
    pair_index: int
    trade_index: int
    take_profit: int
    stop_loss: int
    deadline_ms: int
    nonce: int


@dataclass(frozen=True, slots=True)
class DelegateIntent:
    """Let `delegate` sign until `expiry_s`. `terms` is the venue's legal text, which a person has agreed to."""

    trader: ChecksumAddress
    delegate: ChecksumAddress
    expiry_s: int
    terms: str
    deadline_ms: int
    nonce: int


OrderIntent = OpenIntent | IncreaseIntent | CloseIntent
Intent = OrderIntent | TriggersIntent | DelegateIntent


class IntentCode(StrEnum):
    """Why an intent is not signed; stable."""

    WRONG_TRADER = "INTENT_WRONG_TRADER"
    DIGEST_MISMATCH = "INTENT_DIGEST_MISMATCH"
    LEVERAGE_OUT_OF_BOUNDS = "INTENT_LEVERAGE_OUT_OF_BOUNDS"
    SLIPPAGE_OUT_OF_BOUNDS = "INTENT_SLIPPAGE_OUT_OF_BOUNDS"
    COLLATERAL_OUT_OF_BOUNDS = "INTENT_COLLATERAL_OUT_OF_BOUNDS"
    PRICE_OUT_OF_BOUNDS = "INTENT_PRICE_OUT_OF_BOUNDS"
    DEADLINE_TOO_SOON = "INTENT_DEADLINE_TOO_SOON"
    DEADLINE_TOO_LATE = "INTENT_DEADLINE_TOO_LATE"
    NONCE_OUT_OF_BOUNDS = "INTENT_NONCE_OUT_OF_BOUNDS"
    POSITION_UNKNOWN = "INTENT_POSITION_UNKNOWN"
    EXPIRY_OUT_OF_BOUNDS = "INTENT_EXPIRY_OUT_OF_BOUNDS"
    WRONG_DELEGATE = "INTENT_WRONG_DELEGATE"
    NO_TERMS = "INTENT_NO_TERMS"
    DOES_NOT_FIT = "INTENT_DOES_NOT_FIT"


class IntentRefused(Exception):
    """An intent that must not be signed: a stable code, and one line that says what was expected."""

    def __init__(self, code: IntentCode, text: str) -> None:
        super().__init__(text)
        self.code = code


def typed(intent: Intent) -> tuple[str, Message]:
    """The type of an intent and its message."""
    ends = (intent.deadline_ms, intent.nonce)
    match intent:
        case OpenIntent(asked):
            # in a request positionSizeUSDC is the collateral; index, initialPosToken, tp, sl and timestamp stay 0
            amounts = (asked.collateral, asked.price, asked.is_long, asked.leverage)
            trade = _named("Trade", asked.trader, asked.pair_index, 0, 0, *amounts, 0, 0, 0)
            return _typed("OpenTradeReq", trade, MARKET, asked.slippage, *ends)
        case IncreaseIntent(asked):
            position = (asked.trader, asked.pair_index, asked.trade_index)
            added = _named("UpdatePositionSize", *position, asked.price, asked.collateral, asked.leverage)
            return _typed("IncreasePositionSizeReq", added, asked.slippage, *ends)
        case CloseIntent(asked, opened_at):
            position = (asked.trader, asked.pair_index, asked.trade_index)
            return _typed("CloseTradeReq", *position, opened_at, asked.collateral, asked.price, *ends)
        case TriggersIntent(trader, pair, index, take_profit, stop_loss):
            return _typed("UpdateTpSlReq", trader, pair, index, take_profit, stop_loss, *ends)
        case DelegateIntent(trader, delegate, expiry, terms, deadline, nonce):
            return _typed("DelegateReq", trader, delegate, expiry, deadline, terms, nonce)


def _typed(kind: str, *values: Value) -> tuple[str, Message]:
    return kind, _named(kind, *values)


def _named(kind: str, *values: Value) -> Message:
    return {name: value for (_, name), value in zip(TYPES[kind], values, strict=True)}


def digest(intent: Intent, domain: Domain = DOMAIN) -> bytes:
    """What is signed for an intent: 32 bytes. Raises AbiError for numbers that do not fit."""
    return intent_types.digest(*typed(intent), domain)


def encoded(intent: Intent) -> bytes:
    """The bytes of an intent as its contract reads them. Raises AbiError for numbers that do not fit."""
    return intent_types.encoded(*typed(intent))


def digest_matches(remote: str, ours: bytes) -> None:
    """Holds a server's digest against ours. Raises IntentRefused: such a server builds something else."""
    if not re.fullmatch(r"0x[0-9a-fA-F]{64}", remote) or bytes.fromhex(remote[2:]) != ours:
        raise IntentRefused(IntentCode.DIGEST_MISMATCH, f"the server's digest is not ours, 0x{ours.hex()}")
