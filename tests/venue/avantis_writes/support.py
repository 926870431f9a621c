"""The way from an answer to a signature, with a signer that counts."""

from tests.venue.avantis_writes.golden import TRADER
from venue.avantis.asked import Asked
from venue.avantis.builder import Builder
from venue.avantis.envelope import NotOffered
from venue.avantis.rules import rules
from venue.chain.call import Call
from venue.chain.guard import Guard, Passed, Refused


async def survives(_: Call) -> str:
    """A simulation that stops nothing, so that the walls before it have to."""
    return ""


class Way:
    """Asks a builder, lets the guard pass the call and signs it."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._guard = Guard(rules(TRADER), survives)
        self.signed: list[Passed] = []
        self.said: list[str] = []

    async def go(self, asked: Asked) -> str:
        """The code of the refusal, or nothing when it was signed."""
        try:
            call = await self._builder.call(asked)
            passed = await self._guard.passes(call)
        except (NotOffered, Refused) as refusal:
            self.said.append(str(refusal))
            return str(refusal.code)
        self.signed.append(passed)
        return ""
