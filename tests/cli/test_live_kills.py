"""kill -9 of the real program between any two questions to the node; the next run with the same id leaves one effect.

Each question has two points: before the node has it, and after the node has acted and nobody here knows.
"""

import asyncio
import json
import os
import sys
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

import pytest

from tests.chain.fixtures import _needs_anvil
from tests.chain.fleet import registered
from tests.chain.fleet_proxy import Proxy, proxied
from tests.chain.stage import TRADER
from tests.cli import forge
from tests.cli.live import LiveVenue, live_venue, locked
from tests.patient import PATIENCE_S
from tests.scale import FORM
from venue.avantis.addresses import AVANTIS

ALLOWED: Final = 9_000 * 10**6
LONG: Final = "PERPDESK_KILLS" in os.environ or FORM == 2
KILLED: Final = -9
SENDS: Final = "eth_sendRawTransaction"
POINTS: Final = (
    ("before", SENDS),
    ("after", SENDS),
    ("before", "eth_getLogs"),
)


@dataclass
class Axe:
    """Holds the question at which the program dies, and tells when it is there."""

    when: str = ""
    method: str = ""
    at: int = 0
    count: int = 0
    reached: threading.Event = field(default_factory=threading.Event)

    async def before(self, method: str) -> None:
        await self._point("before", method)

    async def after(self, method: str) -> None:
        await self._point("after", method)

    async def _point(self, when: str, method: str) -> None:
        self.count += 1
        if self.count == self.at or (when, method) == (self.when, self.method):
            self.reached.set()
        if self.reached.is_set():
            await asyncio.Event().wait()


class Bench:
    """A live venue of its own, and a slow way to its node."""

    def __init__(self, live: LiveVenue, proxy: Proxy, wallet: dict[str, str]) -> None:
        self.live = live
        self.proxy = proxy
        self.env = live.env(**wallet) | {"BASE_RPC_URL": proxy.url}

    def run(self, tmp_path: Path, collateral: int) -> "CompletedProcess[str]":
        """Opens a position of so many micro-dollars; always the same order."""
        size = str(Decimal(collateral) / 10**6)
        rest = ("--leverage", "5", "--yes", "--id", "a", "--json", "--state", str(tmp_path / "s"))
        return forge.forged(tmp_path, "venue", "avantis", "open", "ETH", "long", size, *rest, **self.env)

    def killed(self, tmp_path: Path, collateral: int, axe: Axe) -> "CompletedProcess[str]":
        """The same, killed where the axe falls; it is not, if it never gets there."""
        self.proxy.before, self.proxy.after = axe.before, axe.after
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self.run, tmp_path, collateral)
            running.add_done_callback(lambda _: axe.reached.set())
            assert axe.reached.wait(PATIENCE_S)
            if not running.done():
                forge.running().kill()
            run = running.result(PATIENCE_S)
        self.proxy.before = self.proxy.after = Axe().before
        self.live._loop.call_soon_threadsafe(self.proxy.cut)
        return run

    def money(self) -> int:
        return self.live.do(self.live.stage.balance(AVANTIS.usdc, TRADER))

    def dies_and_lives(self, tmp_path: Path, collateral: int, axe: Axe) -> bool:
        """One order, killed once and then repeated to its end. Whether it was killed."""
        money = self.money()
        first = self.killed(tmp_path, collateral, axe)
        assert first.returncode in (KILLED, 0), first.stderr
        again = self.run(tmp_path, collateral)
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout)["hash"].startswith("0x")
        assert self.live.do(registered(self.live.stage))[collateral] == 1
        assert self.money() == money - collateral
        self._only_one()
        return first.returncode == KILLED

    def _only_one(self) -> None:
        """The wallet holds one position, which a keeper then takes out of the way of the next order."""
        (held,) = self.live.world.held(TRADER)
        far = held.open_price * 80 // 100
        self.live.do(self.live.stage.liquidate(TRADER, *held.slot, far))


@contextmanager
def _slowed(live: LiveVenue, wallet: dict[str, str]) -> Generator[Bench, None, None]:
    stack = AsyncExitStack()
    proxy = live.do(stack.enter_async_context(proxied(live.node.http_url, 0.001)))
    try:
        yield Bench(live, proxy, wallet)
    finally:
        live.do(stack.aclose())


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Generator[Bench, None, None]:
    _needs_anvil()
    wallet = locked(tmp_path_factory.mktemp("wallet"))
    with live_venue() as live, _slowed(live, wallet) as made:
        live.approve(ALLOWED)
        yield made


@pytest.mark.parametrize("number", range(len(POINTS)), ids=[f"{when}-{method}" for when, method in POINTS])
def test_killed_at_a_question(bench: Bench, tmp_path: Path, number: int) -> None:
    when, method = POINTS[number]
    assert bench.dies_and_lives(tmp_path, 100 * 10**6 + number, Axe(when, method))


@pytest.mark.skipif(not LONG, reason="the long form: make kills, make proof")
@pytest.mark.timeout(3600)
def test_killed_at_every_question(
    bench: Bench, tmp_path: Path, tried: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    at = 1
    while bench.dies_and_lives(_place(tmp_path, at), 50 * 10**6 + at, Axe(at=at)):
        at += 1
    with capsys.disabled():
        sys.stdout.write(json.dumps({"kills": "the program", "points": at - 1, "duplicates": 0, "lost": 0}) + "\n")
    tried(at - 1)


def _place(tmp_path: Path, at: int) -> Path:
    place = tmp_path / str(at)
    place.mkdir()
    return place
