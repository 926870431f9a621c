"""A copied database on another machine: who meets a nonce it did not use halts, and nothing is opened twice."""

import asyncio
from pathlib import Path

from engine.arming import Arming
from engine.chronicle import Chronicle
from engine.clock import SystemClock
from engine.engine import Engine, Options
from engine.live.places import Live
from engine.live.shared_key import WHO
from engine.snapshot import DeskPhase
from store.reader import Reader, entries
from tests.chain.node import KEYS
from tests.chain.stage import TRADER
from tests.chain.test_live_engine import Run, _hurried, launched, live, oracle, settings
from tests.cli.live import LiveVenue
from venue.avantis.addresses import BASE
from venue.chain.facts import Result
from venue.chain.signer import Signer, account_of

__all__ = ["_hurried", "launched", "live"]


class Host(Run):
    """An engine with the key on a machine of its own."""

    def __init__(self, url: str, directory: Path, *, armed: bool) -> None:
        self.directory = directory
        signer = Signer(account_of(bytes.fromhex(KEYS[0][2:])), BASE)
        options = Options(settings(url), directory, None, Live((signer,), Arming(armed=armed)))
        self.engine = Engine(options, SystemClock(), Chronicle())
        self.ready = asyncio.Event()
        self.stop = asyncio.Event()
        self.task = asyncio.create_task(self.engine.run(self.ready.set, self.stop))

    @property
    def shared(self) -> bool:
        """Whether it says that its key is somebody else's as well, and holds its desk."""
        told = any("KEY SHARED" in alarm for alarm in self.engine.snapshot.status.alarms)
        return told and self.engine.snapshot.desks[0].halted_by == WHO

    async def end(self) -> None:
        self.stop.set()
        await self.task


def copied(directory: Path, to: Path) -> Path:
    to.mkdir(mode=0o700)
    with Reader(directory) as reader:
        reader.copy_to(to / "perpdesk.db")
    return to


def after_it_knew(directory: Path) -> list[str]:
    """Kinds of facts behind the one that says that a nonce was somebody else's."""
    kinds: list[str] = []
    known = False
    for entry in entries(directory):
        known = known or (entry.kind == "TxSettled" and f'"{Result.TAKEN}"' in entry.payload)
        kinds += [entry.kind] if known else []
    return kinds


async def test_two_hosts_with_one_key_open_once(live: LiveVenue, tmp_path: Path) -> None:
    async with oracle(live) as url:
        before = Host(url, tmp_path / "one", armed=False)
        await before.until(lambda: bool(before.told("wallet")))
        await before.end()
        copied(tmp_path / "one", tmp_path / "two")
        hosts = [Host(url, tmp_path / name, armed=True) for name in ("one", "two")]
        for host in hosts:
            await host.until(lambda: any(each.ready.is_set() and each.shared for each in hosts))
        for host in hosts:
            await _done(host)
        assert len(live.reader.orders()) <= 1
        assert len(live.world.held(TRADER)) <= 1
        assert sum(len(host.told("open")) for host in hosts) == len(live.world.held(TRADER))
        for host in hosts:
            await host.end()
        knew = [after_it_knew(host.directory) for host in hosts]
        assert any(knew)
        assert not {"TxReserved", "TxSigned"} & {kind for kinds in knew for kind in kinds}


async def _done(host: Host) -> None:
    """It has its position, or knows that it is not alone: either may win, and each may win once."""
    await host.until(lambda: host.shared or host.phase is DeskPhase.OPEN)
