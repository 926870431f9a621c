"""A key that somebody else uses: its desks are held, once, and a person is told."""

from pathlib import Path

from engine.arming import Arming
from engine.desks.commands import Resume
from engine.live.shared_key import SharedKey
from engine.settlement import Settlement
from tests.engine.fleet import FIRST, SECOND, pair
from tests.engine.house import OTHER, TOKEN, settled
from tests.venue.chain.test_machine import reserve
from venue.chain.machine import Adopt, Command, Readopt, RecordTaken
from venue.chain.wallets import Of


async def chain(settlement: Settlement, *commands: Command) -> None:
    for command in commands:
        await settlement.submit(Of(FIRST, command))


async def halted(settlement: Settlement) -> dict[str, str | None]:
    return await settlement.read(lambda world: {desk.address: desk.halted_by for desk in world.house.desks.values()})


async def test_the_desks_of_the_wallet_are_halted_once(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await pair(settlement)
        key, other = (SharedKey(settlement, wallet, Arming(armed=True)) for wallet in (FIRST, SECOND))
        await chain(settlement, Adopt(FIRST, 4), reserve("a"))
        assert (await key.look(), key.alarm()) == ("ours alone", "")
        await chain(settlement, RecordTaken("a"))
        assert "somebody else used nonce 4; if it was not you, move the funds" in await key.look()
        assert await other.look() == "ours alone"
        assert await halted(settlement) == {TOKEN: "key shared", OTHER: None}
        await settlement.submit(Resume(TOKEN, "ops", ""))
        await key.look()
        assert await halted(settlement) == {TOKEN: None, OTHER: None}, "who resumes is obeyed"
        await chain(settlement, Readopt(6, "ops"))
        assert (await key.look(), key.alarm()) == ("ours alone", "")


async def test_a_run_that_only_looks_tells_and_halts_nothing(tmp_path: Path) -> None:
    async with settled(tmp_path) as settlement:
        await pair(settlement)
        await chain(settlement, Adopt(FIRST, 4), reserve("a"), RecordTaken("a"))
        key = SharedKey(settlement, FIRST, Arming(armed=False, observing=True))
        assert (await key.look()).startswith("KEY SHARED, nothing is sent")
        assert await halted(settlement) == {TOKEN: None, OTHER: None}
