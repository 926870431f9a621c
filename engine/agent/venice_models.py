"""Which model to ask. Model ids come and go, so they are looked up, not known."""

import asyncio
from decimal import Decimal
from http import HTTPStatus
from typing import Final

from pydantic import BaseModel, ConfigDict, OnErrorOmit, ValidationError

from engine.agent.plan import NoPlan, NoPlanCode
from engine.agent.venice_link import Link, Secrets
from engine.clock import Clock
from venue.net.strict import NotStrict, parse

PREFERRED: Final = (
    "deepseek-v4-flash",
    "qwen3-235b-a22b-instruct-2507",
    "mistral-small-3-2-24b-instruct",
    "venice-uncensored-1-2",
)
"""Cheap, quick, and able to hold to a schema when this was written; the rest follow by price."""
MAX_LIST: Final = 2 * 1024 * 1024
LIST_S: Final = 3600.0
EMPTY_LIST_S: Final = 60.0
"""How long a list of models is believed; one without a usable model is looked at again sooner."""


class _Wire(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False)


class _Capabilities(_Wire):
    supportsResponseSchema: bool = False  # noqa: N815 - the server's name


class _Price(_Wire):
    usd: Decimal | int


class _Pricing(_Wire):
    output: _Price


class _Spec(_Wire):
    capabilities: _Capabilities
    offline: bool = False
    deprecation: object = None
    """Present only for models that are to be retired."""
    pricing: _Pricing | None = None


class _Model(_Wire):
    id: str
    model_spec: _Spec


class _Models(_Wire):
    data: list[OnErrorOmit[_Model]]


class Models:
    """The models worth asking, best first. A configured one is the only one."""

    def __init__(self, link: Link, clock: Clock, configured: str, secrets: Secrets) -> None:
        self._link = link
        self._clock = clock
        self._configured = configured
        self._secrets = secrets
        self._known: tuple[str, ...] = (configured,) if configured else ()
        self._missing: set[str] = set()
        self._believed_until = 0.0
        self._looking = asyncio.Lock()
        self.last = ""
        """The one chosen last, empty before the first time."""

    async def current(self) -> str:
        """The model to ask now. Raises NoPlan without one (NO_MODEL), or as the link does when it cannot be known."""
        if not self._configured:
            async with self._looking:  # ten desks need one list
                if self._clock.monotonic() >= self._believed_until:
                    await self._look()
        if not self._known:
            raise NoPlan(NoPlanCode.NO_MODEL, "the server offers no model that holds to a schema")
        self.last = self._known[0]
        return self.last

    def missing(self, model: str) -> None:
        """The server does not know this model, or keeps it from us: the list is out of date."""
        if model != self._configured and model in self._known:
            self._missing.add(model)
            self._known = tuple(each for each in self._known if each != model)
            self._believed_until = 0.0

    def busy(self, model: str) -> bool:
        """This model is at capacity: the others go first until the list is read again. Whether there is another."""
        if self._known and self._known[0] == model:
            self._known = (*self._known[1:], model)
        return any(each != model for each in self._known)

    async def _look(self) -> None:
        try:
            found = await self._listed()
        except NoPlan:
            if self._known:
                return  # an old list is better than none
            raise
        self._known = tuple(each for each in found if each not in self._missing)
        if not self._known:
            self._missing.clear()  # they get another chance when the list is next read
        self._believed_until = self._clock.monotonic() + (LIST_S if self._known else EMPTY_LIST_S)

    async def _listed(self) -> list[str]:
        reply = await self._link.send("GET", "models", query=(("type", "text"),), limit=MAX_LIST)
        if reply.status != HTTPStatus.OK:
            raise self._link.fault(reply)
        try:
            models = _Models.model_validate(parse(reply.body)).data
        except (NotStrict, ValidationError):
            raise NoPlan(NoPlanCode.NO_MODEL, "the list of models is malformed") from None
        usable = [each for each in models if _usable(each) and not self._secrets.within(each.id)]
        return [model.id for model in sorted(usable, key=_rank)]


def _usable(model: _Model) -> bool:
    spec = model.model_spec
    named = 0 < len(model.id) <= 128 and all("!" <= char <= "~" for char in model.id)
    return named and spec.capabilities.supportsResponseSchema and not spec.offline and spec.deprecation is None


def _rank(model: _Model) -> tuple[int, float]:
    place = PREFERRED.index(model.id) if model.id in PREFERRED else len(PREFERRED)
    pricing = model.model_spec.pricing
    return place, float(pricing.output.usd) if pricing else float("inf")
