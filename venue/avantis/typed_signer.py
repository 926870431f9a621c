"""The only way to a signature over an intent: a checker passes it, and the signer takes nothing else.

An intent that is signed is money for whoever holds it until its deadline. So the domain is a constant, no digest comes
from outside, and deadlines are short.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Never, SupportsIndex, final

from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress, Hash32

from venue.avantis.asked import LIMITS, Close, Limits, Order
from venue.avantis.intents import (
    CloseIntent,
    DelegateIntent,
    Intent,
    IntentCode,
    IntentRefused,
    TriggersIntent,
    digest,
    encoded,
)
from venue.chain.abi import AbiError

SOONEST_MS: Final = 5_000
LATEST_MS: Final = 5 * 60_000
LONGEST_DELEGATION_S: Final = 30 * 24 * 3600


@final
class PassedIntent:
    """An intent that is fit to be signed, as it is now. Only `IntentChecker` makes it."""

    __slots__ = ("_digest", "_encoded", "_intent")

    def __init__(self, intent: Intent, made_by: object) -> None:
        if not isinstance(made_by, IntentChecker):
            raise TypeError("only the checker passes intents")
        self._intent = intent
        self._digest = digest(intent)
        self._encoded = encoded(intent)

    @property
    def intent(self) -> Intent:
        return self._intent

    @property
    def digest(self) -> bytes:
        return self._digest

    @property
    def encoded(self) -> bytes:
        return self._encoded


class IntentChecker:
    """Bounds every field of an intent. `now_ms` is Unix milliseconds, best of the newest block."""

    def __init__(self, wallet: ChecksumAddress, now_ms: Callable[[], int], limits: Limits = LIMITS) -> None:
        self._wallet = wallet
        self._now_ms = now_ms
        self._limits = limits

    @property
    def wallet(self) -> ChecksumAddress:
        return self._wallet

    def passes(self, intent: Intent) -> PassedIntent:
        """`intent`, fit to be signed. Raises IntentRefused."""
        if intent.trader != self._wallet:
            raise IntentRefused(IntentCode.WRONG_TRADER, f"trader {intent.trader}: expected {self._wallet}")
        _within(IntentCode.NONCE_OUT_OF_BOUNDS, "nonce", intent.nonce, 0, 2**256 - 1)
        self._check_deadline(intent.deadline_ms)
        match intent:
            case TriggersIntent():
                for price in (intent.take_profit, intent.stop_loss):
                    _within(IntentCode.PRICE_OUT_OF_BOUNDS, "trigger", price, 0, 2**128)
            case DelegateIntent():
                self._check_delegation(intent)
            case _:
                self._check_order(intent.asked)
        if isinstance(intent, CloseIntent):
            now_s = self._now_ms() // 1000
            _within(IntentCode.POSITION_UNKNOWN, "opened_at", intent.opened_at, 1, now_s + 60)
        try:
            return PassedIntent(intent, self)
        except AbiError as error:
            raise IntentRefused(IntentCode.DOES_NOT_FIT, str(error)) from None

    def _check_deadline(self, deadline_ms: int) -> None:
        left = deadline_ms - self._now_ms()
        if left < SOONEST_MS:
            raise IntentRefused(IntentCode.DEADLINE_TOO_SOON, f"deadline in {left} ms: expected {SOONEST_MS} at least")
        if left > LATEST_MS:
            raise IntentRefused(IntentCode.DEADLINE_TOO_LATE, f"deadline in {left} ms: expected {LATEST_MS} at most")

    def _check_order(self, asked: Order) -> None:
        most = self._limits
        _within(IntentCode.COLLATERAL_OUT_OF_BOUNDS, "collateral", asked.collateral, 1, most.most_collateral)
        _within(IntentCode.PRICE_OUT_OF_BOUNDS, "price", asked.price, 1, 2**128)
        _within(IntentCode.SLIPPAGE_OUT_OF_BOUNDS, "slippage", asked.slippage, 0, most.most_slippage)
        if not isinstance(asked, Close):
            _within(IntentCode.LEVERAGE_OUT_OF_BOUNDS, "leverage", asked.leverage, 1, most.most_leverage)

    def _check_delegation(self, intent: DelegateIntent) -> None:
        if intent.delegate == self._wallet or not int(intent.delegate, 16):
            raise IntentRefused(IntentCode.WRONG_DELEGATE, "the delegate is the wallet itself or nobody")
        if not intent.terms.strip():
            raise IntentRefused(IntentCode.NO_TERMS, "there are no terms that a person could have agreed to")
        now_s = self._now_ms() // 1000
        _within(IntentCode.EXPIRY_OUT_OF_BOUNDS, "expiry", intent.expiry_s, now_s + 1, now_s + LONGEST_DELEGATION_S)


def _within(code: IntentCode, name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise IntentRefused(code, f"{name} {value}: expected {least} to {most}")


@dataclass(frozen=True, slots=True)
class SignedIntent:
    """An intent with its signature, r, s and v (27 or 28)."""

    intent: Intent
    digest: bytes
    encoded: bytes
    signature: bytes = field(repr=False)
    """With the rest it is money for whoever has it, until the deadline."""


@final
class IntentSigner:
    """Signs for one account what the checker has passed. The key is in no repr and no pickle."""

    __slots__ = ("_account",)

    def __init__(self, account: LocalAccount) -> None:
        self._account = account

    def __repr__(self) -> str:
        return f"IntentSigner({self._account.address})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> Never:
        raise TypeError("a signer stays where it is")

    def signed(self, passed: PassedIntent) -> SignedIntent:
        """`passed` with its signature. Raises TypeError for anything else."""
        if not isinstance(passed, PassedIntent):
            raise TypeError("only passed intents are signed")
        made = self._account.unsafe_sign_hash(Hash32(passed.digest))  # safe: no digest comes from outside
        return SignedIntent(passed.intent, passed.digest, passed.encoded, bytes(made.signature))
