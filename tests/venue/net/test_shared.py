"""One question, many who wait: nobody is asked twice, nobody waits for ever, nothing goes on behind its owner."""

import asyncio

import pytest

from venue.net.shared import Closed, Shared


class Question:
    """Held up until it is told what to answer."""

    def __init__(self) -> None:
        self.asked = 0
        self.ended = 0
        self.answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> int:
        self.asked += 1
        try:
            return await asyncio.shield(self.answer)
        finally:
            self.ended += 1


async def turn() -> None:
    """Lets everybody who is ready go on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_all_get_the_one_answer_and_the_next_asks_anew() -> None:
    question = Question()
    shared = Shared(question)
    waiting = [asyncio.create_task(shared.answer()) for _ in range(10)]
    await turn()
    assert shared.asking
    question.answer.set_result(7)
    assert await asyncio.gather(*waiting) == [7] * 10
    assert (question.asked, shared.asking) == (1, False)
    assert await shared.answer() == 7
    assert question.asked == 2


async def test_who_gives_up_takes_only_the_answer_with_them() -> None:
    question = Question()
    shared = Shared(question)
    leaves, stays = asyncio.create_task(shared.answer()), asyncio.create_task(shared.answer())
    await turn()
    leaves.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaves
    question.answer.set_result(7)
    assert (await stays, question.asked) == (7, 1)


async def test_what_it_raises_is_everybody_s_even_where_nobody_waits_any_more() -> None:
    question = Question()
    shared = Shared(question)
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    leaves = asyncio.create_task(shared.answer())
    await turn()
    leaves.cancel()
    await turn()
    question.answer.set_exception(OSError("no route"))
    await turn()
    del leaves
    assert (shared.asking, faults) == (False, [])
    with pytest.raises(OSError, match="no route"):
        await shared.answer()


async def test_who_comes_too_late_to_join_asks_beside_it() -> None:
    now_s = 0.0
    question = Question()
    shared = Shared(question, 0.25, lambda: now_s)
    first = asyncio.create_task(shared.answer())
    await turn()
    now_s = 0.3
    second = asyncio.create_task(shared.answer())
    await turn()
    assert question.asked == 2
    question.answer.set_result(7)
    assert (await first, await second) == (7, 7)


async def test_closing_ends_all_that_is_asked_and_says_so() -> None:
    now_s = 0.0
    question = Question()
    shared = Shared(question, 0.25, lambda: now_s)
    first = asyncio.create_task(shared.answer())
    await turn()
    now_s = 0.3
    second = asyncio.create_task(shared.answer())
    await turn()
    await shared.aclose()
    assert (question.asked, question.ended) == (2, 2)
    for waiting in (first, second):
        with pytest.raises(Closed):
            await waiting
