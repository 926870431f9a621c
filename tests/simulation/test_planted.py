"""Bugs put in on purpose: the days must find each of them soon, and for the right reason."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from engine.desks import commands, facts, machine, orders
from engine.desks.courier import Courier
from engine.desks.state import Desk, House
from tests.simulation.day import Broken, play
from venue.perp import Declined, OpenOrder, ReduceOrder, Unsettled

PATIENCE = 200
Plant = Callable[[pytest.MonkeyPatch], None]


def no_caps(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(orders, "_within", lambda *_: None)


def money_kept_after_a_refusal(patch: pytest.MonkeyPatch) -> None:
    def record(house: House, command: commands.RecordOutcome) -> tuple[facts.Fact, ...]:
        return tuple(
            replace(fact, moves=()) if isinstance(fact, facts.OrderDeclined) else fact
            for fact in orders.record_outcome(house, command)
        )

    patch.setitem(machine._DECISIONS, commands.RecordOutcome, record)


def sent_again_when_unsettled(patch: pytest.MonkeyPatch) -> None:
    settle = Courier.settle

    async def settle_or_send(self: Courier, address: str, order_id: str) -> bool:
        order = await self._settlement.read(lambda world: world.house.desks[address].order)
        if order and order.kind.adds_risk and isinstance(await self._venue.outcome(order_id), Unsettled):
            terms = (order.market, order.is_long, order.collateral, order.leverage)
            await self._venue.open(OpenOrder(self._new_id(), address, *terms))
        return await settle(self, address, order_id)

    patch.setattr(Courier, "settle", settle_or_send)


def unsettled_taken_for_refused(patch: pytest.MonkeyPatch) -> None:
    def record(house: House, command: commands.RecordOutcome) -> tuple[facts.Fact, ...]:
        outcome: Any = command.outcome
        if isinstance(outcome, Unsettled):
            outcome = Declined(outcome.order_id, "TIMED_OUT", "no answer")
        return orders.record_outcome(house, commands.RecordOutcome(command.address, outcome))

    patch.setitem(machine._DECISIONS, commands.RecordOutcome, record)


def halts_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Desk, "halted", property(lambda _: False))


def answers_not_asked_for(patch: pytest.MonkeyPatch) -> None:
    async def never(self: Courier, address: str, order_id: str) -> bool:
        return False

    patch.setattr(Courier, "settle", never)


def sent_under_another_id(patch: pytest.MonkeyPatch) -> None:
    def share(order_id: str, *terms: Any) -> ReduceOrder:
        return ReduceOrder(f"re:{order_id}", *terms)

    patch.setattr("engine.desks.courier.ReduceOrder", share)


def whatever_leverage_a_tier_says(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("engine.desks.manager.min", lambda first, second: first, raising=False)


def books_read_wrongly(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("engine.wallet._books", lambda world: (world.house.held() - 1, 0, False))


PLANTED: dict[Plant, str] = {
    no_caps: "cap",
    money_kept_after_a_refusal: "in the wallet",
    sent_again_when_unsettled: "without an intent",
    unsettled_taken_for_refused: "in the wallet",
    halts_ignored: "halted or quarantined",
    answers_not_asked_for: "is left",
    sent_under_another_id: "without an intent",
    whatever_leverage_a_tier_says: "leverage",
    books_read_wrongly: "difference",
}


@pytest.mark.parametrize(("plant", "found"), PLANTED.items(), ids=[plant.__name__ for plant in PLANTED])
def test_a_planted_bug_is_found(plant: Plant, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    told = first_broken()
    assert found in told
    assert told.startswith("seed ")


def first_broken() -> str:
    """What the first day that breaks says."""
    for seed in range(PATIENCE):
        try:
            play(seed)
        except Broken as broken:
            return str(broken)
    return f"nobody noticed in {PATIENCE} days"
