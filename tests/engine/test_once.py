"""Commands under way: bounded, answered, and a way out is never in their way."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import count
from pathlib import Path

import pytest

from engine import control
from engine.clearing.commands import ClosePosition, Deposit, LiquidatePosition, OpenPosition
from engine.commands import (
    AckAlarm,
    CloseDesk,
    CloseDesks,
    Command,
    HaltAll,
    HaltDesk,
    QuarantineDesk,
    Receipt,
    ReduceDesk,
    ResumeDesk,
    leads_out,
)
from engine.control import listening
from engine.once import CUT_OFF, MOST_RUNNING, REMEMBERED, Once
from engine.remote import RemotePort
from engine.requests.commands import CancelRequest, CreateOrder, CreditPaper
from engine.seats import MOST_COMMANDS
from tests.engine.control import SECONDS, Recorder, halt_all, served
from venue.exchange.requests.request import OrderType

_ids = (str(number) for number in count())


def said() -> dict[str, object]:
    return {"id": next(_ids), "who": "ops", "seen_seq": 0, "expires_at_ms": 10**15}


def resume() -> ResumeDesk:
    return ResumeDesk(address="0x1", **said())  # type: ignore[arg-type]


def close() -> CloseDesk:
    return CloseDesk(address="0x1", worst_price=1, **said())  # type: ignore[arg-type]


@dataclass
class House:
    """Whoever is asked works until the gate is open."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[Command] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.once = Once(self._execute, lambda: 1)

    async def _execute(self, command: Command) -> Receipt:
        self.begun.append(command)
        await self.gate.wait()
        return Receipt(command.id, True, "", "done", 1)

    async def busy(self, number: int) -> list[asyncio.Task[Receipt]]:
        tasks = [asyncio.create_task(self.once.answer(resume())) for _ in range(number)]
        while len(self.begun) < number:  # noqa: ASYNC110 - each begins in a turn of its own
            await asyncio.sleep(0)
        return tasks


async def test_one_too_many_is_refused_unbegun_and_may_come_again() -> None:
    house = House()
    tasks = await house.busy(MOST_RUNNING)
    one_more = resume()
    refused = await house.once.answer(one_more)
    assert (refused.ok, refused.code, "\n" in refused.text) == (False, "BUSY", False)
    assert one_more not in house.begun
    house.gate.set()
    assert all(receipt.ok for receipt in await asyncio.gather(*tasks))
    assert (await house.once.answer(one_more)).ok
    assert house.begun.count(one_more) == 1


async def test_a_way_out_is_begun_whoever_is_busy_and_takes_nobody_s_place() -> None:
    house = House()
    outs = [asyncio.create_task(house.once.answer(close())) for _ in range(MOST_RUNNING)]
    tasks = await house.busy(MOST_RUNNING)
    out = asyncio.create_task(house.once.answer(close()))
    house.gate.set()
    assert all(receipt.ok for receipt in await asyncio.gather(out, *outs, *tasks))


async def test_a_repetition_of_what_runs_is_not_one_too_many() -> None:
    house = House()
    tasks = await house.busy(MOST_RUNNING)
    again = asyncio.create_task(house.once.answer(house.begun[0]))
    house.gate.set()
    assert (await again).ok
    await asyncio.gather(*tasks)


async def test_receipts_are_kept_for_so_many() -> None:
    house = House()
    house.gate.set()
    first = resume()
    for command in (first, *(resume() for _ in range(REMEMBERED - 1))):
        await house.once.answer(command)
    await house.once.answer(first)
    assert house.begun.count(first) == 1
    await house.once.answer(resume())
    await house.once.answer(first)
    assert house.begun.count(first) == 2


async def test_a_stop_answers_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.once.GRACE_S", 0.01)
    house = House()
    tasks = await house.busy(3)
    await house.once.aclose()
    assert {(each.code, each.text) for each in await asyncio.gather(*tasks)} == {("STOPPING", CUT_OFF)}
    late = await house.once.answer(close())
    assert (late.code, len(house.begun)) == ("STOPPING", 3)
    assert [await house.once.answer(each) for each in house.begun] == [task.result() for task in tasks]


async def test_what_is_cancelled_inside_is_a_fault_and_no_stop() -> None:
    async def execute(_: Command) -> Receipt:
        raise asyncio.CancelledError

    assert (await Once(execute, lambda: 1).answer(resume())).code == "INTERNAL"


def test_which_commands_lead_out() -> None:
    order = CreateOrder(account="a", type=OrderType.MARKET_INCREASE, **said())  # type: ignore[arg-type]
    outs: list[Command] = [
        HaltAll(**said()),  # type: ignore[arg-type]
        HaltDesk(address="0x1", **said()),  # type: ignore[arg-type]
        QuarantineDesk(address="0x1", **said()),  # type: ignore[arg-type]
        close(),
        CloseDesks(leaves=(), **said()),  # type: ignore[arg-type]
        ReduceDesk(address="0x1", share=1, worst_price=1, **said()),  # type: ignore[arg-type]
        ClosePosition(user="a", position_id=1, **said()),  # type: ignore[arg-type]
        CancelRequest(key="k", **said()),  # type: ignore[arg-type]
        replace(order, type=OrderType.MARKET_DECREASE),
        replace(order, type=OrderType.LIMIT_DECREASE),
        replace(order, type=OrderType.STOP_LOSS_DECREASE),
    ]
    others: list[Command] = [
        order,
        replace(order, type=OrderType.MARKET_SWAP),
        resume(),
        AckAlarm(key="k", **said()),  # type: ignore[arg-type]
        Deposit(user="a", amount=1, **said()),  # type: ignore[arg-type]
        OpenPosition(user="a", market="ETH", is_long=True, total=1, leverage=Fraction(1), **said()),  # type: ignore[arg-type]
        LiquidatePosition(position_id=1, **said()),  # type: ignore[arg-type]
        CreditPaper(account="a", token="USDC", amount=1, **said()),  # type: ignore[arg-type]
    ]
    assert [each for each in outs if not leads_out(each)] == []
    assert [each for each in others if leads_out(each)] == []


async def test_commands_of_other_processes_leave_seats_for_a_halt(tmp_path: Path) -> None:
    async with served(tmp_path) as port:
        port.gate.clear()
        links = [await RemotePort.connect(tmp_path, SECONDS) for _ in range(MOST_COMMANDS)]
        tasks = [asyncio.create_task(link.submit(resume())) for link in links]
        while len(port.asked) < MOST_COMMANDS:  # noqa: ASYNC110 - they come over the socket
            await asyncio.sleep(0.01)
        async with await RemotePort.connect(tmp_path, SECONDS) as one_more:
            refused = await one_more.submit(resume())
            assert (refused.code, len(port.asked)) == ("BUSY", MOST_COMMANDS)
            halting = asyncio.create_task(one_more.submit(halt_all("h")))
            while len(port.asked) == MOST_COMMANDS:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            port.gate.set()
            assert (await halting).ok
        assert all(receipt.ok for receipt in await asyncio.gather(*tasks))
        assert (await links[0].submit(resume())).ok, "the seats are free again"
        for link in links:
            await link.close()


async def test_an_answer_that_comes_while_the_socket_closes_is_still_given(tmp_path: Path) -> None:
    port = Recorder()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(listening(port, tmp_path, pytest.fail))
        remote = await RemotePort.connect(tmp_path, SECONDS)
        asked = asyncio.create_task(remote.submit(halt_all("a")))
        await port.came.wait()
        asyncio.get_running_loop().call_later(0.05, port.gate.set)
    assert (await asked).ok
    await remote.close()


async def test_a_command_without_an_end_does_not_keep_the_socket_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "CLOSE_SECONDS", 0.05)
    monkeypatch.setattr(control, "OPEN_SECONDS", 0.05)
    before = asyncio.all_tasks()
    port = Recorder()
    async with listening(port, tmp_path, pytest.fail):
        link = await RemotePort.connect(tmp_path, SECONDS)
        asked = asyncio.create_task(link.submit(halt_all("a")))
        await port.came.wait()
    await asyncio.gather(asked, return_exceptions=True)
    await link.close()
    assert not asyncio.all_tasks() - before
