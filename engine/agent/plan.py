"""What an agent is shown and what it may answer. Both are closed: numbers in, five fields out.

Nothing here names a token or holds a word from outside, so nothing from outside can reach a prompt.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

REASON_LIMIT = 280
"""Most characters of a plan's reason that are kept."""


@dataclass(frozen=True, slots=True)
class MarketSight:
    """One market as the agent sees it. `index` in 1e-18 USD; `momentum` and `volatility` over the lookback in 1e-6.

    None is unknown: too few fresh samples, or no price. `max_leverage` is what every cap together allows, whole times.
    """

    market: str
    index: int | None
    momentum: int | None
    volatility: int | None
    max_leverage: int


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything the agent is told. `request_id` comes back with the answer; `pending` in 1e-6 USDC."""

    request_id: str
    at_ms: int
    pending: int
    lookback_ms: int
    in_session: bool
    markets: tuple[MarketSight, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """An answer that may be acted on: checked, and never above the market's `max_leverage`.

    `market`, `is_long` and `leverage` (whole times) mean something only when it allows. `asked_leverage` is what the
    agent wanted before the cap; `degraded` says why a better tier did not answer, or is empty.
    """

    source: str
    allow: bool
    market: str
    is_long: bool
    leverage: int
    reason: str
    asked_leverage: int = 0
    degraded: str = ""


class NoPlanCode(StrEnum):
    """Why a tier has no answer; stable, shown in the agent log."""

    SWITCHED_OFF = "SWITCHED_OFF"
    NO_KEY = "NO_KEY"
    KEY_REFUSED = "KEY_REFUSED"
    NO_BALANCE = "NO_BALANCE"
    RATE_LIMITED = "RATE_LIMITED"
    BUSY = "BUSY"
    NO_MODEL = "NO_MODEL"
    TIMED_OUT = "TIMED_OUT"
    UNREACHABLE = "UNREACHABLE"
    SERVER_FAULT = "SERVER_FAULT"
    REFUSED = "REFUSED"
    BAD_ANSWER = "BAD_ANSWER"


class NoPlan(Exception):
    """A tier cannot answer. One line, safe to show; never a reason to take more risk."""

    def __init__(self, code: NoPlanCode, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class Tier(Protocol):
    """Somebody who can be asked."""

    name: str

    async def plan(self, sight: Sight) -> Plan:
        """Raises NoPlan, and nothing else."""
        ...
