"""New requests: forms that are typed, checked, summed up, and sent once."""

from decimal import Decimal

import pytest

from engine.commands import Receipt
from engine.requests.commands import CreateDeposit, CreateOrder, CreateWithdrawal
from tests.tui.operator import Operator, focused, watching
from tests.tui.scripted import NOW, ScriptedPort, snapshot
from venue.exchange.requests.request import OrderType


async def form(operator: Operator, kind: int) -> None:
    """Opens the form of a kind, with the second pool of the list under the cursor."""
    await operator.press("6", "j", "n", *["down"] * kind, "enter")


async def fill(operator: Operator, *entries: str) -> None:
    """Types into the fields from the focus on; `>` steps over one."""
    for entry in entries:
        await operator.press(
            *({".": "full_stop", ",": "comma"}.get(char, char) for char in entry if char != ">"), "tab"
        )


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_a_deposit_is_typed_checked_summed_up_and_sent_once(size: tuple[int, int]) -> None:
    async with watching(size=size) as operator:
        await form(operator, 0)
        await operator.press("enter")
        assert operator.sees("short amount: '' given, an amount here or in long amount expected")
        await operator.press("up")
        await fill(operator, "1,250.5", "x")
        await operator.press("enter")
        assert operator.sees("'x' given, a number like 1250.5 expected")
        assert operator.sees("1,250.5")
        await operator.press("backspace", "enter")
        assert operator.sees("Send this deposit?")
        await operator.press("tab", "enter", "enter")
        [command] = operator.port.commands
        assert isinstance(command, CreateDeposit)
        assert (command.account, command.market, command.long_amount) == ("ops", "BTC-USD", Decimal("1250.5"))
        assert (command.seen_seq, command.expires_at_ms) == (501, NOW + 3000)
        assert operator.message == "new deposit: done"


async def test_cancel_has_the_focus_and_escape_goes_back_to_what_was_typed() -> None:
    async with watching() as operator:
        await form(operator, 1)
        await fill(operator, ">", "5")
        await operator.press("enter", "escape")
        assert operator.sees("New withdrawal")
        assert operator.line("│   amount").split("amount")[1].strip(" │").startswith("5")
        await operator.press("enter", "enter")
        assert operator.port.commands == []
        assert focused(operator) == "pools"


async def test_what_was_refused_is_still_in_the_form_and_what_was_accepted_is_not() -> None:
    async with watching(ScriptedPort(answer=Receipt("x", False, "InsufficientBalance", "too little", 1))) as operator:
        await form(operator, 1)
        await fill(operator, ">", "777")
        await operator.press("enter", "tab", "enter")
        assert isinstance(operator.port.commands[0], CreateWithdrawal)
        assert operator.message == "new withdrawal refused, InsufficientBalance: too little"
        operator.port.answer = None
        await form(operator, 1)
        assert operator.sees("777")
        await operator.press("enter", "tab", "enter")
        await form(operator, 1)
        assert not operator.sees("777")


async def test_fields_follow_the_market() -> None:
    async with watching() as operator:
        await form(operator, 5)
        assert operator.sees("collateral in")
        assert not operator.sees("its number")
        await operator.press("right", "right")
        assert operator.sees("‹ ETH ›")
        assert not operator.sees("collateral in")
        await fill(operator, ">", ">", "#18,204".replace("#", ""), "100", "", "")
        await operator.press("enter", "tab", "enter")
        [command] = operator.port.commands
        assert isinstance(command, CreateOrder)
        assert (command.type, command.market, command.position_id) == (OrderType.MARKET_DECREASE, "ETH", 18204)
        assert (command.collateral_token, command.size, command.is_long) == ("", Decimal(100), True)


@pytest.mark.parametrize(
    ("kind", "type_", "trigger"),
    [
        (2, OrderType.MARKET_INCREASE, None),
        (3, OrderType.LIMIT_INCREASE, Decimal(2950)),
        (4, OrderType.STOP_INCREASE, Decimal(2950)),
    ],
)
async def test_increases(kind: int, type_: OrderType, trigger: Decimal | None) -> None:
    async with watching() as operator:
        await form(operator, kind)
        await operator.press("tab", "s", "tab", "tab")
        await fill(operator, "500", "5000", *(["2950"] if trigger else []), "3000.25")
        await operator.press("enter", "tab", "enter")
        [command] = operator.port.commands
        assert isinstance(command, CreateOrder)
        assert (command.type, command.market, command.is_long) == (type_, "BTC-USD", False)
        assert (command.collateral_token, command.collateral, command.size) == ("USDC", Decimal(500), Decimal(5000))
        assert (command.trigger_price, command.acceptable_price) == (trigger, Decimal("3000.25"))


async def test_a_swap_names_the_pool_that_is_none_and_takes_any_case() -> None:
    async with watching() as operator:
        await form(operator, 8)
        await operator.press("w", "tab", *"15", "tab", *"eth-eur".replace("-", ""), "enter")
        assert operator.sees("path: 'etheur' given, pools parted by commas expected")
        await operator.press("ctrl+u", *"Hx", "ctrl+u", *"et", "h", "minus", *"usd", "comma", *"btc", "minus", *"usd")
        await operator.press("enter", "tab", "enter")
        [command] = operator.port.commands
        assert isinstance(command, CreateOrder)
        assert (command.type, command.collateral_token, command.collateral) == (
            OrderType.MARKET_SWAP,
            "WETH",
            Decimal(15),
        )
        assert command.path == ("ETH-USD", "BTC-USD")


@pytest.mark.parametrize("text", ["nan", "1e5", "1,5", "0,5", "-1", "١", "1.", "1_000", "0"])
async def test_what_is_not_a_plain_positive_number_is_not_sent(text: str) -> None:
    port = ScriptedPort()
    async with watching(port) as operator:
        await form(operator, 1)
        await operator.press("tab")
        names = {",": "comma", ".": "full_stop", "-": "minus", "_": "underscore"}
        await operator.press(*(names.get(char, char) for char in text), "enter")
        assert operator.sees("expected")
        await operator.press("tab", "enter", "tab", "enter")
        assert port.commands == []


async def test_a_market_that_vanishes_is_not_replaced_by_another() -> None:
    async with watching() as operator:
        await form(operator, 1)
        await fill(operator, ">", "5")
        await operator.press("enter", "tab")
        operator.port.show(pools=snapshot().pools[:1])
        await operator.frame()
        assert operator.sees("market: 'BTC-USD' given, one of ETH-USD expected")
        await operator.press("enter")
        assert operator.port.commands == []


async def test_halting_all_works_in_a_form_but_not_while_letters_are_typed() -> None:
    async with watching() as operator:
        await form(operator, 0)
        await operator.press("tab", "1", "H")
        assert operator.message.startswith("H again within")
