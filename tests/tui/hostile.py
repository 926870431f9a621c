"""Names and texts that try to do something to a terminal, to Textual's markup or to the layout."""

from dataclasses import replace

from engine.desk_rows import FundRow, PlanRow, SeenMarket
from engine.exchange_rows import RequestState
from engine.snapshot import Snapshot
from tests.tui.scripted import (
    agent,
    buyback,
    decision,
    desk,
    flow,
    idle,
    liquidation,
    market,
    plan,
    pool,
    request,
    snapshot,
    status,
)

HOSTILE = (
    "\x1b[31mRED",
    "\x1b]0;owned\x07",
    "\x1b]52;c;b3duZWQ=\x07",
    "\x9b31mC1",
    "\x90dcs\x9c",
    "A\u202eDESREVER",
    "\u2066iso\u2069late",
    "zero\u200bwidth\u200dname",
    "[/x]",
    "[@click=app.quit]x[/]",
    "[red]red[/red]",
    "X" * 10_000,
    "漢字漢字漢字漢字",
    "e" + "\u0301" * 50 + "nd",
    "\r\n\tlines\nof\x00text",
    "\ufeffbom\U000e0041tag",
    "flag🏳️‍🌈👨‍👩‍👧",
    "\ud800lone",
)


def _words(text: str) -> dict[str, str]:
    """The same text wherever a desk has words."""
    return dict.fromkeys(("enrolled_as", "quarantine", "warning", "pnl_unknown"), text)


def _plan(number: int, text: str) -> PlanRow:
    seen = tuple(SeenMarket(name, None, None, None, 1) for name in HOSTILE)
    return plan(number, **dict.fromkeys(("source", "market", "reason", "degraded"), text), seen=seen)


def hostile_snapshot() -> Snapshot:
    """The same attacks in every text of a snapshot."""
    numbers = range(len(HOSTILE))
    desks = [
        desk(number, token=text, note=text, market=text, **_words(text), plan=_plan(number, text))
        if number % 2
        else idle(number, token=text, note=text, halted_by=text, halted_at_ms=1)
        for number, text in enumerate(HOSTILE)
    ]
    return snapshot(
        status=status(
            venue=HOSTILE[0],
            agent=HOSTILE[3],
            feed_text=HOSTILE[1],
            keepers_text=HOSTILE[4],
            alarms=HOSTILE,
            simulated=HOSTILE[2],
        ),
        desks=tuple(desks),
        markets=tuple(replace(market(number), symbol=HOSTILE[number]) for number in numbers),
        decisions=tuple(
            replace(decision(number), token=HOSTILE[number], text=HOSTILE[number], source=HOSTILE[number])
            for number in numbers
        ),
        requests=tuple(
            request(
                number,
                tuple(RequestState)[number % 4],
                **dict.fromkeys(("kind", "account", "market", "amount", "keeper", "reason"), text),
            )
            for number, text in enumerate(HOSTILE)
        ),
        pools=tuple(
            pool(number, **dict.fromkeys(("symbol", "long", "short", "index"), text))
            for number, text in enumerate(HOSTILE)
        ),
        agent=agent(
            **dict.fromkeys(("tier", "phase", "model", "key_source", "balance_diem", "balance_usd"), HOSTILE[6])
        ),
        flow=flow(
            accounts=tuple(FundRow(text, 10**18, (("0x" + text, text, 10**18),)) for text in HOSTILE),
            buybacks=tuple(
                buyback(number, token=text, state=text, address=desks[number].address)
                for number, text in enumerate(HOSTILE)
            ),
            simulated=HOSTILE[2],
        ),
        liquidations=tuple(
            replace(liquidation(number), market=HOSTILE[number], owner=HOSTILE[number]) for number in numbers
        ),
    )
