"""The wallets pane: what each wallet of a live run holds, and how much room it has left."""

from engine.desk_rows import WalletRow
from engine.snapshot import Snapshot
from tui import format as fmt
from tui.filters import Number, wads
from tui.table import Column, Table
from tui.tones import Line, Span, Tone


def _gas(row: WalletRow, width: int) -> Span:
    return fmt.amount(row.gas, width), Tone.TEXT if row.gas is None or row.gas >= row.least_gas else Tone.WARN


def _room(row: WalletRow) -> Span:
    """The market with the most positions, as a share of what one wallet may hold there."""
    if not row.fullest:
        return f"0/{row.most}", Tone.DIM
    full = row.fullest_count >= row.most
    return f"{row.fullest} {row.fullest_count}/{row.most}", Tone.WARN if full else Tone.TEXT


def _state(row: WalletRow) -> Span:
    return row.state or "ready", Tone.WARN if row.state else Tone.DIM


TABLE: Table[WalletRow] = Table(
    columns=(
        Column(
            "wallet",
            13,
            lambda row, _: (fmt.address(row.address), Tone.TEXT),
            9,
            left=True,
            order=lambda row: row.address,
        ),
        Column(
            "USDC",
            11,
            lambda row, width: (fmt.money(row.usdc, width), Tone.TEXT),
            8,
            order=lambda row: row.usdc,
            falling=True,
        ),
        Column(
            "desks'",
            11,
            lambda row, width: (fmt.money(row.owned, width), Tone.DIM),
            4,
            order=lambda row: row.owned,
            falling=True,
        ),
        Column("gas ETH", 8, _gas, 7, order=lambda row: row.gas),
        Column(
            "desks", 6, lambda row, _: (fmt.count(row.desks), Tone.TEXT), 5, order=lambda row: row.desks, falling=True
        ),
        Column(
            "open",
            5,
            lambda row, _: (fmt.count(row.positions), Tone.TEXT),
            5,
            order=lambda row: row.positions,
            falling=True,
        ),
        Column(
            "fullest", 10, lambda row, _: _room(row), 6, left=True, order=lambda row: row.fullest_count, falling=True
        ),
        Column(
            "sending",
            7,
            lambda row, _: (fmt.count(row.sending), Tone.TEXT),
            3,
            order=lambda row: row.sending,
            falling=True,
        ),
        Column("state", 12, lambda row, _: _state(row), 6, left=True, grow=True, order=lambda row: row.state),
    ),
    key=lambda row: row.address,
    haystack=lambda row: f"{row.address} {row.state}",
    empty="paper: the journal keeps the one wallet there is; a live run shows each of its own here",
    fields={"wallet": lambda row: row.address, "state": lambda row: row.state},
    numbers={
        "usdc": wads(lambda row: row.usdc),
        "owned": wads(lambda row: row.owned),
        "gas": wads(lambda row: row.gas),
        "desks": Number(lambda row: row.desks),
        "open": Number(lambda row: row.positions),
        "fullest": Number(lambda row: row.fullest_count),
        "sending": Number(lambda row: row.sending),
    },
)


def rows(snapshot: Snapshot) -> tuple[WalletRow, ...]:
    """What the pane shows."""
    return snapshot.flow.wallets


def heading(snapshot: Snapshot) -> Line:
    """What the pane is called."""
    number = fmt.count(len(snapshot.flow.wallets))
    return (("Wallets ", Tone.STRONG), (number, Tone.TEXT), ("  USDC; positions in the fullest market", Tone.DIM))
