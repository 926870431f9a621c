"""Two deaths on the way of one order, at any await of it and at any of the recovery: it ends, it happened once or not
at all, and nothing is missing. Most pairs on a chain in memory; a share on a node with the compiled contracts."""

import random
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tests.chain.anvil_scene import anvil_scene
from tests.chain.avantis_house import MinedStage, staged
from tests.chain.fleet import Fate
from tests.chain.lives import Ready, judged, lived, prepared
from tests.chain.matrix import Planted, Process
from tests.chain.node import Node
from tests.chain.paper_chain import MONEY, PaperChain
from tests.chain.scene import PaperScene, Scene
from tests.scale import SEED, scaled
from venue.avantis.intent_log import BeginSubmit
from venue.chain.facts import TxSigned
from venue.chain.machine import RecordSigned

KINDS: Final = ("open", "grow", "reduce", "close", "cancel", "give-up")
ORDERS: Final = [(kind, signed) for kind in KINDS for signed in (False, True)] + [("approve", False)]
ORDER: Final = pytest.mark.parametrize(
    ("kind", "signed"), ORDERS, ids=lambda each: each if isinstance(each, str) else "signed" if each else "sent"
)
PAIRS: Final = scaled(4, 62, 120)
"""Of each kind of order by each route."""
ON_A_NODE: Final = scaled(1, 4, 12)
"""The same, of those that are tried on a node as well."""


Fresh = Callable[[], Awaitable[Scene]]
"""The world as it was when the order began."""


@dataclass
class Told(Fate):
    """Remembers where it has been."""

    been: list[str] = field(default_factory=list)

    async def tick(self, name: str = "") -> None:
        self.been.append(name)
        await super().tick(name)


class Matrix:
    """Pairs of deaths of one kind of order."""

    def __init__(self, ready: Ready, fresh: Fresh, directory: Path, planted: Planted | None = None) -> None:
        self.ready = ready
        self.directory = directory
        self._fresh = fresh
        self._planted = planted
        self._recoveries: dict[tuple[int, bool], int] = {}
        self._tried = 0

    async def _scene(self) -> Scene:
        scene = await self._fresh()
        scene.cancels = self.ready.kind == "cancel"
        if isinstance(scene, PaperScene) and self.ready.kind == "give-up":
            scene.blind()
        return scene

    def _copied(self) -> Path:
        self._tried += 1
        return self.ready.copied(self.directory / str(self._tried))

    async def _life(self, scene: Scene, directory: Path, fate: Fate, first: bool = False) -> bool:
        return await lived(
            scene, directory, self.ready.signed, self.ready.kind, fate, first=first, planted=self._planted
        )

    async def points(self) -> int:
        """Of a life without a death."""
        fate, directory = Told(), self._copied()
        scene = await self._scene()
        assert await self._life(scene, directory, fate, first=True)
        await judged(scene, directory, self.ready, again=True)
        return fate.count

    async def recovery(self, first: int, turns: bool) -> int:
        """Points of the recovery from a death at point `first`."""
        if (first, turns) not in self._recoveries:
            scene, directory, fate = await self._scene(), self._copied(), Told()
            await self._life(scene, directory, Told(first), first=True)
            if turns:
                await scene.turn()
            await self._life(scene, directory, fate)
            self._recoveries[first, turns] = fate.count
        return self._recoveries[first, turns]

    async def pair(self, first: int, second: int, turns: bool, again: bool) -> None:
        """Raises AssertionError, which says where the deaths were."""
        scene, directory, deaths = await self._scene(), self._copied(), (Told(first), Told(second))
        try:
            for number, fate in enumerate(deaths):
                assert not await self._life(scene, directory, fate, first=not number), "nobody died"
                if turns:
                    await scene.turn()
            assert await self._life(scene, directory, Told())
            await judged(scene, directory, self.ready, again=again)
        except AssertionError as error:
            where = " and at ".join(f"point {fate.at}, {fate.been[-1]}" for fate in deaths if fate.been)
            route = "signed" if self.ready.signed else "sent"
            raise AssertionError(
                f"seed {SEED}: {self.ready.kind}, {route}, {turns=}, died at {where}: {error}"
            ) from error


async def matrix(kind: str, signed: bool, directory: Path, planted: Planted | None = None) -> Matrix:
    chain = PaperChain(allowance=0 if kind == "approve" else 2 * MONEY)
    ready = await prepared(PaperScene(chain), kind, signed, directory / "ready")

    async def fresh() -> Scene:
        return PaperScene(chain.copied())

    return Matrix(ready, fresh, directory, planted)


async def tries(made: Matrix, count: int, seed: str) -> None:
    """So many pairs: every point of the first life in turn, and of the recovery any."""
    luck, points = random.Random(seed), await made.points()
    starts = [point for _ in range(count // points + 1) for point in luck.sample(range(1, points + 1), points)]
    for number, first in enumerate(starts[:count]):
        turns = luck.random() < 0.5
        second = luck.randint(1, await made.recovery(first, turns))
        await made.pair(first, second, turns=turns, again=number % 4 == 0)


@ORDER
async def test_two_deaths_leave_one_effect_or_none(
    kind: str, signed: bool, tmp_path: Path, tried: Callable[[int], None]
) -> None:
    await tries(await matrix(kind, signed, tmp_path), PAIRS, f"{SEED}:{kind}:{signed}")
    tried(PAIRS)


# The net is shown to catch fish


def sent_first(one: Process) -> None:
    """A bug: bytes are sent before the journal has them."""
    node, door = one.sender._node, one.sender._door

    class Hasty:
        async def submit(self, command: Any) -> Any:
            if isinstance(command, RecordSigned) and isinstance(command.signed, TxSigned):
                await node.send_raw(bytes.fromhex(command.signed.raw[2:]))
            return await door.submit(command)

        async def read(self, look: Any) -> Any:
            return await door.read(look)

    one.sender._door = Hasty()


def handed_over_first(one: Process) -> None:
    """A bug: that an intent is about to be handed over is written down with whatever comes after it."""
    door = one.signed._door

    class Hasty:
        late: Any = None

        async def submit(self, command: Any) -> Any:
            if isinstance(command, BeginSubmit):
                self.late = command
                return ()
            if self.late:
                late, self.late = self.late, None
                await door.submit(late)
            return await door.submit(command)

        async def read(self, look: Any) -> Any:
            return await door.read(look)

    one.signed._door = Hasty()


@pytest.mark.parametrize(("signed", "planted"), [(False, sent_first), (True, handed_over_first)])
async def test_what_is_sent_before_it_is_journaled_is_found(tmp_path: Path, signed: bool, planted: Planted) -> None:
    made = await matrix("open", signed, tmp_path, planted)
    for first in range(1, await made.points() + 1):
        try:
            await made.pair(first, 1, turns=True, again=False)
        except AssertionError as error:
            if "nobody died" not in str(error):
                return
    raise AssertionError("the bug was not found")


# On a node

ON_NODES: Final = ("open", "close", "grow", "reduce", "cancel", "approve")[: scaled(2, 6, 6)]


@pytest.fixture(scope="module")
def stage(session_node: Node) -> Generator[MinedStage, None, None]:
    with staged(session_node) as made:
        yield made


@pytest.mark.parametrize("kind", ON_NODES)
async def test_two_deaths_on_a_node(stage: MinedStage, kind: str, tmp_path: Path, tried: Callable[[int], None]) -> None:
    async with anvil_scene(stage) as scene:
        await scene.poor(0 if kind == "approve" else 2 * MONEY)
        ready = await prepared(scene, kind, False, tmp_path / "ready")
        await scene.keep()

        async def fresh() -> Scene:
            await scene.back()
            return scene

        await tries(Matrix(ready, fresh, tmp_path), ON_A_NODE, f"{SEED}:{kind}:node")
    tried(ON_A_NODE)
