"""The second screen: getting there and back, and asking for things in the two-step exchange."""

import pytest

from engine.commands import HaltAll
from engine.exchange_rows import RequestCounts, RequestState
from engine.requests.commands import CancelRequest, RetryRequest
from tests.tui.operator import focused, watching
from tests.tui.scripted import NOW, ScriptedPort, key, request, requests, snapshot, status


def with_states(*states: RequestState, may_cancel: bool = True) -> ScriptedPort:
    rows = tuple(request(number, state, may_cancel=may_cancel) for number, state in enumerate(states))
    return ScriptedPort(snapshot(requests=rows))


async def test_numbers_go_to_every_pane_from_everywhere() -> None:
    async with watching() as operator:
        names = ("desks", "markets", "agent", "liquidations", "requests", "pools", "log", "accounts")
        for start in ((), ("enter",), ("5", "enter"), ("6", "enter"), ("8", "tab", "j", "enter"), ("7",)):
            for pane, name in enumerate(names, 1):
                await operator.press(*start, str(pane))
                assert focused(operator) == name, (start, pane)
        assert len(operator.app.screen_stack) == 2
        await operator.press("1")
        assert len(operator.app.screen_stack) == 1


async def test_the_second_screen_keeps_its_cursor_and_filter_while_away() -> None:
    async with watching() as operator:
        await operator.press("5", "slash", *"frozen", "enter", "1", "5")
        assert operator.sees("filter: frozen (1 of")
        assert "> ! frozen" in operator.line("LimitIncrease")


async def test_keys_of_the_first_screen_work_on_the_second() -> None:
    async with watching() as operator:
        await operator.press("5", "j", "s", "z")
        assert not operator.sees("Pools 3")
        assert operator.sees("by state")
        await operator.press("escape", "tab")
        assert focused(operator) == "pools"
        await operator.press("tab", "H", "H")
        assert isinstance(operator.port.commands[0], HaltAll)
        assert not operator.keys.startswith("h ")


async def test_a_terminal_resized_on_the_second_screen_fits_on_the_first() -> None:
    async with watching() as operator:
        await operator.press("5")
        await operator.resize(80, 24)
        await operator.press("1")
        await operator.frame()
        assert operator.sees("Markets 24")
        assert not operator.sees("Liquidations:")


async def test_what_waits_grows_older_once_a_second_and_what_ended_does_not() -> None:
    async with watching() as operator:
        await operator.press("5")
        before = operator.lines()
        operator.port.show(status=status())
        await operator.frame()
        assert operator.lines() == before
        operator.port.show(status=status(now_ms=NOW + 1000))
        await operator.frame()
        changed = [line for line, was in zip(operator.lines(), before, strict=True) if line != was]
        assert all("pending" in line or "14:03:23Z" in line for line in changed)
        assert "13s" in operator.line("○ pending        13s")


async def test_an_unpriced_pool_is_unknown_in_signs_and_words() -> None:
    async with watching() as operator:
        await operator.press("6")
        assert "? no price " in operator.line("SOL-USD off")
        await operator.press("G", "enter")
        assert operator.sees("no price: a price it needs may not be traded on")
        assert operator.line(" value  ").split()[1] == "?"


async def test_a_request_has_a_page_with_everything_and_keeps_it_when_it_leaves_the_list() -> None:
    async with watching() as operator:
        await operator.press("5", "j", "enter")
        for words in (key(1), "OrderNotFulfillableAtAcceptablePrice: 3,024.10 is above 3,021.00", "16,000.00 USD"):
            assert operator.sees(words), words
        operator.port.show(requests=())
        await operator.frame()
        assert operator.sees("no longer on the list")


async def test_empty_panes_say_what_to_do() -> None:
    counts = RequestCounts(0, 0, 0, 0, None)
    async with watching(ScriptedPort(snapshot(requests=(), pools=(), request_counts=counts))) as operator:
        await operator.press("5")
        assert operator.sees("no request yet: n creates a deposit")
        assert operator.sees("no pool yet")
        await operator.press("x", "t", "enter")
        assert operator.message == "detail: nothing to open here"


async def test_cancel_asks_and_keeping_it_has_the_focus() -> None:
    async with watching(with_states(RequestState.PENDING)) as operator:
        await operator.press("5", "x", "enter")
        assert operator.port.commands == []
        await operator.press("x", "tab", "enter", "enter")
        [command] = operator.port.commands
        assert isinstance(command, CancelRequest)
        assert (command.key, command.who, command.seen_seq, command.expires_at_ms) == (key(0), "ops", 501, NOW + 3000)
        assert operator.message == "cancel Deposit 9e3779b1: done"


async def test_a_request_that_ends_under_the_question_cannot_be_cancelled() -> None:
    async with watching(with_states(RequestState.PENDING)) as operator:
        await operator.press("5", "x", "tab")
        operator.port.show(requests=(request(0, RequestState.EXECUTED),))
        await operator.frame()
        await operator.press("enter")
        assert operator.sees("nothing to do")
        assert operator.port.commands == []


@pytest.mark.parametrize(
    ("state", "may_cancel", "cancel", "retry"),
    [
        (RequestState.EXECUTED, False, "already executed", "already executed"),
        (RequestState.CANCELLED, False, "already cancelled", "already cancelled"),
        (RequestState.PENDING, False, "may be cancelled 300 s after creation", ""),
    ],
)
async def test_why_not(state: RequestState, may_cancel: bool, cancel: str, retry: str) -> None:
    async with watching(with_states(state, may_cancel=may_cancel)) as operator:
        await operator.press("5", "x")
        assert operator.message == f"cancel: {cancel}"
        await operator.press("t")
        assert len(operator.port.commands) == (not retry)
        if retry:
            assert operator.message == f"retry: {retry}"
        await operator.press("6", "x")
        assert operator.message == "cancel: no request selected"


async def test_retry_is_not_sent_twice_while_the_answer_is_on_its_way() -> None:
    port = ScriptedPort(snapshot(requests=requests()), delay=60)
    async with watching(port) as operator:
        await operator.press("5", "t", "t")
        [command] = port.commands
        assert isinstance(command, RetryRequest)
        assert operator.message.endswith("already asked, the answer is on its way")


async def test_observers_may_only_look() -> None:
    async with watching(ScriptedPort(role="observer")) as operator:
        await operator.press("5", "j")
        for name in ("n", "x", "t"):
            await operator.press(name)
            assert operator.message.endswith("observer: may only look")
        assert operator.port.commands == []


async def test_the_status_line_counts_what_waits_where_there_is_room() -> None:
    async with watching(size=(200, 60)) as operator:
        assert "req 4, 1 frozen" in operator.lines()[0]
        operator.port.show(request_counts=RequestCounts(2, 0, 0, 0, None))
        await operator.frame()
        assert "req 2 " in operator.lines()[0]
        await operator.resize(80, 24)
        assert "req" not in operator.lines()[0]
