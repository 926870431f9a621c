"""Bugs put into a whole engine on purpose: histories must find each of them soon, and for the right reason."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from engine import assembly, pulse
from engine.agent.plan import NoPlan, NoPlanCode, Plan, Sight
from engine.buyback import BuybackEngine
from engine.desks import commands, machine, orders
from engine.desks.manager import DeskManager
from engine.desks.reconcile import Reconciler
from engine.fees import FeeClaimer
from engine.holds import Holds
from engine.keepers.liquidator import Liquidator
from engine.pulse import Pulse
from store.journal import Journal
from tests.scale import FORM, SEED
from tests.simulation import life
from tests.simulation.day import Broken
from tests.simulation.history import lived
from tests.venue.chain.test_sender import POLICY
from venue.avantis import intent_log
from venue.avantis.signed import SignedRoute
from venue.chain.facts import TxSigned
from venue.chain.fees import Fees
from venue.chain.machine import RecordSigned
from venue.chain.sender import Sender
from venue.chain.signer import Signed
from venue.chain.state import Tx
from venue.exchange import clearinghouse
from venue.exchange import machine as exchange_machine
from venue.exchange.facts import PositionLiquidated
from venue.exchange.fixed import WAD
from venue.exchange.state import Exchange, Market, Position
from venue.perp import Declined, Unsettled

PATIENCE = 200
Plant = Callable[[pytest.MonkeyPatch], None]


def double_liquidation(patch: pytest.MonkeyPatch) -> None:
    """Whether a position is still open is not looked at again right before the act."""

    def find(exchange: Exchange, position_id: int) -> Position:
        return exchange.positions[position_id]

    fold = exchange_machine._FOLDS[PositionLiquidated]

    def liquidated(exchange: Exchange, fact: PositionLiquidated) -> None:
        if fact.position_id in exchange.open_positions:
            fold(exchange, fact)

    patch.setattr(clearinghouse, "find_open", find)
    patch.setitem(exchange_machine._FOLDS, PositionLiquidated, liquidated)


def lost_acknowledgement(patch: pytest.MonkeyPatch) -> None:
    """An order whose answer was lost counts as one that never was."""

    def record(house: Any, command: commands.RecordOutcome) -> Any:
        outcome: Any = command.outcome
        if isinstance(outcome, Unsettled):
            outcome = Declined(outcome.order_id, "TIMED_OUT", "no answer")
        return orders.record_outcome(house, commands.RecordOutcome(command.address, outcome))

    patch.setitem(machine._DECISIONS, commands.RecordOutcome, record)


def nan_leverage(patch: pytest.MonkeyPatch) -> None:
    """Whatever number a tier says is one."""

    def believed(plan: Plan, sight: Sight) -> Plan:
        if plan.allow and plan.market not in [each.market for each in sight.markets]:
            raise NoPlan(NoPlanCode.BAD_ANSWER, "market")
        return plan

    patch.setattr("engine.agent.decide._believed", believed)


def negative_fee(patch: pytest.MonkeyPatch) -> None:
    """Who leans against the crowd is paid for it."""

    def rate(market: Market) -> tuple[int, int]:
        fee = market.params.open_fee
        return fee.numerator * (WAD + 4 * market.imbalance), fee.denominator * WAD

    patch.setattr(clearinghouse, "fee_rate", rate)


def sent_before_journal(patch: pytest.MonkeyPatch) -> None:
    async def record_and_send(self: Sender, tx: Tx, signed: Signed, fees: Fees, block: int, cancels: bool) -> None:
        tx_id = tx.reserved.tx_id
        await self._send(tx_id, signed.hash, signed.raw)
        raw = f"0x{signed.raw.hex()}"
        fact = TxSigned(tx_id, signed.hash, raw, fees.max_fee, fees.max_priority, cancels, block)
        await self._door.submit(RecordSigned(fact))

    patch.setattr(Sender, "_record_and_send", record_and_send)


def intent_handed_over_before_journal(patch: pytest.MonkeyPatch) -> None:
    start = SignedRoute._start

    class Hasty:
        """Writes that it is about to be handed over when it has been."""

        def __init__(self, door: Any) -> None:
            self._door = door
            self.late: Any = None

        async def submit(self, command: Any) -> Any:
            if isinstance(command, intent_log.BeginSubmit):
                self.late = command
                return ()
            if self.late is not None:
                await self._door.submit(self.late)
                self.late = None
            return await self._door.submit(command)

        async def read(self, look: Any) -> Any:
            return await self._door.read(look)

    async def hasty(self: SignedRoute, order_id: str, signed: Any) -> None:
        await start(self, order_id, signed)

    before = SignedRoute.__init__

    def made(self: SignedRoute, door: Any, *rest: Any) -> None:
        before(self, Hasty(door), *rest)

    patch.setattr(SignedRoute, "__init__", made)
    patch.setattr(SignedRoute, "_start", hasty)


def told_before_durable(patch: pytest.MonkeyPatch) -> None:
    """Facts count as written when they are handed to the disk."""
    append = Journal.append
    late: dict[int, tuple[Any, int]] = {}

    async def eager(self: Journal, facts: Any, at_ms: int) -> int:
        if (before := late.pop(id(self), None)) is not None:
            await append(self, *before)
        late[id(self)] = facts, at_ms
        return self.seq + len(facts)

    patch.setattr(Journal, "append", eager)
    patch.setattr(Journal, "seq", property(lambda self: self._chain.seq + len(late.get(id(self), ((), 0))[0])))


def shallow_confirmations(patch: pytest.MonkeyPatch) -> None:
    """What a block holds is believed at once, and reorgs take it back."""
    patch.setattr(life, "POLICY", replace(POLICY, confirmations=1))


def sleeping_liquidators(patch: pytest.MonkeyPatch) -> None:
    async def sleeps(_: Liquidator) -> str:
        return "zzz"

    patch.setattr(Liquidator, "pass_once", sleeps)


def blind_opening(patch: pytest.MonkeyPatch) -> None:
    """Nobody asks whether positions were seen before more are opened."""
    patch.setattr(Reconciler, "why_not", lambda _: "")


def guards_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Nobody is told which loops guard what is open."""
    patch.setattr(Holds, "guarded_by", lambda *_: None)


def jumps_forgotten(patch: pytest.MonkeyPatch) -> None:
    """The pulse is none of the reasons."""

    def without(*reasons: Callable[[], str]) -> Holds:
        return Holds(*(why for why in reasons if not isinstance(getattr(why, "__self__", None), Pulse)))

    patch.setattr(assembly, "Holds", without)


def jumps_unseen(patch: pytest.MonkeyPatch) -> None:
    """Nobody minds who sets the clock."""
    patch.setattr(pulse, "JUMP_MS", math.inf)


def stands_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A process that was stopped goes on as if nothing had happened."""
    patch.setattr(pulse, "STOOD_S", math.inf)


def unheld_claimer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        assembly, "FeeClaimer", lambda settlement, source, reserve, _: FeeClaimer(settlement, source, reserve)
    )


def unheld_buyback(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(assembly, "BuybackEngine", lambda settlement, swaps, how, _: BuybackEngine(settlement, swaps, how))


def unheld_manager(patch: pytest.MonkeyPatch) -> None:
    made: Any = DeskManager
    patch.setattr(assembly, "DeskManager", lambda *parts: made(*parts[:-1], lambda: ""))


PLANTED: dict[Plant, str] = {
    double_liquidation: "liquidated twice",
    lost_acknowledgement: "declined and",
    nan_leverage: "leverage nan|Out of range float",
    negative_fee: "fee is -|cannot pay",
    sent_before_journal: "sent and is not in the journal",
    intent_handed_over_before_journal: "handed over and is not in the journal",
    told_before_durable: "were told",
    shallow_confirmations: "the books say|left open",
    sleeping_liquidators: "nobody liquidates",
    blind_opening: "while nobody knows what stands",
    guards_forgotten: "while nobody guards",
    jumps_forgotten: "after the clock jumped|after the process stood still",
    jumps_unseen: "after the clock jumped",
    stands_forgotten: "after the process stood still",
    unheld_claimer: "fees are claimed",
    unheld_buyback: "a buyback",
    unheld_manager: "open",
}


SLOW: set[Plant] = {shallow_confirmations, sleeping_liquidators, stands_forgotten}
"""Found by what is left in the evening, or seldom, so whole histories must be lived."""
TRIED = [plant for plant in PLANTED if FORM or plant not in SLOW]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("plant", TRIED, ids=[plant.__name__ for plant in TRIED])
def test_a_bug_planted_into_a_whole_engine_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    told = first_broken()
    assert any(words in told for words in PLANTED[plant].split("|")), told
    assert told.startswith("seed ")


def first_broken() -> str:
    """What the first history that breaks says."""
    for seed in range(SEED, SEED + PATIENCE):
        try:
            lived(seed)
        except Broken as broken:
            return str(broken)
    return f"nobody noticed in {PATIENCE} histories"
