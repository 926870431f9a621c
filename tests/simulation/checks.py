"""What must hold after every fact, counted from the facts and from the venue's own books, not from the house's."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from engine.desks import facts
from engine.desks.accounts import DIFFERENCE, HELD, HELD_PER_TOKEN, deployed, in_flight
from engine.desks.commands import Caps
from engine.desks.state import Desk, House
from engine.snapshot import DeskPhase
from engine.world import Fact, World
from tests.simulation.venues import SlowSwap, SlowVenue, is_taken
from venue.exchange.ledger import Move
from venue.perp import Filled
from venue.swap import Swapped

DAY_MS = 86_400_000
RESTING = (DeskPhase.IDLE, DeskPhase.OPEN, DeskPhase.CLOSED, DeskPhase.QUARANTINED)


@dataclass(slots=True)
class Checks:
    """A witness of every fact; `broken` is what it found. It never raises, because loops survive what is raised."""

    caps: Caps
    max_leverage: int
    venue: SlowVenue
    swap: SlowSwap
    broken: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    spent: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    """New collateral by UTC day."""
    fees: int = 0
    strays: int = 0
    """What came to the wallet, or left it, without anybody here."""
    held: int = 0
    """What the wallet should hold, from the moves alone; the difference account left out."""
    orders: dict[str, str] = field(default_factory=dict)
    """Account of every order that was intended; and those that were sent."""
    sent_ids: set[str] = field(default_factory=set)

    def claim(self, holds: bool, what: str) -> None:
        if not holds:
            self.broken.append(what)

    def sent(self, account: str, order_id: str) -> None:
        """An order reaches the venue."""
        self.claim(self.orders.get(order_id) == account, f"order {order_id} of {account} was sent without an intent")
        self.claim(order_id not in self.sent_ids, f"order {order_id} of {account} was sent twice")
        self.sent_ids.add(order_id)

    def before(self, state: World, fact: Fact) -> None:
        house = state.house
        if isinstance(fact, facts.OrderIntended):
            self._intended(house, house.desks[fact.address], fact)
        elif isinstance(fact, facts.BuybackIntended):
            buyback = house.buybacks.get(fact.address)
            self.claim(buyback is None or buyback.order is None, f"two buybacks of {fact.address!r} at once")
        elif isinstance(fact, facts.OrderDeclined):
            order = house.desks[fact.address].order
            if order and order.kind.adds_risk:
                self.spent[order.at_ms // DAY_MS] -= order.collateral

    def _intended(self, house: House, desk: Desk, fact: facts.OrderIntended) -> None:
        self.claim(desk.order is None, f"{desk.name}: an order while one is unanswered")
        self.orders[fact.order_id] = fact.address
        if not fact.kind.adds_risk:
            self.claim(not desk.quarantine or fact.who == "ops", f"{desk.name}: a loop's order while quarantined")
            return
        self.claim(desk.halted_by is None and not desk.quarantine, f"{desk.name}: opens while halted or quarantined")
        self.claim(0 < fact.leverage <= self.max_leverage, f"{desk.name}: leverage {fact.leverage}")
        self.spent[fact.at_ms // DAY_MS] += fact.collateral
        stakes = {each.address: (_market(each), _stake(house, each)) for each in house.desks.values()}
        on_market = sum(stake for market, stake in stakes.values() if market == fact.market)
        for name, cap, used in (
            ("desk", self.caps.desk, stakes[desk.address][1] + fact.collateral),
            ("market", self.caps.market, on_market + fact.collateral),
            ("wallet", self.caps.wallet, sum(stake for _, stake in stakes.values()) + fact.collateral),
            ("day", self.caps.day, self.spent[fact.at_ms // DAY_MS]),
        ):
            self.claim(cap is None or used <= cap, f"{desk.name}: the {name} cap {cap} is exceeded: {used}")

    def after(self, state: World, fact: Fact) -> None:
        self.seen[type(fact).__name__] += 1
        house = state.house
        movements: tuple[Move, ...] = getattr(fact, "moves", ())
        if isinstance(fact, facts.FeesArrived):
            self.fees += fact.amount
        if isinstance(fact, facts.DeskQuarantined):
            self.claim("another position" not in fact.why, f"the venue was misunderstood: {fact.why}")
        if movements or isinstance(fact, facts.OrderDeclined):
            self.claim(house.ledger.total() == 0, f"money was made or lost by {fact}")
            self.held += sum(move.amount * (_is_held(move.target) - _is_held(move.source)) for move in movements)
            self.wallet(house, type(fact).__name__)

    def wallet(self, house: House, where: str) -> None:
        """The venue's own count is the books', but for what is unanswered, of which the venue knows the truth."""
        counted = self.venue.wallet + self.fees - self.swap.spent
        due = sum(self._due(desk) for desk in house.desks.values()) + self._unspent(house)
        self.claim(counted == self.held + due, f"{where}: {counted} in the wallet, {self.held} held, {due} underway")

    def _due(self, desk: Desk) -> int:
        """What the books do not say yet about a desk: a stake not taken, a payout not recorded."""
        order, ref, due = desk.order, desk.ref, 0
        if order is not None:
            answer = self.venue.answer(order.order_id)
            if order.kind.adds_risk:
                due += 0 if is_taken(answer) else order.collateral
                ref = answer.ref if isinstance(answer, Filled) else ref
            elif isinstance(answer, Filled):
                due += answer.payout
        ended = self.venue.endings.get(ref) if ref else None
        return due + (ended.payout if ended else 0)

    def _unspent(self, house: House) -> int:
        orders = (buyback.order for buyback in house.buybacks.values() if buyback.order is not None)
        return sum(order.amount for order in orders if not isinstance(self.swap.done.get(order.order_id), Swapped))

    def books(self, house: House) -> None:
        """The house counts as the facts say."""
        self.claim(house.held() == self.held + house.ledger[DIFFERENCE], "the house's count is not that of the moves")
        at_risk = sum(_stake(house, desk) for desk in house.desks.values())
        self.claim(house.at_risk.total() == at_risk, f"{house.at_risk.total()} at risk by the house, {at_risk} truly")
        self.claim(min(house.at_risk.values(), default=0) >= 0, "less than nothing is at risk on a market")

    def evening(self, house: House) -> None:
        """After faults have stopped and the loops have run on: nothing hangs, and the wallet is as the books say."""
        self.books(house)
        for desk in house.desks.values():
            self.claim(desk.phase in RESTING, f"{desk.name} is left {desk.phase}")
            self.claim(desk.order is None and not desk.deciding, f"{desk.name} is left with {desk.order}")
        for token, buyback in house.buybacks.items():
            self.claim(buyback.order is None, f"a buyback of {token!r} is left unanswered")
        ours = {desk.ref for desk in house.desks.values() if desk.ref}
        self.claim(ours == self.venue.standing(), "the venue's positions are not the desks'")
        self.claim(house.unanswered() == 0, f"{house.unanswered()} unanswered")
        off = house.ledger[DIFFERENCE]
        self.claim(off == self.strays, f"a difference of {off} stays booked; {self.strays} strayed")
        self.wallet(house, "evening")


def _is_held(account: str) -> bool:
    return account != DIFFERENCE and (account in HELD or account.partition(":")[0] in HELD_PER_TOKEN)


def _market(desk: Desk) -> str:
    if desk.order is not None:
        return desk.order.market
    return desk.ref.market if desk.ref else ""


def _stake(house: House, desk: Desk) -> int:
    return house.ledger[deployed(desk.address)] + house.ledger[in_flight(desk.address)]
