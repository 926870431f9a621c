"""What the wallet's journal says of a buyback. Pure.

The ids of its transactions carry the whole job, so that nothing else has to be remembered to finish it after a crash.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from venue.chain.facts import Result
from venue.chain.state import Chain, Ended, Tx
from venue.uniswap.plan import StepName

PREFIX: Final = "buyback/"
ORDER_ID: Final = re.compile(r"[0-9A-Za-z_.-]{1,80}")
_TX_ID: Final = re.compile(
    r"buyback/(?P<order>[0-9A-Za-z_.-]{1,80})/(?P<kind>[a-z-]+)/(?P<token>0x[0-9a-fA-F]{40})"
    r"/(?P<amount>\d+)/(?P<least>\d+)/(?P<end>burn|keep)/(?P<hop>\d+)/(?P<number>\d+)/(?P<step>[a-z ]+)"
)


class Kind(StrEnum):
    """Along which pools; stable."""

    STRAIGHT = "straight"
    TWO_HOPS = "two-hops"
    DRAIN = "drain"
    """Of WETH that is left over."""


@dataclass(frozen=True, slots=True)
class Job:
    """A buyback. The amount is of USDC (1e-6), or of WETH (1e-18) for a drain."""

    order_id: str
    kind: Kind
    token: ChecksumAddress
    amount: int
    least: int
    """Fewer tokens are no trade; of two hops this holds when the first one is signed."""
    burn: bool

    @property
    def hops(self) -> int:
        return 2 if self.kind is Kind.TWO_HOPS else 1

    def tx_id(self, hop: int, number: int, step: StepName) -> str:
        """The id of the job's transaction with that running number."""
        end = "burn" if self.burn else "keep"
        job = f"{self.order_id}/{self.kind}/{self.token}/{self.amount}/{self.least}/{end}"
        return f"{PREFIX}{job}/{hop}/{number}/{step}"


@dataclass(frozen=True, slots=True)
class Name:
    """What an id says."""

    job: Job
    hop: int
    number: int
    step: StepName


@dataclass(frozen=True, slots=True)
class Made:
    """A transaction of the job that has a nonce."""

    name: Name
    standing: Tx | Ended

    @property
    def done(self) -> bool:
        return isinstance(self.standing, Ended) and self.standing.result is Result.DONE

    @property
    def failed(self) -> bool:
        """For good, and without effect."""
        return isinstance(self.standing, Ended) and self.standing.result is not Result.DONE

    @property
    def in_block(self) -> bool:
        """Whether it took effect, as far as the chain goes now."""
        if isinstance(self.standing, Ended):
            return self.done
        return self.standing.included is not None and self.standing.included.succeeded


@dataclass(frozen=True, slots=True)
class Trail:
    """Everything of a job that has a nonce, oldest first."""

    job: Job
    made: tuple[Made, ...]

    def of(self, hop: int) -> tuple[Made, ...]:
        return tuple(each for each in self.made if each.name.hop == hop)

    def swap(self, hop: int) -> Made | None:
        """The newest swap of a hop; burning counts as the hop after the last."""
        last = (StepName.SWAP, StepName.BURN)
        return next((each for each in reversed(self.of(hop)) if each.name.step in last), None)

    @property
    def spent(self) -> bool:
        """Whether the money went, or may still go: it cannot be declined any more."""
        first = self.swap(0)
        return first is not None and not first.failed

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do, by whatever process."""
        last = self.swap(self.job.hops if self.job.burn else self.job.hops - 1)
        return not self.spent or (last is not None and last.done)


def named(tx_id: str) -> Name | None:
    """What an id says; None when it is of no buyback."""
    found = _TX_ID.fullmatch(tx_id)
    if found is None:
        return None
    try:
        kind, step, token = Kind(found["kind"]), StepName(found["step"]), to_checksum_address(found["token"])
    except ValueError:
        return None
    burn = found["end"] == "burn"
    job = Job(found["order"], kind, token, int(found["amount"]), int(found["least"]), burn)
    return Name(job, int(found["hop"]), int(found["number"]), step)


def trail(chain: Chain, job: Job, tx_ids: Iterable[str]) -> Trail:
    """The job's trail by the ids it may have."""
    found: list[Made] = []
    for tx_id in tx_ids:
        standing, name = chain.open.get(tx_id) or chain.ended.get(tx_id), named(tx_id)
        if standing is not None and name is not None:
            found.append(Made(name, standing))
    return Trail(job, tuple(sorted(found, key=lambda each: each.name.number)))


def trails(chain: Chain, order_id: str = "") -> dict[str, list[str]]:
    """The ids of all buybacks, or of one, by order."""
    start = f"{PREFIX}{order_id}/" if order_id else PREFIX
    found: dict[str, list[str]] = {}
    for tx_id in (*chain.ended, *chain.open):
        if tx_id.startswith(start) and (name := named(tx_id)):
            found.setdefault(name.job.order_id, []).append(tx_id)
    return found
