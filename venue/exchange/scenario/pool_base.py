"""What every operation of a pool scenario stands on."""

from fractions import Fraction
from typing import Annotated, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from venue.exchange.machine import Command
from venue.exchange.pool.units import TokenPrice
from venue.exchange.requests.request import Kind
from venue.exchange.scenario.numbers import Number

Seconds = Annotated[int, Field(ge=0, lt=10**12)]
Path = tuple[str, ...]


class Desk(Protocol):
    """What an operation needs to know of the simulation it is tried on."""

    now_ms: int

    def unit(self, token: str) -> int:
        """Smallest units of one token. Raises ValueError for an unknown one."""
        ...

    def pool_tokens(self, market: str) -> tuple[str, str, str]:
        """Index, long and short token; empty names for a market that is not there."""
        ...

    def request(self, number: int) -> tuple[Kind, str]:
        """Kind and key of the request with this number. Raises ValueError for a number not given out."""
        ...

    def prices(self) -> tuple[TokenPrice, ...]:
        """The prices set so far."""
        ...

    def fee(self, kind: str, hops: int, callback_units: int, given: Fraction | None) -> int:
        """The execution fee in smallest native units: what is given, or the least one."""
        ...


def _not_negative(value: Fraction) -> Fraction:
    if value < 0:
        raise ValueError("expected zero or more")
    return value


Amount = Annotated[Number, AfterValidator(_not_negative)]


class Op(BaseModel):
    model_config = ConfigDict(extra="forbid")

    def command(self, desk: Desk) -> Command:
        raise NotImplementedError
