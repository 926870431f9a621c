"""The next transaction of a buyback: planned on what the chain says now, passed by the guard, sent."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from venue.chain.abi import AbiError
from venue.chain.envelope import RpcError
from venue.chain.guard import Guard, GuardCode, Refused
from venue.chain.machine import ChainCode
from venue.chain.sender import Sender
from venue.chain.state import Tx
from venue.uniswap.plan import Step, StepName, Terms
from venue.uniswap.pools import Pools
from venue.uniswap.route import Hop, RouteRefused, least
from venue.uniswap.trail import Job, Made, Trail, named

DEADLINE_S: Final = 600
"""How long a swap is good for: longer than the sender tries."""
TRIES: Final = 5
"""Most transactions of a hop that may fail before a person is asked: each of them costs gas."""
MOST: Final = 24
"""Most transactions of a hop at all."""


class SwapCode(StrEnum):
    """Why a buyback is declined or waits; stable. Refusals of route, guard and journal keep their own codes."""

    BUSY = "BUSY"
    BAD_ORDER = "BAD_ORDER"
    NOT_LAUNCHED = "NOT_LAUNCHED"
    NO_CHAIN = "NO_CHAIN"
    NO_QUOTE = "NO_QUOTE"
    TOO_FEW = "TOO_FEW"
    NEVER_SIGNED = "NEVER_SIGNED"
    REVERTED = "REVERTED"
    GIVEN_UP = "GIVEN_UP"
    KEY_SHARED = "KEY_SHARED"
    BAD_ANSWER = "BAD_ANSWER"
    NO_RECEIPT = "NO_RECEIPT"
    NOTHING_BOUGHT = "NOTHING_BOUGHT"
    TOO_MANY_TRIES = "TOO_MANY_TRIES"


class Hindered(Exception):
    """The next step cannot be taken now: a stable code and one line. `passing`: it may go by itself."""

    def __init__(self, code: str, text: str, *, passing: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.passing = passing


HINDRANCES: Final = (Hindered, RouteRefused, Refused, AbiError, RpcError)


def hindered(error: Exception) -> Hindered:
    """What any of `HINDRANCES` means to a buyback."""
    match error:
        case Hindered():
            return error
        case RouteRefused() | Refused():
            return Hindered(error.code, str(error))
        case RpcError() if error.revert is None:
            return Hindered(SwapCode.NO_CHAIN, f"{error.code}: {error}", passing=True)
        case RpcError():
            return Hindered(SwapCode.NO_QUOTE, f"the chain refuses: {error}")
        case _:
            return Hindered(SwapCode.BAD_ANSWER, str(error))


@dataclass(slots=True)
class Work:
    """A job under way. All of it can be made again from the journal."""

    job: Job
    tx_ids: list[str] = field(default_factory=list)
    """Those that may be in the journal."""
    bought: dict[int, int] = field(default_factory=dict)
    """By hop, once it is certain."""
    more: int = 0
    """Tries that a person has allowed on top."""
    burning: bool = False
    stuck: bool = False
    why: str = ""
    """Why it waits, when a person should know."""

    def next_id(self, hop: int, step: StepName) -> str:
        """An id that no transaction has yet."""
        numbers = (name.number for tx_id in self.tx_ids if (name := named(tx_id)))
        tx_id = self.job.tx_id(hop, max(numbers, default=0) + 1, step)
        self.tx_ids.append(tx_id)
        return tx_id


@dataclass(frozen=True, slots=True)
class Hops:
    """Raises one of `HINDRANCES` throughout; what was sent before stays in the journal."""

    pools: Pools
    guard: Guard
    sender: Sender
    slippage_ppm: int
    """How far below its quote each hop may end."""

    async def go_on(self, work: Work, trail: Trail, hop: int, amount: int) -> None:
        """Sends what comes next in a hop whose swap is not signed, or whose last one failed."""
        made = trail.of(hop)
        _bounded(work, made, hop)
        if any(not each.in_block and not each.failed for each in made):
            return
        hops = await self.pools.hops(work.job)
        terms = await self._terms(work.job, hops, hop, amount)
        steps = self.pools.planner.plan(hops[hop], terms, await self.pools.standing(hops[hop])).steps
        young = {each.name.step for each in made if isinstance(each.standing, Tx)}
        for step in steps:
            if step.name is StepName.SWAP and len(steps) > 1:
                return  # it would not survive the simulation before the approvals are in a block
            if step.name not in young:
                await self._send(work, hop, step, young=bool(young))

    async def burn(self, work: Work, trail: Trail, amount: int) -> None:
        """Burns what was bought."""
        hop = work.job.hops
        _bounded(work, trail.of(hop), hop)
        await self._send(work, hop, self.pools.planner.burn(work.job.token, amount), young=False)

    async def _terms(self, job: Job, hops: tuple[Hop, ...], hop: int, amount: int) -> Terms:
        quote = await self.pools.quote(hops[hop], amount)
        fewest = least(quote, self.slippage_ppm)
        if hop == 0:
            got = await self.pools.through(hops[1:], quote)
            if got < job.least:
                raise Hindered(SwapCode.TOO_FEW, f"{job.amount} would buy {got} now: expected {job.least}")
            fewest = max(fewest, job.least) if job.hops == 1 else fewest
        return Terms(amount, quote, fewest, await self.pools.now_s() + DEADLINE_S)

    async def _send(self, work: Work, hop: int, step: Step, *, young: bool) -> None:
        try:
            passed = await self.guard.passes(step.call)
        except Refused as refused:
            # Approvals of the newest blocks are not yet known to every node that simulates.
            passing = young and refused.code is GuardCode.WOULD_REVERT
            raise Hindered(refused.code, str(refused), passing=passing) from None
        if refusal := await self.sender.send(work.next_id(hop, step.name), passed):
            raise Hindered(refusal.code, refusal.detail, passing=refusal.code is ChainCode.TOO_MANY)


def _bounded(work: Work, made: tuple[Made, ...], hop: int) -> None:
    """Raises Hindered when enough has been tried. Before the money is spent one failure is enough."""
    failures = [each for each in made if each.failed]
    tries = TRIES + work.more if hop else 1
    if len(failures) >= tries or len(made) >= MOST + work.more:
        ended = f"{failures[-1].name.step}: {getattr(failures[-1].standing, 'result', '')}" if failures else "no end"
        raise Hindered(SwapCode.TOO_MANY_TRIES, f"{len(made)} transactions of hop {hop + 1}, the last one {ended}")
