"""A signed route with its journal in memory, and a venue beside it that outlives every crash of the process."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.venue.avantis_writes.relay_stand import ACCOUNT, NOW, WALLET
from tests.venue.chain.fake_chain import Crash
from venue.avantis.asked import Open
from venue.avantis.intent_facts import Fact
from venue.avantis.intent_log import BeginSubmit, Command, Refusal, decide
from venue.avantis.intent_state import Intents, OpenIntent, evolve
from venue.avantis.intents import DelegateIntent, TriggersIntent
from venue.avantis.registered import Cancellation, Execution
from venue.avantis.relay import OnAccepted, Outcome, Rejected, RelayCode, Unsettled
from venue.avantis.signed import SignedRoute
from venue.avantis.signed_ports import Deep, Hands, Times
from venue.avantis.tracking import Seen, Stage, Track, fold, nonce_slot
from venue.avantis.typed_signer import IntentChecker, IntentSigner, SignedIntent
from venue.chain.envelope import RpcCode, RpcError

T = TypeVar("T")
BLOCK_MS = 2_000
DEPTH = 10
TIMES = Times(life_ms=60_000, margin_ms=10_000, patience_ms=120_000)


@dataclass
class Process:
    """What dies as one: after a crash nothing in it goes on."""

    luck: random.Random | None = None
    dead: bool = False

    async def step(self) -> None:
        """Lets others go first, and may be the last thing that happens."""
        await asyncio.sleep(0)
        if self.dead or self.lucky(0.02):
            self.dead = True
            raise Crash

    def lucky(self, chance: float) -> bool:
        return self.luck is not None and self.luck.random() < chance


class Memory:
    """A `Door`: what survives a crash is its list of facts."""

    def __init__(self, facts: list[Fact], process: Process) -> None:
        self.facts = facts
        self.intents = Intents()
        self.process = process
        for fact in facts:
            evolve(self.intents, fact)

    async def submit(self, command: Command) -> tuple[Fact, ...] | Refusal:
        await self.process.step()
        answer = decide(self.intents, command)
        if not isinstance(answer, Refusal):
            for fact in answer:
                evolve(self.intents, fact)
            self.write(command, answer)
        await self.process.step()
        return answer

    def write(self, _: Command, facts: tuple[Fact, ...]) -> None:
        self.facts.extend(facts)

    async def read(self, look: Callable[[Intents], T]) -> T:
        await self.process.step()
        return look(self.intents)


class Hasty(Memory):
    """A bug: that it is about to be handed over is written down with the fact after it."""

    late: tuple[Fact, ...] = ()

    def write(self, command: Command, facts: tuple[Fact, ...]) -> None:
        if isinstance(command, BeginSubmit):
            self.late = facts
        elif facts:
            self.facts.extend((*self.late, *facts))
            self.late = ()


@dataclass
class Life:
    """What the relay does with one intent, one step at a time."""

    signed: SignedIntent
    number: int
    plan: list[str]
    events: list[Seen] = field(default_factory=list)
    taken_block: int | None = None
    end: Execution | Cancellation | None = None

    @property
    def tracking_id(self) -> str:
        return f"trk-{self.number}"

    def tell(self, name: str, **payload: Any) -> None:
        self.events.append(Seen(len(self.events), name, payload))


def trade(asked: Any, index: int, trader: str = WALLET) -> dict[str, Any]:
    return {
        "trader": trader,
        "pairIndex": asked.pair_index,
        "index": index,
        "initialPosToken": str(asked.collateral),
        "openPrice": str(asked.price),
        "buy": True,
        "leverage": "100000000000",
        "timestamp": 1_700_000_000,
    }


PLANS = (
    ["take", "execute"],
    ["take", "cancel"],
    ["fail"],
    ["fail", "take", "execute"],
    ["take", "fail", "execute"],
    ["take", "foreign", "execute"],
    ["take", "deny", "execute"],
    ["take", "boast", "cancel"],
    ["take", "execute", "fail"],
    ["forget"],
)


class FakeVenue:
    """The relay's side and the chain's side of every intent that was ever handed over."""

    def __init__(self, luck: random.Random) -> None:
        self.luck = luck
        self.now = NOW
        self.posts: list[SignedIntent] = []
        self.lives: list[Life] = []

    @property
    def block(self) -> int:
        return self.now // BLOCK_MS

    def take(self, signed: SignedIntent) -> Life:
        life = Life(signed, len(self.lives), list(self.luck.choice(PLANS)))
        life.tell("MarketOrderAccepted", trackingId=life.tracking_id)
        self.lives.append(life)
        return life

    def pass_time(self, ms: int) -> None:
        self.now += ms
        for life in self.lives:
            if life.plan and self.luck.random() < 0.4:
                self._do(life, life.plan.pop(0))

    def _do(self, life: Life, what: str) -> None:
        asked = _order_of(life.signed)
        index = life.number if isinstance(asked, Open) else asked.trade_index
        if what == "fail":
            life.tell("Error", code="ATTEMPTS_EXHAUSTED")
        elif what == "take" and self.block * BLOCK_MS > life.signed.intent.deadline_ms:
            life.plan.clear()
            life.tell("Error", code="DEADLINE")
        elif what == "take":
            life.taken_block = self.block
            life.tell("MarketOrderInitiated", orderId=life.number)
        elif what == "cancel":
            life.end = Cancellation(self.block)
            life.tell("MarketOrderCanceled", orderId=life.number)
        elif what == "deny":
            life.tell("MarketOrderCanceled", orderId=life.number)
        elif what == "boast":
            t = trade(asked, index + 1)
            life.tell("MarketOrderExecuted", orderId=life.number, price="7", usdcSentToTrader="9" * 12, t=t)
        elif what == "foreign":
            t = trade(asked, index, "0x" + "99" * 20)
            life.tell("MarketOrderExecuted", orderId=life.number, price="7", usdcSentToTrader="0", t=t)
        elif what == "execute":
            life.end = Execution(index, True, asked.price, asked.collateral, 10**11, 0, self.block)
            t = trade(asked, index)
            life.tell("MarketOrderExecuted", orderId=life.number, price=str(asked.price), usdcSentToTrader="0", t=t)


def _order_of(signed: SignedIntent) -> Any:
    assert not isinstance(signed.intent, TriggersIntent | DelegateIntent)
    return signed.intent.asked


class Line:
    """The relay and the chain as a process reaches them; both break their word on request."""

    def __init__(self, venue: FakeVenue, process: Process) -> None:
        self.venue = venue
        self.process = process

    async def submit(self, signed: SignedIntent, on_accepted: OnAccepted) -> Outcome:
        await self.process.step()
        if self.process.lucky(0.1):
            return Rejected(RelayCode.NOT_SENT, "unreachable")
        self.venue.posts.append(signed)
        if self.process.lucky(0.1):
            if self.process.lucky(0.5):
                self.venue.take(signed)
            return Unsettled(RelayCode.REJECTED, Track(Stage.FAILED, code=RelayCode.REJECTED))
        if self.process.lucky(0.05):
            return Unsettled(RelayCode.NO_STREAM, Track())
        life = self.venue.take(signed)
        await self.process.step()
        if self.process.lucky(0.15):
            return Unsettled(RelayCode.LOST, Track())
        await on_accepted(life.tracking_id)
        await self.process.step()
        return await self.follow(Track(tracking_id=life.tracking_id), on_accepted)

    async def follow(self, track: Track, on_accepted: OnAccepted) -> Outcome:
        del on_accepted
        await self.process.step()
        if self.process.lucky(0.1):
            return Unsettled(RelayCode.UNKNOWN_ID, track)
        life = next(life for life in self.venue.lives if life.tracking_id == track.tracking_id)
        for event in life.events:
            track = fold(track, event)
        return track if track.ended else Unsettled(RelayCode.NO_END, track)

    async def deep(self) -> Deep:
        await self._chain()
        block = self.venue.block - DEPTH
        return Deep(block, block * BLOCK_MS // 1000)

    async def nonce_word(self, slot: int, block: int) -> int:
        await self._chain()
        word = 0
        for life in self.venue.lives:
            at, bit = nonce_slot(life.signed.intent.nonce)
            if at == slot and life.taken_block is not None and life.taken_block <= block:
                word |= 1 << bit
        return word

    async def opened_at(self, pair_index: int, trade_index: int) -> int | None:
        del pair_index, trade_index
        await self._chain()
        return NOW // 1000 - 60

    async def history(self, order: OpenIntent) -> Execution | Cancellation | None:
        await self._chain()
        if self.process.lucky(0.5):
            return None
        return next(life.end for life in self.venue.lives if life.signed.intent.nonce == order.signed.nonce)

    async def _chain(self) -> None:
        await self.process.step()
        if self.process.lucky(0.1):
            raise RpcError(RpcCode.TOO_SLOW, "no whole answer in time")


def routed(
    door: Memory, relay: Hands, chain: Any, now_ms: Callable[[], int], new_nonce: Callable[[], int] = lambda: 7
) -> SignedRoute:
    """A route of the test wallet."""
    checker = IntentChecker(WALLET, now_ms)
    return SignedRoute(door, relay, chain, checker, IntentSigner(ACCOUNT), now_ms, new_nonce, TIMES)
