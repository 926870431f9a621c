"""An agent's answer, read so strictly that nothing is guessed: one JSON object of five facts and an echo, or no plan.

There is no repair: an answer that has to be fished out of prose, or that says one thing twice, is not an answer.
"""

from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from engine.agent.plan import REASON_LIMIT, MarketSight, NoPlan, NoPlanCode, Plan, Sight
from engine.text import clean
from venue.net.strict import NotStrict, parse

MAX_TEXT: Final = 16_384
"""Most characters of an answer that are looked at; a longer one is refused whole."""
MAX_DEPTH: Final = 8
MAX_ASKED: Final = 2**63 - 1
"""The highest leverage that is read as a number and then capped; it fits wherever a plan is kept."""


def plan_of(text: str, sight: Sight, source: str) -> Plan:
    """The plan that an answer to `sight` amounts to, never above a market's `max_leverage`.

    An answer that would enter a market without a price or without any leverage becomes a refusal. Raises NoPlan
    (BAD_ANSWER) for everything that is not exactly an answer to this sight.
    """
    answer = _answer(text)
    if answer.request_id != sight.request_id:
        raise _bad("it answers another request")
    market = next((each for each in sight.markets if each.market == answer.market), None)
    if market is None:
        raise _bad("market: not one of those offered")
    reason = clean(answer.reason, REASON_LIMIT)
    if not answer.allow:
        return Plan(source, False, "", True, 0, reason)
    if answer.leverage < 1:
        raise _bad("leverage: expected at least 1")
    if obstacle := closed(market):
        refusal = clean(f"{obstacle}; the agent said: {reason}", REASON_LIMIT)
        return Plan(source, False, "", True, 0, refusal, asked_leverage=answer.leverage)
    leverage = min(answer.leverage, market.max_leverage)
    return Plan(source, True, market.market, answer.side == "long", leverage, reason, asked_leverage=answer.leverage)


def closed(market: MarketSight) -> str:
    """Why a market cannot be entered whatever the agent says; empty when it can."""
    if market.index is None:
        return f"{market.market}: no tradable price"
    return "" if market.max_leverage >= 1 else f"{market.market}: the caps leave no leverage"


def _whole(value: object) -> object:
    """20.0 and 2e1 are the whole number 20 in JSON; 20.5 is none."""
    if not isinstance(value, Decimal):
        return value
    if value.is_zero():  # first, because 0e999999999 is zero and a disaster to write out
        return 0
    if abs(value) > MAX_ASKED or value != value.to_integral_value():
        raise ValueError("expected a whole number")
    return int(value)


def _sound(text: str) -> str:
    """Half a surrogate pair is no text: it can be neither stored nor shown."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("expected valid Unicode") from None
    return text


class Answer(BaseModel):
    """What the agent sends, field by field. Strict: true is not 1, "20" is not 20, and nothing may be added."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    request_id: str
    allow: bool
    market: str
    side: Literal["long", "short"]
    leverage: Annotated[int, BeforeValidator(_whole), Field(ge=0, le=MAX_ASKED)]
    """Whole times; 0 only in a refusal."""
    reason: Annotated[str, AfterValidator(_sound)]


def _answer(text: str) -> Answer:
    try:
        if len(text) > MAX_TEXT:
            raise NotStrict(f"longer than {MAX_TEXT:,} characters")
        return Answer.model_validate(parse(text, MAX_DEPTH))
    except NotStrict as error:
        raise _bad(str(error)) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = first["loc"][0] if first["loc"] else "answer"
        if where not in Answer.model_fields and where != "answer":
            raise _bad("a field that was not asked for") from None  # its name came from outside
        raise _bad(f"{where}: {first['msg'].lower()}") from None


def _bad(what: str) -> NoPlan:
    return NoPlan(NoPlanCode.BAD_ANSWER, clean(f"the answer is unusable: {what}", REASON_LIMIT))
