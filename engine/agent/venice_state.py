"""How Venice is set up, and how it stands, as a screen may show it. No secret can be read out of either."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

import httpx
from pydantic import SecretStr

from venue.net.url import checked_key, checked_url

MOST_CONSUMPTION: Final = 9_999_999_999
_CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True, slots=True)
class VeniceOptions:
    """Everything Venice is told. Raises ValueError, in one line that shows no secret, for what cannot work."""

    url: str = "https://api.venice.ai/api/v1"
    api_key: SecretStr | None = field(default=None, repr=False)
    mint_key: SecretStr | None = field(default=None, repr=False)
    """Private key of a wallet that holds staked VVV; used to have a key issued when there is no `api_key`."""
    model: str = ""
    """Empty: chosen at run time."""
    timeout_s: float = 10.0
    """For one plan altogether: the wait for a place, the key, the model, the answer and one more attempt."""
    in_flight: int = 10
    consumption_diem: Decimal | str = "1"
    """Most that a minted key may spend in a day, in DIEM; and in USD."""
    consumption_usd: Decimal | str = "1"
    retry_wait_s: float = 0.25
    """Before the second attempt, when the first met a fault that may pass."""

    def __post_init__(self) -> None:
        self.checked_url()
        checked_key(self.api_key, "Venice")
        if self.mint_key is not None:
            _check_mint_key(self.mint_key)
        if not (0 < self.timeout_s <= 600 and self.in_flight >= 1 and 0 <= self.retry_wait_s <= 60):
            raise ValueError("Venice: expected timeout_s in (0, 600], in_flight from 1, retry_wait_s in [0, 60]")
        if not re.fullmatch(r"[!-~]{0,128}", self.model):
            raise ValueError("the Venice model is not a model id")
        self.consumption()

    def checked_url(self) -> httpx.URL:
        """The base URL. Raises ValueError for one that a key must not be sent to."""
        return checked_url(self.url, "Venice")

    def consumption(self) -> dict[str, float]:
        """The limit on a minted key, as Venice wants it. Raises ValueError for what is not an amount."""
        return {"usd": _amount(self.consumption_usd), "diem": _amount(self.consumption_diem)}


class VenicePhase(StrEnum):
    """What keeps Venice from answering, or that nothing does."""

    READY = "ready"
    NOT_ASKED = "not asked yet"
    NO_KEY = "no key"
    KEY_REFUSED = "key refused"
    NO_BALANCE = "no balance"
    RATE_LIMITED = "rate limited"
    RESTING = "too many failures"


@dataclass(frozen=True, slots=True)
class VeniceState:
    """Venice at one moment. `until_ms` (unix ms) is when it will be tried again; None is not known, or now."""

    phase: VenicePhase
    until_ms: int | None
    model: str
    """The one asked last; empty before the first time."""
    key_source: str
    """`environment`, `minted` or `none`."""
    balance_diem: Decimal | None = None
    balance_usd: Decimal | None = None
    """Before the last request, as the server said; None is unknown."""
    requests_left: int | None = None
    """In the server's present window; None is unknown."""
    asked: int = 0
    answered: int = 0
    failed: int = 0
    """Plans, not requests: those asked for, those that came, those that did not."""
    last_latency_ms: int | None = None

    @property
    def text(self) -> str:
        """The phase in words, with the time of day when it is known to end."""
        return self.phase.value if self.until_ms is None else f"{self.phase.value} until {clock_time(self.until_ms)}"


def clock_time(at_ms: int) -> str:
    """A time of day to the minute, rounded up so that it is never promised too early."""
    return datetime.fromtimestamp(-(-at_ms // 60_000) * 60, UTC).strftime("%H:%M UTC")


def _check_mint_key(key: SecretStr) -> None:
    digits = key.get_secret_value().removeprefix("0x")
    if not re.fullmatch(r"[0-9a-fA-F]{64}", digits) or not 0 < int(digits, 16) < _CURVE_ORDER:
        raise ValueError("VENICE_AUTO_MINT_KEY is not a private key: expected 32 bytes as 64 hex digits")


def _amount(value: Decimal | str) -> float:
    try:
        amount = Decimal(value)
    except (InvalidOperation, ValueError, TypeError):
        raise ValueError("a Venice consumption limit is not a number") from None
    if not (amount.is_finite() and 0 <= amount <= MOST_CONSUMPTION):
        raise ValueError(f"a Venice consumption limit must lie between 0 and {MOST_CONSUMPTION:,}")
    return float(amount)
