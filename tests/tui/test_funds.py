"""Where the money is: every figure in its column, and nothing that is missing looks like nothing."""

from engine.desk_rows import FundRow, FundsRow
from tests.tui.operator import focused, watching
from tests.tui.scripted import ScriptedPort, address, buyback, flow, snapshot, usd
from tui.bar import cells
from tui.funds_figures import funds_lines
from tui.panes import accounts
from tui.panes.buybacks import name
from tui.settings import UiSettings
from tui.tones import Line, Tone


def text(line: Line) -> str:
    return "".join(piece for piece, _ in line)


def tones(lines: list[Line], words: str) -> set[Tone]:
    return {tone for line in lines for piece, tone in line if words in piece}


def test_figures_end_in_the_same_column_and_fit_on_a_narrow_screen() -> None:
    lines = funds_lines(flow())
    for number in ("5,791.45", "300.00 "):
        assert any(number in text(line) for line in lines), number
    assert {text(line).index(".") for line in lines[:4]} == {22}
    assert all(cells(line) <= 80 for line in lines[:4])
    vast = funds_lines(flow(wallet=10**40, held=10**40, day_cap=10**40, risk_cap=10**40, unanswered=10**40))
    assert all(cells(line) <= 80 for line in vast[:4])


def test_a_difference_is_danger_in_either_direction() -> None:
    less, more = (funds_lines(flow(difference=usd(value))) for value in (-3.5, 3.5))
    assert tones(less, "!-3.50") == {Tone.ALARM}
    assert "missing" in text(less[2])
    assert tones(more, "!+3.50") == {Tone.ALARM}
    assert "!" not in "".join(text(line) for line in funds_lines(flow()))
    assert accounts.amount(FundRow("difference", usd(-3.5)), 14) == ("!-3.50", Tone.ALARM)
    assert accounts.amount(FundRow("difference", 0), 14) == ("0.00", Tone.TEXT)


def test_unknown_is_not_nothing() -> None:
    lines = funds_lines(FundsRow())
    assert text(lines[0]).split()[:4] == ["wallet", "?", "never", "counted"]
    assert "no cap" in text(lines[0])
    assert "gas           not needed" in text(lines[2])
    assert "native coins" in text(funds_lines(flow(gas=usd(0.0123)))[2])


def test_what_may_have_been_spent_and_a_reached_cap_are_warnings() -> None:
    lines = funds_lines(flow(unanswered=usd(60), day_spent=usd(1_000)))
    assert tones(lines, "60.00") == {Tone.WARN}
    assert tones(lines, "  1,000.00") == {Tone.WARN}


def test_holders_are_shown_whole_or_not_at_all() -> None:
    row = flow().accounts[0]
    assert accounts.largest(row, 60) == "PEPE·3f2a 4,000.00, BONK·dd61 2,000.00, WIF·7b98 1,333.33"
    assert accounts.largest(row, 40) == "PEPE·3f2a 4,000.00, BONK·dd61 2,000.00"
    assert accounts.largest(row, 10) == ""


def test_the_protocols_own_token_has_no_address() -> None:
    assert name(buyback(0)) == "PUM"
    assert name(buyback(1)) == "BONK·dd61"


async def test_the_screen_follows_the_money() -> None:
    port = ScriptedPort()
    async with watching(port, size=(80, 24), ui=UiSettings(theme="mono", colour=False)) as operator:
        await operator.press("8")
        assert focused(operator) == "accounts"
        assert operator.line("> ").split()[:3] == [">", "fees", "12,400.00"]
        port.show(flow=flow(difference=usd(-20), held=usd(5_811.45)))
        await operator.frame()
        assert "!-20.00 missing" in operator.line(" difference")
        await operator.press("z")
        assert not operator.sees("Buybacks")
        assert operator.sees("bought back")
        await operator.press("z", "tab")
        assert focused(operator) == "buybacks"


async def test_enter_on_a_buyback_opens_the_desk_and_the_protocols_own_has_none() -> None:
    async with watching() as operator:
        await operator.press("8", "enter")
        assert operator.message == "detail: nothing to open here"
        await operator.press("tab", "enter")
        assert operator.message == "detail: nothing to open here"
        await operator.press("j", "enter")
        assert operator.sees("BONK·dd61  open")
        await operator.press("escape")
        assert operator.line("> ").startswith("> BONK")


async def test_a_refused_buyback_is_found_by_its_field() -> None:
    async with watching() as operator:
        await operator.press("8", "tab", "slash", *"state:too_few")
        assert operator.sees("TOO_FEW: 1,204 is less than 1,300")
        assert operator.sees("(1 of 5)")


async def test_empty_panes_say_what_to_do_next() -> None:
    port = ScriptedPort(snapshot(flow=FundsRow()))
    async with watching(port, size=(80, 24)) as operator:
        await operator.press("8")
        assert operator.sees("no money yet: enrol a token whose fees can be claimed, or start the demo")
        assert operator.sees("no buyback yet: closing a desk's position")
        assert address(1) not in "".join(operator.lines())
