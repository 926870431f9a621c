"""Who watches a whole engine: every committed fact, every virtual second, and the end, when nothing may be left."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from engine.desks import facts as desk
from engine.desks.commands import Caps
from engine.desks.reconcile import FRESH_S
from engine.desks.state import House
from engine.liquidations.book import LiquidationBook
from engine.settlement import Recorded, Settlement
from engine.sound import faults
from engine.worker import Worker
from engine.world import Fact, World
from tests.simulation.bars import GRACE_S, Bars, now_s
from tests.simulation.checks import DAY_MS, _market, _stake
from venue.avantis.intent_facts import IntentSigned, IntentSubmitting
from venue.chain.facts import Result, TxSigned
from venue.exchange import machine
from venue.exchange.commands import Code, LiquidatePosition, Rejection
from venue.exchange.facts import PositionLiquidated
from venue.exchange.ledger import Ledger
from venue.exchange.requests.facts import Receipt, RequestCancelled

AUDIT_EVERY = 30
"""Virtual seconds between two looks at everything."""
DUE_EVERY = 5
"""And between two looks at what is to be liquidated."""
PATIENCE_S = 120
"""For so long something may wait that nothing holds up."""
OUTSIDE = ("sender", "intents", "asking")
"""Loops that ask a network, which fails."""
EXPECTED = ("not even a NoPlan", "the journal cannot be written", "Blind(")
"""Errors that are the saboteur's, a disk's, or the weather's."""
_AT_LEAST_NOTHING = (
    "fee",
    "liquidator_fee",
    "owner_payout",
    "payout",
    "uncovered",
    "from_insurance",
    "spent",
    "amount",
)


class Witness:
    """Outlives the processes; `broken` is what it found. It never raises, because loops survive what is raised."""

    def __init__(self, seed: int, caps: Caps, max_leverage: int, bars: Bars) -> None:
        self.seed = seed
        self.bars = bars
        self.broken: list[str] = []
        self.seen: Counter[str] = Counter()
        self.calm = False
        self.intended: set[str] = set()
        self.signed: set[str] = set()
        """Bytes of transactions the journal has; and nonces of intents that it knows to be handed over."""
        self.submitted: set[int] = set()
        self._caps = caps
        self._max_leverage = max_leverage
        self._known: list[Recorded] = []
        self._underway: dict[str, tuple[str, float]] = {}
        """By desk or token: the order without an answer, and since when."""
        self._filled: set[str] = set()
        self._liquidated: set[int] = set()
        self._ended: set[str] = set()
        self._nonces: dict[str, int] = {}
        self._spent: Counter[int] = Counter()
        self._brought: dict[str, tuple[int, int]] = {}
        self._due: dict[int, float] = {}
        self._audited = 0.0
        self._seq = self._seconds = 0
        self._looked: float | None = None
        self._book: LiquidationBook | None = None
        self._workers: Sequence[Worker] = ()

    def claim(self, holds: bool, what: str) -> None:
        """Notes what does not hold."""
        if not holds:
            self.broken.append(what)

    def heard(self, event: str, worker: str, error: str) -> None:
        """What a loop has swallowed and logged as an error."""
        expected = worker in OUTSIDE or event == "first look failed" or any(words in error for words in EXPECTED)
        self.claim(expected, f"{event}: {error}")

    def replayed(self, world: World, recorded: Sequence[Recorded]) -> None:
        """Another process reads the journal: what was committed is there as it was."""
        for item in recorded:
            if item.seq <= len(self._known):
                self.claim(item == self._known[item.seq - 1], f"fact {item.seq} is not what was committed")
            else:
                self._take(world, item)

    def born(self, settlement: Settlement) -> None:
        """It has read all of it."""
        self.claim(settlement.seq == len(self._known), f"{len(self._known)} facts were told, {settlement.seq} are left")
        self._settlement, self._book, self._workers = settlement, None, ()
        self._looked = None
        self.bars.born()
        for fault in faults(settlement._world):
            self.claim(False, f"after a start: {fault}")

    def looked(self) -> None:
        """This process has seen what stands at the venue."""
        self._looked = now_s()

    def watches(self, book: LiquidationBook, workers: Sequence[Worker]) -> None:
        """The process works."""
        self._book, self._workers, self._due = book, workers, {}
        self.bars.guarded_by(workers)

    def begins(self, what: str) -> None:
        """Something new, which nothing may bar now."""
        why = self.bars.why_not()
        self.claim(not why, f"{what} {why}")

    def committed(self, world: World, recorded: Sequence[Recorded]) -> None:
        """Facts that are durable from now on."""
        for item in recorded:
            self.claim(item.seq == len(self._known) + 1, f"fact {item.seq} follows {len(self._known)}")
            self._take(world, item)

    def _take(self, world: World, item: Recorded) -> None:
        self._known.append(item)
        fact = item.fact
        self.seen[type(fact).__name__] += 1
        for name in _AT_LEAST_NOTHING:
            amount = getattr(fact, name, 0)
            if isinstance(amount, int) and amount < 0:
                self.claim(False, f"{type(fact).__name__}.{name} is {amount}")
        look = _LOOKS.get(type(fact))
        if look is not None:
            look(self, world, fact)
        receipt: Receipt | None = getattr(fact, "receipt", None)
        if receipt is not None and (isinstance(fact, RequestCancelled) or type(fact).__name__.endswith("Executed")):
            self.claim(receipt.key not in self._ended, f"request {receipt.key[:10]} ended twice")
            self.claim(min(receipt.fee_paid, receipt.refund) >= 0, f"request {receipt.key[:10]}: a negative fee")
            self._ended.add(receipt.key)

    def _began(self, world: World, fact: desk.OrderIntended) -> None:
        self.claim(fact.address not in self._underway, f"{fact.address}: an order while one is unanswered")
        self.claim(fact.order_id not in self.intended, f"order {fact.order_id} was intended twice")
        self.intended.add(fact.order_id)
        self._underway[fact.address] = fact.order_id, now_s()
        if not fact.kind.adds_risk:
            return
        self.begins(f"{fact.address}: {fact.kind}")
        known = self._looked is not None and now_s() - self._looked <= FRESH_S + GRACE_S
        self.claim(
            known or self.bars.has_just_stood,
            f"{fact.address}: {fact.kind} while nobody knows what stands at the venue",
        )
        whole = isinstance(fact.leverage, int)
        self.claim(whole and 0 < fact.leverage <= self._max_leverage, f"{fact.address}: leverage {fact.leverage}")
        day = fact.at_ms // DAY_MS
        self._brought[fact.order_id] = day, fact.collateral
        self._spent[day] += fact.collateral
        self._within(world.house, fact)

    def _within(self, house: House, fact: desk.OrderIntended) -> None:
        stakes = {each.address: (_market(each), _stake(house, each)) for each in house.desks.values()}
        for name, cap, used in (
            ("desk", self._caps.desk, stakes[fact.address][1]),
            ("market", self._caps.market, sum(stake for market, stake in stakes.values() if market == fact.market)),
            ("wallet", self._caps.wallet, sum(stake for _, stake in stakes.values())),
            ("day", self._caps.day, self._spent[fact.at_ms // DAY_MS]),
        ):
            self.claim(cap is None or used <= cap, f"{fact.address}: the {name} cap {cap} is exceeded: {used}")

    def _answered(self, world: World, fact: desk.OrderFilled | desk.OrderDeclined) -> None:
        order_id, _ = self._underway.pop(fact.address, ("", 0.0))
        day, collateral = self._brought.pop(fact.order_id, (0, 0))
        if isinstance(fact, desk.OrderDeclined):
            self._spent[day] -= collateral
        self.claim(order_id == fact.order_id, f"{fact.address}: an answer to {fact.order_id}, asked was {order_id}")
        happened = fact.order_id in world.exchange.fills
        if isinstance(fact, desk.OrderFilled):
            self.claim(happened, f"order {fact.order_id} is booked and never happened")
            self._filled.add(fact.order_id)
            return
        requests = world.exchange.requests
        self.claim(not happened, f"order {fact.order_id} is booked as declined and happened")
        waits = requests.by_client.get(fact.order_id) in requests.pending
        self.claim(not waits, f"order {fact.order_id} is booked as declined and still waits")

    def _liquidation(self, _: World, fact: PositionLiquidated) -> None:
        self.claim(fact.position_id not in self._liquidated, f"position {fact.position_id} was liquidated twice")
        self._liquidated.add(fact.position_id)

    def _quarantined(self, _: World, fact: desk.DeskQuarantined) -> None:
        mad = fact.why.endswith("RuntimeError")  # the saboteur's
        self.claim(fact.who == "ops" or mad, f"{fact.address} was set aside: {fact.why}")

    def _reconciled(self, _: World, fact: desk.WalletReconciled) -> None:
        self.claim(False, f"books and wallet differ by {fact.off}")

    def _buying(self, _: World, fact: desk.BuybackIntended) -> None:
        self.begins(f"{fact.address or 'protocol'}: a buyback")
        self.claim(f"buy {fact.address}" not in self._underway, f"two buybacks of {fact.address!r} at once")
        self._underway[f"buy {fact.address}"] = fact.order_id, now_s()

    def _bought(self, _: World, fact: desk.BuybackFilled | desk.BuybackDeclined) -> None:
        self._underway.pop(f"buy {fact.address}", None)

    def _tx_signed(self, _: World, fact: TxSigned) -> None:
        self.signed.add(fact.raw)

    def _intent_signed(self, _: World, fact: IntentSigned) -> None:
        self._nonces[fact.order_id] = int(fact.nonce)

    def _submit_begun(self, _: World, fact: IntentSubmitting) -> None:
        self.submitted.add(self._nonces[fact.order_id])

    def second(self) -> None:
        """A virtual second has passed."""
        world = self._settlement._world
        if self._settlement.seq != self._seq:
            self._seq = self._settlement.seq
            ledgers: tuple[Ledger, ...] = (world.house.ledger, world.exchange.ledger, *world.exchange.tokens.values())
            self.claim(
                not any(ledger.total() for ledger in ledgers), f"fact {self._seq}: a ledger does not sum to zero"
            )
        self._seconds += 1
        self.bars.second()
        if self._book is not None and self._seconds % DUE_EVERY == 0:
            due = [each.position_id for each in self._book.all_due(world.exchange)]
            self._due = {number: self._due.get(number, now_s()) for number in due}
        if now_s() - self._audited >= AUDIT_EVERY:
            self._audited = now_s()
            for fault in faults(world):
                self.claim(False, f"fact {self._seq}: {fault}")

    def evening(self) -> None:
        """Long after the last fault: nothing hangs."""
        world, young = self._settlement._world, set()
        for whose, (order_id, since) in self._underway.items():
            self.claim(
                now_s() - since < PATIENCE_S, f"{whose} waits for order {order_id} since {now_s() - since:.0f} s"
            )
            young.add(order_id)  # may still be answered
        unknown = (self.intended & world.exchange.fills.keys()) - self._filled - young
        self.claim(not unknown, f"{len(unknown)} orders happened and are not booked: {sorted(unknown)[:3]}")
        for number, since in self._due.items():
            if now_s() - since > PATIENCE_S and not _unpayable(world, number):
                self.claim(False, f"position {number} is due since {now_s() - since:.0f} s and nobody liquidates it")
        for worker in self._workers:
            if worker.in_a_row:
                self.claim(False, f"loop {worker.name} fails: {worker.row().detail}")
        for chain in world.wallets.chains.values():
            self.claim(not chain.open, f"transactions {list(chain.open)[:3]} are left open")
            self.claim(not chain.taken, f"nonces {chain.taken} were somebody else's")
        self.claim(not world.intents.open, f"intents {list(world.intents.open)[:3]} are left open")
        for fault in faults(world):
            self.claim(False, f"at the end: {fault}")

    @property
    def world(self) -> World:
        """As the last process left it."""
        return self._settlement._world

    def done(self, tx_id: str) -> bool:
        """Whether the books say that a transaction happened."""
        ended = [chain.ended[tx_id] for chain in self.world.wallets.chains.values() if tx_id in chain.ended]
        return any(each.result is Result.DONE for each in ended)


def _unpayable(world: World, position_id: int) -> bool:
    """Funds that are empty keep it; that is the exchange's rule, and no keeper's fault."""
    answer = machine.decide(world.exchange, LiquidatePosition("keeper-1", position_id))
    return isinstance(answer, Rejection) and answer.code is Code.FUNDS_INSUFFICIENT


_LOOKS: dict[type[Fact], Callable[[Witness, World, Any], None]] = {
    desk.OrderIntended: Witness._began,
    desk.OrderFilled: Witness._answered,
    desk.OrderDeclined: Witness._answered,
    desk.DeskQuarantined: Witness._quarantined,
    desk.WalletReconciled: Witness._reconciled,
    desk.BuybackIntended: Witness._buying,
    desk.BuybackFilled: Witness._bought,
    desk.BuybackDeclined: Witness._bought,
    PositionLiquidated: Witness._liquidation,
    TxSigned: Witness._tx_signed,
    IntentSigned: Witness._intent_signed,
    IntentSubmitting: Witness._submit_begun,
}
