"""The first tier: a language model at Venice, asked for one strict answer and believed only as far as it was asked.

Whatever goes wrong, the outcome is "no plan" and a line that says why; the desks then go by their own signals.
"""

import asyncio
import re
import sys
import traceback
from dataclasses import replace
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Final, Literal

import stamina
import structlog
from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr, ValidationError

from engine.agent import prompt
from engine.agent.plan import REASON_LIMIT, NoPlan, NoPlanCode, Plan, Sight
from engine.agent.strict import closed, plan_of
from engine.agent.venice_guard import Guard
from engine.agent.venice_key import Keys
from engine.agent.venice_link import Link, Passing, Secrets, error_text
from engine.agent.venice_models import Models
from engine.agent.venice_state import VeniceOptions, VenicePhase, VeniceState
from engine.clock import Clock
from engine.text import clean
from venue.net.client import Reply
from venue.net.strict import NotStrict, parse

ATTEMPTS: Final = 2
MAX_TOKENS: Final = 400
TEMPERATURE: Final = 0.2
_HIDDEN_MODEL: Final = ("pro_only_model", "only available to pro users")
"""A 401 that concerns the model and not the key."""
_UNKNOWN_MODEL: Final = ("invalid_model", "invalid model specified")
"""A 400 that a 404 would have said better."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class _Wire(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)


class _Message(_Wire):
    content: str


class _Choice(_Wire):
    finish_reason: Literal["stop"]
    message: _Message


class _Completion(_Wire):
    choices: Annotated[list[_Choice], Field(min_length=1, max_length=1)]


class Venice:
    """Implements `Tier`. Raises ValueError for options that cannot work; close it when done."""

    name = "venice"

    def __init__(self, options: VeniceOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._secrets = Secrets()
        self._guard = Guard(clock)
        self._link = Link(options.checked_url(), options.in_flight, options.timeout_s, self._guard, self._secrets)
        self._keys = Keys(options, self._link, self._secrets, clock)
        self._models = Models(self._link, clock, options.model, self._secrets)
        self._places = asyncio.Semaphore(options.in_flight)
        self._balances: dict[str, Decimal] = {}
        self._requests_left: int | None = None
        self._last_latency_ms: int | None = None
        self._asked = self._answered = self._failed = 0

    async def aclose(self) -> None:
        """Gives up what is under way here and closes connections. Cancel callers of `plan` first."""
        await self._keys.aclose()
        await self._link.aclose()

    async def plan(self, sight: Sight) -> Plan:
        """What the model would do. Raises NoPlan, and nothing else.

        A sight in which no market can be entered is refused here: a model could only agree.
        """
        if all(closed(market) for market in sight.markets):
            obstacles = "; ".join(closed(market) for market in sight.markets) or "no market is offered"
            return Plan(self.name, False, "", True, 0, clean(obstacles))
        self._asked += 1
        try:
            plan = await self._within_deadline(sight)
        except BaseException as error:
            self._failed += 1
            if isinstance(error, NoPlan):
                log.warning("venice has no plan", code=error.code.value, why=error.detail)
            raise
        self._answered += 1
        log.info("venice answered", allow=plan.allow, model=self._models.last, latency_ms=self._last_latency_ms)
        return plan

    def state(self) -> VeniceState:
        """How it stands, without asking anybody."""
        phase, until_ms = self._phase()
        return VeniceState(
            phase=phase,
            until_ms=until_ms,
            model=self._models.last,
            key_source=self._keys.source,
            balance_diem=self._balances.get("diem"),
            balance_usd=self._balances.get("usd"),
            requests_left=self._requests_left,
            asked=self._asked,
            answered=self._answered,
            failed=self._failed,
            last_latency_ms=self._last_latency_ms,
        )

    def _phase(self) -> tuple[VenicePhase, int | None]:
        wrong = self._keys.phase() or self._guard.pause()
        return wrong or (VenicePhase.READY if self._asked else VenicePhase.NOT_ASKED, None)

    async def _within_deadline(self, sight: Sight) -> Plan:
        try:
            # Waiting for a place is no sign of a slow server: whoever holds one has a deadline.
            async with self._places, asyncio.timeout(self._options.timeout_s):
                return await self._with_retry(sight)
        except NoPlan:
            raise
        except TimeoutError:
            raise NoPlan(NoPlanCode.TIMED_OUT, f"no answer in {self._options.timeout_s:g} s") from None
        except Exception as error:
            # A bug or a library's surprise. Its text may hold a header, so only its kind and place are told.
            place = traceback.extract_tb(sys.exc_info()[2])[-1]
            log.error("venice failed unexpectedly", kind=type(error).__name__, at=f"{place.name}:{place.lineno}")
            raise NoPlan(NoPlanCode.SERVER_FAULT, f"unexpected {type(error).__name__}") from None

    async def _with_retry(self, sight: Sight) -> Plan:
        wait_s = self._options.retry_wait_s

        def passing(error: Exception) -> bool | float:
            return isinstance(error, Passing) and (0.0 if error.at_once else wait_s)

        async for attempt in stamina.retry_context(on=passing, attempts=ATTEMPTS, timeout=None):
            with attempt:
                return await self._once(sight)
        raise NoPlan(NoPlanCode.SERVER_FAULT, "not asked")  # the loop above returns or raises

    async def _once(self, sight: Sight) -> Plan:
        self._guard.check()
        key = await self._keys.current()
        model = await self._models.current()
        started = self._clock.monotonic()
        reply = await self._link.send("POST", "chat/completions", key=key, body=_request(sight, model))
        self._note(reply)
        if reply.status != HTTPStatus.OK:
            raise self._fault(reply, key, model)
        self._last_latency_ms = round((self._clock.monotonic() - started) * 1000)
        plan = plan_of(_content(reply), sight, self.name)
        # A server that echoes the key must not get it into the journal.
        return replace(plan, reason=self._secrets.line(plan.reason, REASON_LIMIT))

    def _fault(self, reply: Reply, key: SecretStr, model: str) -> NoPlan:
        """What a refusal means, and what follows from it for the key and the model."""
        text = error_text(reply).lower()
        hidden = reply.status == HTTPStatus.UNAUTHORIZED and any(each in text for each in _HIDDEN_MODEL)
        unknown = reply.status == HTTPStatus.BAD_REQUEST and any(each in text for each in _UNKNOWN_MODEL)
        if hidden or unknown or reply.status == HTTPStatus.NOT_FOUND:
            self._models.missing(model)
            detail = f"the server does not offer {model} ({reply.status})"
            if self._options.model:
                return NoPlan(NoPlanCode.NO_MODEL, detail)
            return Passing(NoPlanCode.NO_MODEL, detail, at_once=True)
        if reply.status == HTTPStatus.UNAUTHORIZED:
            self._keys.refuse(key)
        fault = self._link.fault(reply)
        if reply.status == HTTPStatus.SERVICE_UNAVAILABLE:
            return Passing(fault.code, fault.detail, at_once=self._models.busy(model))
        return fault

    def _note(self, reply: Reply) -> None:
        for unit in ("diem", "usd"):
            text = reply.headers.get(f"x-venice-balance-{unit}", "")
            if re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,36})?", text):
                self._balances[unit] = Decimal(text)
        left = reply.headers.get("x-ratelimit-remaining-requests", "")
        if re.fullmatch(r"[0-9]{1,12}", left):
            self._requests_left = int(left)


def _content(reply: Reply) -> str:
    """What the model said. Raises NoPlan."""
    try:
        completion = _Completion.model_validate(parse(reply.body))
    except NotStrict as error:
        raise NoPlan(NoPlanCode.BAD_ANSWER, f"the completion is unusable: {error}") from None
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise NoPlan(NoPlanCode.BAD_ANSWER, f"the completion is unusable: {where or 'not an object'}") from None
    return completion.choices[0].message.content


def _request(sight: Sight, model: str) -> dict[str, JsonValue]:
    return {
        "model": model,
        "messages": prompt.messages(sight),
        "response_format": prompt.response_format(sight),
        "temperature": TEMPERATURE,
        "max_completion_tokens": MAX_TOKENS,
        "stream": False,
        "venice_parameters": {
            "include_venice_system_prompt": False,
            "strip_thinking_response": True,
            "disable_thinking": True,
            "enable_web_search": "off",
        },
    }
