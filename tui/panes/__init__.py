"""The panes of the screens, in the order of the keys that reach them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.snapshot import Snapshot
from tui.panes import accounts, agent_log, buybacks, desks, liquidations, log, markets, pools, requests, wallets
from tui.table import Table
from tui.tones import Line


@dataclass(frozen=True)
class Pane:
    """One pane: where its rows come from and how they look."""

    id: str
    table: Table[Any]
    rows: Callable[[Snapshot], Sequence[Any]]
    heading: Callable[[Snapshot], Line]


OVERVIEW = (
    Pane("desks", desks.TABLE, desks.rows, desks.heading),
    Pane("markets", markets.TABLE, markets.rows, markets.heading),
    Pane("agent", agent_log.TABLE, agent_log.rows, agent_log.heading),
    Pane("liquidations", liquidations.TABLE, liquidations.rows, liquidations.heading),
)
EXCHANGE = (
    Pane("requests", requests.TABLE, requests.rows, requests.heading),
    Pane("pools", pools.TABLE, pools.rows, pools.heading),
)
LOG = (Pane("log", log.TABLE, lambda _: (), lambda _: ()),)
"""Its rows are not of a snapshot: the screen holds them."""
FUNDS = (
    Pane("accounts", accounts.TABLE, accounts.rows, accounts.heading),
    Pane("buybacks", buybacks.TABLE, buybacks.rows, buybacks.heading),
    Pane("wallets", wallets.TABLE, wallets.rows, wallets.heading),
)
PANES = OVERVIEW + EXCHANGE + LOG + FUNDS
