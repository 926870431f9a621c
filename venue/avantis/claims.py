"""Which position belongs to which desk, and what is known of it. Missing is not flat.

The venue numbers positions by slots that it uses again, and tells them apart by the time they were last changed. A desk
claims a slot since its last fill; what stands there since a later time is not what the desk left there.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from eth_typing import ChecksumAddress

from venue.avantis.hosts import Api
from venue.avantis.merge import Doubtful, Gone, Merged, Orphan, Still, merge
from venue.avantis.positions import (
    Answer,
    Held,
    Identity,
    Reader,
    Report,
    fetch_builder,
    fetch_core,
    read_slots,
)
from venue.avantis.units import TEN, USDC, written
from venue.perp import PositionRef

SKEW_S = 5
"""How far the chain's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A desk's position as the journal has it. `filled_ms`: when its last fill was recorded, after the chain had it."""

    account: str
    ref: PositionRef
    filled_ms: int
    ordering: bool
    """An order of its own is under way, and may have changed it already."""

    @property
    def slot(self) -> tuple[int, int]:
        return self.ref.pair_index, self.ref.trade_index


class Claims(Protocol):
    """Whoever has the journal."""

    async def __call__(self) -> tuple[Claim, ...]: ...


@dataclass(frozen=True, slots=True)
class Known:
    """One look at all claims. `at_ms` is when it began."""

    at_ms: int
    held: Mapping[PositionRef, tuple[Claim, Held]] = field(default_factory=dict)
    gone: frozenset[PositionRef] = frozenset()
    doubts: Mapping[PositionRef, str] = field(default_factory=dict)
    orphans: tuple[Orphan, ...] = ()
    resized: Mapping[PositionRef, tuple[Claim, Held]] = field(default_factory=dict)
    """Doubts that two looks in a row had for the same reason: the chain holds it, and not as our orders left it."""


class PositionWatch:
    """Looks, and keeps the last look."""

    def __init__(
        self, api: Api, reader: Reader, wallet: ChecksumAddress, claims: Claims, now_ms: Callable[[], int]
    ) -> None:
        self._api = api
        self._reader = reader
        self._wallet = wallet
        self._claims = claims
        self._now_ms = now_ms
        self.known = Known(at_ms=0)
        self.whole_ms = 0
        """When the newest look began that the chain and one of the venue's servers have answered."""
        self._stands: dict[Claim, Held] = {}
        self._strange: dict[Claim, Held] = {}

    async def look(self) -> str:
        """One look. Raises nothing that servers or the chain raise."""
        at_ms = self._now_ms()
        claims = await self._claims()
        slots = {claim.slot for claim in claims}
        core, builder, chain = await asyncio.gather(
            fetch_core(self._api, self._wallet),
            fetch_builder(self._api, self._wallet),
            read_slots(self._reader, self._wallet, slots),
        )
        known = self.known = self._compared(claims, judged(claims, (core, builder, chain), at_ms), chain)
        if isinstance(chain, Report) and (isinstance(core, Report) or isinstance(builder, Report)):
            self.whole_ms = at_ms
        told = {"held": known.held, "gone": known.gone, "in doubt": known.doubts, "strangers": known.orphans}
        return ", ".join(f"{len(each)} {what}" for what, each in told.items())

    def _compared(self, claims: Sequence[Claim], known: Known, chain: Answer) -> Known:
        """Without the positions that are not as our orders left them. Only the chain is believed about that."""
        if not isinstance(chain, Report):
            return _without(known, {claim: held for claim, held in self._strange.items() if claim in claims})
        newest = _newest(claims)
        there = {claim: held for claim in newest if not claim.ordering and (held := chain.at(claim.slot))}
        busy = {replace(claim, ordering=False) for claim in newest if claim.ordering}  # an order may come to nothing
        kept = {claim: held for claim, held in self._stands.items() if claim in busy}
        self._stands = kept | {claim: self._stands.get(claim, held) for claim, held in there.items()}
        strange = {claim: held for claim, held in there.items() if _differs(claim, self._stands[claim], held)}
        before, self._strange = self._strange, strange
        resized = {claim.ref: (claim, held) for claim, held in strange.items() if before.get(claim) == held}
        return replace(_without(known, strange), resized=resized)


def _differs(claim: Claim, first: Held, held: Held) -> bool:
    """Since the desk's last fill. The venue sets the time of a position anew when it is changed; one that it changes
    otherwise differs from what was first seen there."""
    if held.opened_at_s > claim.filled_ms // 1000 + SKEW_S or held.is_long != claim.ref.is_long:
        return True
    return (held.collateral, held.leverage, held.open_price) != (first.collateral, first.leverage, first.open_price)


def _without(known: Known, strange: Mapping[Claim, Held]) -> Known:
    """What is strange is held by nobody, and in doubt."""
    doubts = {claim.ref: told(claim, held) for claim, held in strange.items()}
    as_left = {ref: each for ref, each in known.held.items() if ref not in doubts}
    return replace(known, held=as_left, doubts={**known.doubts, **doubts})


def told(claim: Claim, held: Held) -> str:
    """What stands in a desk's slot and is not what it left there."""
    since = f"{datetime.fromtimestamp(held.opened_at_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
    what = f"{written(held.collateral, USDC)} USDC at {held.leverage / TEN:g}x since {since}"
    return f"{claim.ref.market} {claim.ref.trade_index}: {what} is not what our orders left there"


def judged(claims: Sequence[Claim], answers: Sequence[Answer], at_ms: int) -> Known:
    """What the sources come to for every claim. The newest claim on a slot owns what stands in it."""
    # By claim: a slot that is used again on the same side gives its new position the name of the old one.
    identities = {claim: _identity(claim, answers) for claim in _newest(claims)}
    merged = merge(identities.values(), answers)
    held: dict[PositionRef, tuple[Claim, Held]] = {}
    gone: set[PositionRef] = set()
    doubts: dict[PositionRef, str] = {}
    for claim in claims:
        identity = identities.get(claim)
        verdict = merged.verdicts[identity] if identity else Doubtful("another desk's position stands in its place")
        match verdict:
            case Still():
                held[claim.ref] = claim, verdict.held
            case Gone() if not claim.ordering:
                gone.add(claim.ref)
            case Gone():
                doubts[claim.ref] = "gone, while an order of its own is under way"
            case Doubtful():
                doubts[claim.ref] = verdict.why
    return Known(at_ms, held, frozenset(gone), doubts, _strangers(merged, claims))


def _newest(claims: Sequence[Claim]) -> list[Claim]:
    newest: dict[tuple[int, int], Claim] = {}
    for claim in sorted(claims, key=lambda each: each.filled_ms):
        newest[claim.slot] = claim
    return [*newest.values()]


def _identity(claim: Claim, answers: Sequence[Answer]) -> Identity:
    """As the sources call what the desk left in its slot, if it still stands there. An order of its own under way may
    have changed it, and with it its time, long before the fill is written down."""
    latest = claim.filled_ms // 1000 + SKEW_S
    for answer in answers:
        there = answer.at(claim.slot) if isinstance(answer, Report) else None
        if there and there.is_long == claim.ref.is_long and (claim.ordering or there.opened_at_s <= latest):
            return there.identity
    return Identity(*claim.slot, latest)


def _strangers(merged: Merged, claims: Sequence[Claim]) -> tuple[Orphan, ...]:
    """What stands where a desk's own order is under way may be its work."""
    ordering = {claim.slot for claim in claims if claim.ordering}
    return tuple(orphan for orphan in merged.orphans if orphan.held.slot not in ordering)


Marks = Callable[[str], int | None]
"""Our own price of a market, 1e-18, or None when it is not believed."""
