"""The wallets of a live run: what each holds, and what keeps it from doing more."""

from typing import Any

import pytest

from engine.desk_rows import WalletRow
from tests.tui.operator import focused, watching
from tests.tui.scripted import ScriptedPort, flow, snapshot, usd, wallet
from tui.panes import PANES, wallets
from tui.tones import Tone

FULL: dict[str, Any] = {"positions": 41, "fullest_count": 40, "state": "full in a market"}
POOR: dict[str, Any] = {"gas": usd(0.0123), "state": "too little gas to open"}


def port(*rows: WalletRow) -> ScriptedPort:
    return ScriptedPort(picture=snapshot(flow=flow(wallets=rows)))


def tone(row: WalletRow, column: str) -> Tone:
    """How a cell is meant."""
    return next(each for each in wallets.TABLE.columns if each.name == column).cell(row, 12)[1]


async def test_the_ninth_key_shows_every_wallet_in_its_columns() -> None:
    async with watching(port(wallet(0), wallet(1)), size=(160, 50)) as operator:
        await operator.press("9")
        assert focused(operator) == "wallets"
        assert operator.sees("Wallets 2")
        rows = [operator.line(f"0x{digits}") for digits in ("3f2a", "dd61")]
        header = operator.line("desks'")
        for name, value in (("USDC", "4,000.00"), ("desks'", "4,118.20"), ("gas ETH", "0.421300"), ("sending", " 3")):
            end = header.index(name) + len(name)
            assert [row[:end].endswith(value) for row in rows] == [True, True], (name, rows, header)
        assert all("ETH 12/40" in row and "ready" in row for row in rows)


@pytest.mark.parametrize("width", [80, 100, 220])
async def test_what_matters_is_kept_on_a_narrow_screen(width: int) -> None:
    async with watching(port(wallet(0, **FULL), wallet(1, **POOR)), size=(width, 40)) as operator:
        await operator.press("9")
        for digits, state in (("3f2a", "full in a market"), ("dd61", "too little gas")):
            assert state in operator.line(f"0x{digits}")


def test_a_full_market_and_little_gas_are_warnings() -> None:
    calm, full, poor = wallet(0), wallet(0, **FULL), wallet(0, **POOR)
    for column, warns in (("fullest", full), ("gas ETH", poor), ("state", full), ("state", poor)):
        assert tone(warns, column) is Tone.WARN
        assert tone(calm, column) is not Tone.WARN
    assert tone(wallet(0, gas=None), "gas ETH") is Tone.TEXT
    assert tone(wallet(0, gas=0, least_gas=0), "gas ETH") is Tone.TEXT, "orders need none"


def test_an_uncounted_and_an_empty_wallet() -> None:
    row = wallet(0, usdc=None, gas=None, positions=0, fullest="", fullest_count=0)
    cells = {column.name: column.cell(row, column.width)[0] for column in wallets.TABLE.columns}
    assert (cells["USDC"].strip(), cells["gas ETH"].strip(), cells["fullest"]) == ("?", "?", "0/40")


async def test_on_paper_there_is_none_and_it_says_why() -> None:
    async with watching(port(), size=(160, 50)) as operator:
        await operator.press("9")
        assert operator.sees("the journal keeps the one wallet there is")


def test_it_is_the_ninth_pane() -> None:
    assert [pane.id for pane in PANES].index("wallets") == 9
