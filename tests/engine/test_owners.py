"""Whatever an engine was at when it was stopped: when `run` has returned nothing of it goes on, and who asked knows."""

import ast
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from engine.chronicle import Chronicle
from engine.clock import SystemClock
from engine.commands import Receipt
from engine.config import Settings
from engine.demo.stage import Demo
from engine.engine import Engine, Options
from engine.indexing import indexer
from engine.indexing.fill import fill
from engine.indexing.waiting import Gap
from engine.once import CUT_OFF
from engine.remote import RemotePort
from engine.settlement import StoreFailed
from store.index import Row
from tests.engine.agent.venice_server import MINT_KEY, Act, serving
from tests.engine.control import halt_all

ROOT = Path(__file__).parents[2]
SECONDS = 20.0


@dataclass
class Run:
    """An engine in the loop of the test."""

    engine: Engine
    stop: asyncio.Event
    task: asyncio.Task[None]

    async def ended(self) -> None:
        self.stop.set()
        async with asyncio.timeout(SECONDS):
            await self.task


@asynccontextmanager
async def running(directory: Path, settings: Settings | None = None, *, demo: bool = True) -> AsyncIterator[Run]:
    """Ready; the test ends it, and afterwards there are no tasks but those from before."""
    before = asyncio.all_tasks()
    settings = settings or Settings()
    engine = Engine(
        Options(settings, directory, Demo(seed=3) if demo else None), SystemClock(), Chronicle(logging=False)
    )
    ready, stop = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(engine.run(ready.set, stop))
    try:
        async with asyncio.timeout(SECONDS):
            await asyncio.wait((task, waiting := asyncio.create_task(ready.wait())), return_when="FIRST_COMPLETED")
        waiting.cancel()
        yield Run(engine, stop, task)
        assert task.done(), "the test ends it"
        left = asyncio.all_tasks() - before - {waiting}
        assert not left, left
    finally:
        task.cancel()
        await asyncio.gather(task, waiting, return_exceptions=True)


def hanging(began: asyncio.Event) -> Callable[..., Awaitable[None]]:
    async def hang(*_: object) -> None:
        began.set()
        await asyncio.Event().wait()

    return hang


@pytest.mark.parametrize("demo", [True, False])
async def test_a_run_leaves_nothing(tmp_path: Path, demo: bool) -> None:
    nowhere = Settings.model_validate({"pyth": {"url": "http://127.0.0.1:9"}})
    async with running(tmp_path, nowhere, demo=demo) as run:
        await run.ended()


async def test_a_run_that_a_fault_ends_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path) as run:
        failed = StoreFailed("STORE_FAILED", "planted")

        def refuse(*_: object) -> None:
            raise failed

        monkeypatch.setattr(run.engine._book, "follow", refuse)
        with pytest.raises(StoreFailed, match="planted"):
            await run.task


async def test_a_command_that_is_cut_off_is_told_so_on_its_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as run:
        began = asyncio.Event()
        monkeypatch.setattr(run.engine.parts.operator, "_halt", hanging(began))
        async with await RemotePort.connect(tmp_path, SECONDS) as port:
            asked = asyncio.create_task(port.submit(halt_all("a")))
            await began.wait()
            inside = asyncio.create_task(run.engine.parts.operator.execute(halt_all("b")))
            await run.ended()
            receipt = await asked
            assert (receipt.ok, receipt.code, receipt.text) == (False, "STOPPING", CUT_OFF)
            assert (await inside).code == "STOPPING"
        late = await run.engine.parts.operator.execute(halt_all("c"))
        assert (late.code, late.text) == ("STOPPING", "the engine is stopping: nothing was begun")


async def test_a_command_that_ends_in_time_keeps_its_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path) as run:
        began = asyncio.Event()

        async def slowly(*_: object) -> tuple[bool, str, str]:
            began.set()
            await run.stop.wait()
            return True, "", "done in the end"

        monkeypatch.setattr(run.engine.parts.operator, "_halt", slowly)
        async with await RemotePort.connect(tmp_path, SECONDS) as port:
            asked = asyncio.create_task(port.submit(halt_all("a")))
            await began.wait()
            await run.ended()
            assert (await asked).text == "done in the end"


async def test_who_commands_while_a_fault_ends_the_run_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as run:
        began = asyncio.Event()
        monkeypatch.setattr(run.engine.parts.operator, "_halt", hanging(began))
        async with await RemotePort.connect(tmp_path, SECONDS) as port:
            asked: asyncio.Task[Receipt] = asyncio.create_task(port.submit(halt_all("a")))
            await began.wait()
            run.task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run.task
            assert (await asked).code == "STOPPING"


async def test_a_key_that_is_being_issued(tmp_path: Path) -> None:
    async with serving() as server:
        server.mint_acts.append(Act(hold=True))
        told = {"venice": {"url": server.url}, "VENICE_AUTO_MINT_KEY": SecretStr(MINT_KEY)}
        async with running(tmp_path, Settings.model_validate(told)) as run:
            async with asyncio.timeout(SECONDS):
                while not server.mints:  # noqa: ASYNC110 - the request is on its way over loopback
                    await asyncio.sleep(0.01)
            await run.ended()


async def test_older_blocks_that_are_being_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began = asyncio.Event()

    async def stuck(directory: Path, gap: Gap, since_ms: int, _: Callable[[list[Row]], Awaitable[None]]) -> int:
        return await fill(directory, gap, since_ms, hanging(began))

    async with running(tmp_path) as run:
        monkeypatch.setattr(indexer, "fill", stuck)
        run.engine._index._waiting.missed(Gap(0, 1))
        async with asyncio.timeout(SECONDS):
            await began.wait()
        await run.ended()


OWNERS = {
    "engine/attached.py": 1,
    "engine/daemon.py": 1,
    "engine/indexing/fill.py": 1,
    "engine/indexing/indexer.py": 1,
    "engine/live/doctor_scene.py": 1,
    "engine/live/journaled.py": 1,
    "engine/once.py": 1,
    "store/unbroken.py": 1,
    "venue/avantis/signed.py": 1,
    "venue/chain/endpoints.py": 1,
    "venue/chain/subscription.py": 2,
    "venue/net/shared.py": 1,
    "venue/pyth/simulator.py": 1,
}
"""Who makes tasks outside of a group, and how many: each of them is waited for by who closes its owner."""


def test_tasks_outside_of_groups_have_known_owners() -> None:
    found: dict[str, int] = {}
    for room in ("engine", "venue", "store"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if made := sum(_bare(node) for node in ast.walk(ast.parse(path.read_text()))):
                found[str(path.relative_to(ROOT))] = made
    assert found == OWNERS


def _bare(node: ast.AST) -> bool:
    """Whether it is a task of its own: not of a group, which are all called `tasks` here."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    of_group = isinstance(node.func.value, ast.Name) and node.func.value.id == "tasks"
    return node.func.attr == "ensure_future" or (node.func.attr == "create_task" and not of_group)
