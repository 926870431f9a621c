"""The panes of the screens, in the order of the keys that reach them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.snapshot import Snapshot
from tui.panes import (
    accounts,
    agent_log,
    buybacks,
    desks,
    keepers,
    liquidations,
    log,
    markets,
    pools,
    requests,
    wallets,
)
from tui.table import Table
from tui.tones import Line


@dataclass(frozen=True)
class Pane:
    """One pane: where its rows come from and how they look."""

    id: str
    table: Table[Any]
    rows: Callable[[Snapshot], Sequence[Any]]
    heading: Callable[[Snapshot], Line]
    fields: tuple[str, ...] = ()
    """Of the snapshot, that it needs."""


OVERVIEW = (
    Pane("desks", desks.TABLE, desks.rows, desks.heading, ("desks",)),
    Pane("markets", markets.TABLE, markets.rows, markets.heading, ("markets",)),
    Pane("agent", agent_log.TABLE, agent_log.rows, agent_log.heading, ("decisions", "agent")),
    Pane("liquidations", liquidations.TABLE, liquidations.rows, liquidations.heading, ("liquidations", "queue")),
)
EXCHANGE = (
    Pane("requests", requests.TABLE, requests.rows, requests.heading, ("requests", "request_counts")),
    Pane("pools", pools.TABLE, pools.rows, pools.heading, ("pools",)),
)
LOG = (Pane("log", log.TABLE, lambda _: (), lambda _: ()),)
"""Its rows are not of a snapshot: the screen holds them."""
FUNDS = (
    Pane("accounts", accounts.TABLE, accounts.rows, accounts.heading, ("flow",)),
    Pane("buybacks", buybacks.TABLE, buybacks.rows, buybacks.heading, ("flow",)),
    Pane("wallets", wallets.TABLE, wallets.rows, wallets.heading, ("flow",)),
)
KEEPERS = (Pane("keepers", keepers.TABLE, keepers.rows, keepers.heading, ("keepers",)),)
PANES = OVERVIEW + EXCHANGE + LOG + FUNDS + KEEPERS
