"""What an operator can do, key by key, and what they are told when they cannot."""

from dataclasses import replace

import pytest

from engine.commands import CloseDesk, HaltAll, HaltDesk, Receipt, ResumeDesk
from engine.exchange_rows import Side
from engine.snapshot import DeskPhase, Event
from tests.tui.operator import focused, watching
from tests.tui.scripted import NOW, ScriptedPort, address, desk, idle, snapshot, status
from tui.settings import UiSettings

QUICK = UiSettings(arm_seconds=1.0, close_seconds=1.0, quit_seconds=1.0, receipt_seconds=1.0)


async def test_the_first_look_shows_everything_that_matters() -> None:
    async with watching() as operator:
        assert "PAPER" in operator.lines()[0]
        assert "14:03:22Z" in operator.lines()[0]
        for title in ("Desks 12", "Markets 24", "Agent venice", "Liquidations: 3 ready, 14 near, 9,204 watched"):
            assert operator.sees(title)
        assert "HALTED by ops 13:58" in operator.line("CAT·")
        assert "pending 88.20 of 100 min notional" in operator.line("WIF·")
        assert operator.line("MOG·").count("?") >= 3
        assert "stale 14s" in operator.line("SOL")
        assert "UNKNOWN" in operator.line("TOSHI·")


async def test_h_halts_the_selected_desk_at_once() -> None:
    async with watching() as operator:
        await operator.press("j", "h")
        [command] = operator.port.commands
        assert isinstance(command, HaltDesk)
        assert command.address == address(1)
        assert (command.who, command.seen_seq, command.expires_at_ms) == ("ops", 501, NOW + 3000)
        assert operator.message == "halt BONK·dd61: done"


async def test_h_on_a_halted_desk_resumes_it() -> None:
    async with watching() as operator:
        await operator.press("j", "j", "j", "j")
        assert "h resume" in operator.keys
        await operator.press("h")
        assert isinstance(operator.port.commands[0], ResumeDesk)


async def test_commands_say_what_was_on_the_screen_not_what_came_since() -> None:
    async with watching() as operator:
        operator.port.change_desk(0, note="changed behind the operator's back")
        await operator.press("h")
        assert operator.port.commands[0].seen_seq == 501


async def test_a_second_command_has_another_id() -> None:
    async with watching() as operator:
        await operator.press("h", "h")
        first, second = operator.port.commands
        assert first.id != second.id


async def test_a_refusal_shows_its_code_and_its_reason() -> None:
    port = ScriptedPort(answer=Receipt("x", False, "stale_view", "the desk changed since", 502))
    async with watching(port) as operator:
        await operator.press("h")
        assert operator.message == "halt PEPE·3f2a refused, stale_view: the desk changed since"


async def test_a_port_that_breaks_is_reported_and_the_screen_goes_on() -> None:
    async with watching(ScriptedPort(answer=ConnectionError("secret"))) as operator:
        await operator.press("h")
        assert operator.message == "halt PEPE·3f2a: not sent (ConnectionError)"
        await operator.press("j")
        assert ">" in operator.line("BONK·")


async def test_no_answer_is_an_unknown_outcome() -> None:
    port = ScriptedPort(delay=5.0)
    async with watching(port, ui=QUICK) as operator:
        await operator.press("h")
        assert operator.message.endswith("sent")
        await operator.until(lambda: operator.message == "halt PEPE·3f2a: no answer yet, outcome unknown")


async def test_halt_all_arms_then_fires() -> None:
    async with watching() as operator:
        await operator.press("H")
        assert operator.message == "H again within 5 s halts 11 desks, esc cancels"
        assert operator.port.commands == []
        await operator.press("H")
        assert isinstance(operator.port.commands[0], HaltAll)


async def test_halt_all_disarms_by_escape() -> None:
    async with watching() as operator:
        await operator.press("H", "escape")
        assert operator.message == "cancelled: halt all"
        await operator.press("H")
        assert operator.port.commands == []


async def test_halt_all_disarms_by_itself() -> None:
    async with watching(ui=QUICK) as operator:
        await operator.press("H")
        await operator.until(lambda: operator.message == "")
        await operator.press("H")
        assert operator.port.commands == []


@pytest.mark.parametrize("keys", [("enter",), ("c",), ("question_mark",), ("z",), ("4",)])
async def test_halt_all_works_on_every_screen(keys: tuple[str, ...]) -> None:
    async with watching() as operator:
        await operator.press(*keys, "H")
        assert operator.message.startswith("H again within")
        await operator.press("H")
        assert isinstance(operator.port.commands[0], HaltAll)


async def test_halt_all_keeps_its_role_in_a_dialog() -> None:
    async with watching(ScriptedPort(role="observer")) as operator:
        await operator.press("question_mark", "H")
        assert operator.message == "halt all: observer: may only look"


async def test_escape_in_a_dialog_cancels_what_counts_down_behind_it() -> None:
    async with watching(ui=UiSettings(close_seconds=1.5)) as operator:
        await operator.press("c", "tab", "enter", "j", "c", "escape")
        assert operator.message == "cancelled: closing PEPE·3f2a"
        await operator.waits(1.6)
        assert operator.port.commands == []


async def test_close_shows_what_it_would_do_and_cancel_has_the_focus() -> None:
    async with watching() as operator:
        await operator.press("j", "c")
        for words in ("Close BONK·dd61", "LONG BTC 25x", "64,391.18", "0.03%  worse than mark", "63,747.27", "payout"):
            assert operator.sees(words), words
        await operator.press("enter")
        assert operator.port.commands == []
        assert operator.sees("Desks 12")


async def test_close_counts_down_and_then_submits_the_worst_price_shown() -> None:
    async with watching(ui=QUICK) as operator:
        await operator.press("j", "c", "tab", "enter")
        assert operator.message == "closing BONK·dd61 in 1 s, esc cancels"
        assert operator.port.commands == []
        await operator.until(lambda: operator.port.commands)
        [command] = operator.port.commands
        assert isinstance(command, CloseDesk)
        exit_quote = operator.port.picture.desks[1].exit
        assert exit_quote is not None
        assert command.worst_price == exit_quote.price * 99 // 100


async def test_a_short_accepts_a_higher_price_not_a_lower_one() -> None:
    async with watching(ui=QUICK) as operator:
        await operator.press("c", "tab", "enter")
        await operator.until(lambda: operator.port.commands)
        [command] = operator.port.commands
        exit_quote = operator.port.picture.desks[0].exit
        assert isinstance(command, CloseDesk)
        assert exit_quote is not None
        assert command.worst_price == exit_quote.price * 101 // 100


async def test_the_countdown_can_be_cancelled() -> None:
    async with watching(ui=QUICK) as operator:
        await operator.press("c", "right", "enter", "escape")
        assert operator.message == "cancelled: closing PEPE·3f2a"
        await operator.waits(1.1)
        assert operator.port.commands == []


async def test_the_dialog_follows_prices_while_the_screen_behind_stands_still() -> None:
    async with watching() as operator:
        behind = operator.app.screen
        before = [strip.text for strip in behind._compositor.render_strips()]
        await operator.press("c")
        operator.port.change_desk(0, mark=3111 * 10**18)
        await operator.frame()
        assert operator.sees("3,111.00")
        assert [strip.text for strip in behind._compositor.render_strips()][1:] == before[1:]
        await operator.press("escape")
        assert "3,111.00" in operator.line("PEPE·3f2a")


async def test_the_status_line_goes_on_behind_a_dialog() -> None:
    async with watching() as operator:
        await operator.press("c")
        status = operator.port.picture.status
        operator.port.show(status=replace(status, block=(status.block or 0) + 4_321))
        await operator.frame()
        assert operator.sees(f"block {(status.block or 0) + 4_321:,}")


async def test_a_position_that_vanishes_under_the_dialog_cannot_be_closed() -> None:
    async with watching() as operator:
        await operator.press("c", "tab")
        operator.port.change_desk(0, side=None, exit=None)
        await operator.frame()
        assert operator.sees("This position is gone")
        await operator.press("enter")
        assert operator.sees("This position is gone")
        assert operator.port.commands == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"side": None, "exit": None}, "no position"),
        ({"exit": None}, "no exit price"),
        ({"phase": DeskPhase.CLOSING}, "already closing"),
        ({"phase": DeskPhase.UNKNOWN}, "outcome of the last order unknown"),
    ],
)
async def test_close_says_why_it_cannot(changes: dict[str, object], reason: str) -> None:
    async with watching() as operator:
        operator.port.change_desk(0, **changes)
        await operator.frame()
        assert f"c close ({reason})" in operator.keys
        await operator.press("c")
        assert operator.message == f"close: {reason}"


async def test_an_observer_may_only_look() -> None:
    async with watching(ScriptedPort(role="observer")) as operator:
        for key in ("h", "H", "c"):
            await operator.press(key)
            assert operator.message.endswith("observer: may only look")
        assert operator.port.commands == []
        assert operator.sees("h halt (observer: may only look)")


async def test_no_desk_is_selected_where_none_is_highlighted() -> None:
    async with watching() as operator:
        await operator.press("2", "h")
        assert operator.message == "halt: no desk selected"


async def test_a_decision_selects_its_desk() -> None:
    async with watching() as operator:
        await operator.press("3", "j", "h")
        command = operator.port.commands[0]
        assert isinstance(command, HaltDesk)
        assert command.address == address(1)


async def test_arrows_letters_pages_and_ends_move_the_cursor() -> None:
    async with watching() as operator:
        for keys, token in (
            (("down", "j"), "WIF·"),
            (("up",), "BONK·"),
            (("k", "k"), "PEPE·"),
            (("G",), "DOGINME·"),
            (("g",), "PEPE·"),
            (("pagedown",), "DOGINME·"),
            (("pageup",), "PEPE·"),
        ):
            await operator.press(*keys)
            assert operator.line(token).startswith(">"), keys


async def test_the_cursor_stays_on_its_desk_when_the_order_changes() -> None:
    async with watching() as operator:
        await operator.press("j")
        operator.port.show(desks=tuple(reversed(operator.port.picture.desks)))
        await operator.frame()
        assert operator.line("BONK·").startswith(">")


async def test_s_sorts_by_the_next_column_and_says_so() -> None:
    async with watching() as operator:
        await operator.press("s")
        assert "by token" in operator.line("Desks 12")
        await operator.press(*"ssssss")
        assert "by pnl" in operator.line("Desks 12")
        await operator.press("g")
        assert operator.line("> ").startswith("> BONK")
        await operator.press("s", "s")
        assert "by " not in operator.line("Desks 12").split("Markets")[0]


async def test_slash_filters_as_typed_and_escape_clears() -> None:
    async with watching() as operator:
        await operator.press("slash", "h", "i", "g")
        assert "filter: hig_ (1 of 12)" in operator.line("Desks 12")
        assert operator.port.commands == []
        await operator.press("enter")
        assert "filter: hig (1 of 12)" in operator.line("Desks 12")
        assert operator.line("HIGHER·").startswith(">")
        await operator.press("escape")
        assert "filter" not in operator.line("Desks 12")


async def test_a_filter_without_matches_says_what_to_do() -> None:
    async with watching() as operator:
        await operator.press("slash", *"zzz")
        assert operator.sees("nothing matches the filter; escape clears it")


async def test_filters_reach_side_market_and_state() -> None:
    async with watching() as operator:
        for text, count in (("short", 3), ("btc", 5), ("halted", 1), ("deciding", 1)):
            await operator.press("slash", *text)
            assert f"({count} of 12)" in operator.line("Desks 12"), text
            await operator.press("escape")


async def test_tab_and_numbers_go_through_the_panes() -> None:
    async with watching() as operator:
        seen = [focused(operator)]
        for key in ("tab", "tab", "tab", "tab", "shift+tab", "2", "3", "4", "1"):
            await operator.press(key)
            seen.append(focused(operator))
        round_trip = ["desks", "markets", "agent", "liquidations", "desks", "liquidations"]
        assert seen == [*round_trip, "markets", "agent", "liquidations", "desks"]


async def test_only_the_focused_pane_shows_its_cursor() -> None:
    async with watching() as operator:
        assert sum("> " in line for line in operator.lines()) == 1
        await operator.press("4")
        assert sum("> " in line for line in operator.lines()) == 1
        assert "> #17,000" in operator.line("#17,000")


async def test_z_zooms_and_gives_back() -> None:
    async with watching() as operator:
        await operator.press("4", "z")
        assert not operator.sees("Desks 12")
        assert operator.sees("sim trader 30")
        await operator.press("z")
        assert operator.sees("Desks 12")


async def test_escape_leaves_the_zoom() -> None:
    async with watching() as operator:
        await operator.press("z")
        assert not operator.sees("Markets")
        await operator.press("escape")
        assert operator.sees("Markets")


async def test_enter_opens_the_desk_with_its_decision_and_its_life() -> None:
    port = ScriptedPort(
        history=[
            Event(1, NOW - 9_000, address(1), "opened", "LONG BTC 25x"),
            Event(2, NOW - 8_000, address(2), "opened", "another desk"),
        ]
    )
    async with watching(port) as operator:
        await operator.press("j", "enter")
        for words in (
            "BONK·dd61  open",
            "64,539.32",
            "price",
            "carry",
            "fees",
            "ETH leads the majors",
            "LONG BTC 25x",
        ):
            assert operator.sees(words), words
        assert not operator.sees("another desk")
        port.history.append(Event(3, NOW, address(1), "carry", "paid 0.10"))
        port.change_desk(1, mark=70_000 * 10**18)
        await operator.frame()
        assert operator.sees("paid 0.10")
        assert operator.sees("70,000.00")
        await operator.press("escape")
        assert operator.sees("Desks 12")


async def test_halt_and_close_work_on_the_detail_page() -> None:
    async with watching(ui=QUICK) as operator:
        await operator.press("enter", "h", "c", "tab", "enter")
        await operator.until(lambda: len(operator.port.commands) == 2)
        assert [type(command) for command in operator.port.commands] == [HaltDesk, CloseDesk]


async def test_enter_opens_a_position_of_the_queue() -> None:
    async with watching() as operator:
        await operator.press("4", "j", "enter")
        assert operator.sees("Position #17,037")
        operator.port.show(liquidations=())
        await operator.frame()
        assert operator.sees("no longer in the queue")


async def test_enter_where_there_is_no_row_says_that_there_is_nothing_to_open() -> None:
    async with watching(ScriptedPort(snapshot(markets=()))) as operator:
        await operator.press("2", "enter")
        assert operator.message == "detail: nothing to open here"


async def test_a_desk_that_is_gone_says_so_on_its_page() -> None:
    async with watching() as operator:
        await operator.press("enter")
        operator.port.show(desks=())
        await operator.frame()
        assert operator.sees("PEPE·3f2a is no longer enrolled")


async def test_help_shows_every_action_and_any_key_closes_it() -> None:
    async with watching(size=(80, 24)) as operator:
        await operator.press("question_mark")
        for words in ("halt every desk", "shift+tab"):
            assert operator.sees(words), words
        await operator.press("pagedown")
        for words in ("pgdn", "stop the engine and quit"):
            assert operator.sees(words), words
        await operator.press("h")
        assert operator.sees("Desks 12")
        assert operator.port.commands == []


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_quit_asks_once(key: str) -> None:
    async with watching() as operator:
        await operator.press(key)
        assert operator.message == "q again to stop the engine and quit"
        assert operator.app.is_running
        await operator.press(key)
        assert not operator.app.is_running


async def test_quit_forgets_the_first_time() -> None:
    async with watching(ui=QUICK) as operator:
        await operator.press("q")
        await operator.until(lambda: operator.message == "")
        await operator.press("q")
        assert operator.app.is_running


async def test_ctrl_z_does_nothing() -> None:
    async with watching() as operator:
        await operator.press("ctrl+z")
        assert operator.sees("Desks 12")


async def test_alarms_are_on_the_status_line_and_the_first_is_spelled_out() -> None:
    port = ScriptedPort(snapshot(status=status(alarms=("keeper requests failing", "disk full"))))
    async with watching(port) as operator:
        assert "2 alarms" in operator.lines()[0]
        assert operator.message == "alarm (and 1 more: a): keeper requests failing"


async def test_empty_panes_say_what_to_do_next() -> None:
    port = ScriptedPort(snapshot(desks=(), markets=(), decisions=(), liquidations=()))
    async with watching(port) as operator:
        assert operator.sees("no desk yet")
        assert operator.sees("no price feed")
        assert operator.sees("no decision yet")
        assert operator.sees("no position is near its end")
        await operator.press("h", "c", "j", "G", "enter", "s", "s")
        assert operator.port.commands == []


async def test_a_narrow_terminal_shows_the_desks_and_one_other_pane() -> None:
    async with watching(size=(80, 24)) as operator:
        assert operator.sees("Desks 12")
        assert operator.sees("Markets 24")
        assert not operator.sees("Liquidations")
        await operator.press("4")
        assert operator.sees("Desks 12")
        assert operator.sees("Liquidations")
        assert not operator.sees("Markets 24")
        await operator.press("tab", "tab")
        assert operator.sees("Markets 24")


async def test_too_small_a_terminal_says_so_and_recovers() -> None:
    async with watching() as operator:
        await operator.press("j")
        for size in ((60, 20), (1, 1), (79, 24), (80, 23)):
            await operator.resize(*size)
        assert operator.sees("perpdesk needs 80x24, this is 80x23")
        assert not operator.sees("Desks 12")
        await operator.resize(120, 40)
        assert operator.line("BONK·").startswith(">")
        await operator.press("j")
        assert operator.line("WIF·").startswith(">")


async def test_ten_thousand_desks_stay_quick() -> None:
    port = ScriptedPort(snapshot(desks=tuple(desk(number, address=f"0x{number:040x}") for number in range(10_000))))
    async with watching(port) as operator:
        await operator.press("G", "k", "pageup", "s", "slash", "m", "o", "g", "enter")
        assert "of 10,000)" in operator.line("Desks 10,000")
        port.change_desk(0, pnl=10**18)
        await operator.frame()


async def test_a_desk_that_waits_has_no_figures() -> None:
    async with watching(ScriptedPort(snapshot(desks=(idle(0), desk(1))))) as operator:
        assert "?" not in operator.line("PEPE·").split("ETH")[0]


@pytest.mark.parametrize("key", ["c", "v"])
async def test_a_question_is_about_one_position_and_never_about_the_next(key: str) -> None:
    port = ScriptedPort()
    async with watching(port, ui=UiSettings(close_seconds=0.05)) as operator:
        await operator.press(key, "tab")
        port.change_desk(0, position_id=99_999, side=Side.LONG)
        await operator.frame()
        assert operator.sees("This position is gone")
        await operator.press("enter")
        await operator.waits(0.1)
        assert port.commands == []


async def test_a_command_of_which_some_was_done_is_not_called_refused() -> None:
    port = ScriptedPort(answer=Receipt("x", False, "PARTLY", "5 of 8 closed; 3 not closed", 1))
    async with watching(port) as operator:
        await operator.press("h")
        await operator.until(lambda: "only partly" in operator.message)
        assert "refused" not in operator.message
