"""A position that somebody has changed without a word stays found, whatever is silent or declined meanwhile."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, cast

import pytest

from tests.venue.avantis.world import TRADER
from venue.avantis import claims
from venue.avantis.claims import Claim, Known, PositionWatch
from venue.avantis.positions import Answer, From, Held, Report, Silent
from venue.perp import PositionRef

REF: Final = PositionRef("ETH", True, 7, 0)
SINCE_S: Final = 1_800_000_000
LEFT: Final = Held(7, 0, True, 100_000_000, 10 * 10**10, 2_000 * 10**10, SINCE_S)
CUT: Final = replace(LEFT, collateral=60_000_000)
CLAIM: Final = Claim("0xd", REF, SINCE_S * 1000 + 4_000, ordering=False)


class Venue:
    """What stands there, who says so, and whose order is under way."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.held = LEFT
        self.claim = CLAIM
        self.chain_speaks = True
        for name in ("fetch_core", "fetch_builder", "read_slots"):
            patch.setattr(claims, name, self._answers(name))
        self.watch = PositionWatch(cast(Any, None), cast(Any, None), TRADER, self._claims, lambda: 0)

    async def look(self) -> Known:
        await self.watch.look()
        return self.watch.known

    async def _claims(self) -> tuple[Claim, ...]:
        return (self.claim,)

    def _answers(self, name: str) -> Callable[..., Awaitable[Answer]]:
        async def answer(*_: object) -> Answer:
            if name != "read_slots":
                return Report(From.CORE if name == "fetch_core" else From.BUILDER, (self.held,))
            if not self.chain_speaks:
                return Silent(From.CHAIN, "no node answers")
            return Report(From.CHAIN, (self.held,), frozenset({REF_SLOT}))

        return answer


REF_SLOT: Final = (REF.pair_index, REF.trade_index)


def is_found(known: Known) -> bool:
    """Nobody trades it: it is held by nobody, and in doubt."""
    return REF not in known.held and "is not what our orders left there" in known.doubts[REF]


async def test_a_silent_chain_takes_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    venue = Venue(monkeypatch)
    assert REF in (await venue.look()).held
    venue.held = CUT
    assert is_found(await venue.look())
    venue.chain_speaks = False
    assert is_found(await venue.look())
    venue.chain_speaks = True
    await venue.look()
    assert REF in (await venue.look()).resized
    venue.held = LEFT
    assert REF in (await venue.look()).held, "as it was left again"


@pytest.mark.parametrize("looks", [1, 3])
async def test_an_order_that_came_to_nothing_makes_it_no_more_ours(monkeypatch: pytest.MonkeyPatch, looks: int) -> None:
    venue = Venue(monkeypatch)
    await venue.look()
    venue.held = CUT
    await venue.look()
    await venue.look()
    venue.claim = replace(CLAIM, ordering=True)
    for _ in range(looks):
        await venue.look()
    venue.claim = CLAIM
    assert is_found(await venue.look())
    assert REF in (await venue.look()).resized


async def test_a_fill_of_our_own_leaves_what_then_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    venue = Venue(monkeypatch)
    await venue.look()
    venue.claim = replace(CLAIM, ordering=True)
    venue.held = replace(CUT, opened_at_s=SINCE_S + 60)
    await venue.look()
    venue.claim = replace(CLAIM, filled_ms=(SINCE_S + 62) * 1000)
    assert REF in (await venue.look()).held
