"""One history of a whole engine, made from a seed: minutes of trouble, then peace until nothing is left to settle."""

import asyncio
import random
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import structlog

from engine import pulse
from engine.desks.terms import caps_of
from store.errors import StoreError
from tests.simulation.day import Broken
from tests.simulation.life import Life, Setting, house_of, ids_of
from tests.simulation.loop import Deadlock, Killed, SimLoop, Spinning
from tests.simulation.outside import Outside
from tests.simulation.witness import Witness
from tests.venue.chain.test_sender import PING
from venue.avantis.intent_facts import IntentResult
from venue.avantis.registered import Execution
from venue.exchange.fixed import wad

ERROR = 40
TROUBLE_S = 150
REAL_TROUBLE_S = 1_200
"""Where desks are managed every few minutes."""
CALM_S = 600
"""Longest that anything takes to settle once nobody is in its way; looked at after `SETTLED_S`, and every so often."""
SETTLED_S = 60
AGAIN_S = 20
LOOKS = 2
"""In a row that find nothing left."""
DEMOS = 0.85
"""How many of the histories are those of a demo."""
DESKS = 12
PACES = (1, 4, 8, 8, 16, 16, 16, 16)
"""Most of a history at a real run's pace is loops that look and find nothing: few are lived so, and more of them."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a history came to."""

    seed: int
    trace: str
    """Hash of the journal's newest entry: of every fact, its moment and its place."""
    facts: int
    steps: int
    deaths: int
    seconds: float
    """Virtual ones."""
    seen: dict[str, int]


class History:
    """All that happens. `run` raises Broken."""

    def __init__(self, seed: int, desks: int = DESKS, demo: bool | None = None, pace: float | None = None) -> None:
        rng = random.Random(f"{seed}:history")
        demo = rng.random() < DEMOS if demo is None else demo
        self.seed = seed
        self.outside = outside = Outside(seed)
        settings = house_of(seed, demo)
        self.setting = Setting(settings, desks, pace or rng.choice(PACES), demo)
        risk = settings.risk
        most = wad(min(risk.leverage, Decimal(settings.avantis_max_leverage)))
        self.witness = Witness(seed, caps_of(risk), most, outside.bars)
        outside.chain.held, outside.chain.early = self.witness.signed, self.witness.broken
        outside.line.submitted, outside.line.early = self.witness.submitted, self.witness.broken
        self.trouble_s = TROUBLE_S if demo else REAL_TROUBLE_S
        self.deaths = 0
        self.steps = 0

    def run(self) -> Told:
        """Process after process, until one reaches the evening."""
        with patch.object(pulse, "BEAT_S", pulse.BEAT_S * self.setting.pace):
            return self._run()

    def _run(self) -> Told:
        now = 0.0
        while True:
            loop = SimLoop(self.outside.rng, now)
            loop.dies_at = self._death()
            try:
                self._one(loop)
                break
            except Killed:
                self.deaths += 1
            except StoreError as error:
                self.deaths += 1
                self._refused(error)
            finally:
                now = loop.time()
                self.steps += loop.steps
                loop.bury()
        return self._told(now)

    def _refused(self, error: StoreError) -> None:
        """A process ends by itself only where the disk has refused."""
        weather = self.outside.weather
        if not weather.refused:
            raise Broken(f"seed {self.seed}: the engine ended: {error}") from error
        weather.refused -= 1

    def _death(self) -> int | None:
        weather = self.outside.weather
        if not weather.deaths:
            return None
        weather.deaths -= 1
        return self.outside.rng.choice((1, 50, 500, 5_000, 20_000)) + self.outside.rng.randrange(1_000)

    def _one(self, loop: SimLoop) -> None:
        life = Life(self.outside, self.witness, self.setting)
        try:
            loop.run_until_complete(self._lived(life))
        except (Deadlock, Spinning) as error:
            raise Broken(f"seed {self.seed}: {error}") from None
        except BaseExceptionGroup as group:
            refused, others = group.split(StoreError)
            if others is not None or refused is None:
                raise
            raise _first(refused) from None

    async def _lived(self, life: Life) -> None:
        running = asyncio.ensure_future(life.run())
        watching = asyncio.ensure_future(self._days(life, running))
        await asyncio.wait((running, watching), return_when=asyncio.FIRST_COMPLETED)
        if running.done() and not watching.done():
            watching.cancel()
            await running
        await watching
        await running

    async def _days(self, life: Life, running: "asyncio.Future[None]") -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < self.trouble_s:
            await self._next()
        self._calm(loop)
        life.calm()
        look_s, settled = self.trouble_s + SETTLED_S, 0
        while settled < LOOKS and loop.time() < self.trouble_s + CALM_S:
            await self._next()
            if loop.time() >= look_s:
                look_s += AGAIN_S
                settled = 0 if self._left() else settled + 1
        self.witness.broken += self._left()
        self._hold()
        life.over.set()

    def _calm(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self.witness.calm:
            self.witness.calm = True
            self.outside.calm()
        assert isinstance(loop, SimLoop)
        loop.dies_at = None

    async def _next(self) -> None:
        await asyncio.sleep(1)
        self._hold()

    def _left(self) -> list[str]:
        """What has not settled, or not as it should."""
        broken = self.witness.broken
        before = len(broken)
        self.witness.evening()
        self._chain()
        self._intents()
        found = broken[before:]
        del broken[before:]
        return found

    def _chain(self) -> None:
        """What happened on the chain is what the books say, and each at most once."""
        mined = [tx for block in self.outside.chain.blocks for tx in block]
        claim = self.witness.claim
        claim([tx.nonce for tx in mined] == list(range(len(mined))), "nonces on the chain have gaps")
        for number in range(1, self.outside.wanted + 1):
            happened, done = sum(tx.data == PING.encode(number) for tx in mined), self.witness.done(f"tx{number}")
            claim(happened == done, f"tx{number} happened {happened} times, the books say {int(done)}")

    def _intents(self) -> None:
        """Each intent was handed over once, and ended as the venue says."""
        relay, claim = self.outside.relay, self.witness.claim
        ended = {
            each.signed.nonce: (order_id, each.ended) for order_id, each in self.witness.world.intents.ended.items()
        }
        posts = [signed.intent.nonce for signed in relay.posts]
        claim(len(set(posts)) == len(posts), "an intent was handed over twice")
        truly = {life.signed.intent.nonce for life in relay.lives if isinstance(life.end, Execution)}
        booked = {nonce for nonce, (_, each) in ended.items() if each.result is IntentResult.DONE}
        claim(truly == booked, f"{len(truly ^ booked)} intents ended otherwise than the books say")
        wrong = {ended[nonce][0] for nonce in truly & ended.keys()} & self.outside.refused
        claim(not wrong, f"{sorted(wrong)} were said to have no effect and happened")

    def _hold(self) -> None:
        if self.witness.broken:
            raise Broken(f"seed {self.seed}, pace {self.setting.pace}: {self.witness.broken[0]}")

    def _told(self, now: float) -> Told:
        hash_, seq = self.outside.disk.newest()
        seen = dict(self.witness.seen)
        self.outside.disk.close()
        return Told(self.seed, hash_, seq, self.steps, self.deaths, now, seen)


def _first(group: BaseExceptionGroup[StoreError]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def lived(seed: int) -> Told:
    """The same each time. Raises Broken."""
    history = History(seed)
    with ids_of(seed), heard_by(history.witness):
        return history.run()


@contextmanager
def heard_by(witness: Witness) -> Iterator[None]:
    """Errors that are logged meanwhile are the witness's, and nobody else's."""

    def hear(_: object, __: str, said: MutableMapping[str, Any]) -> str:
        witness.heard(str(said.get("event")), str(said.get("worker", "")), str(said.get("error", "")))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(ERROR), processors=[hear])
    try:
        yield
    finally:
        structlog.configure(**before)
