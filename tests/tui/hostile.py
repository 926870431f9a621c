"""Names and texts that try to do something to a terminal, to Textual's markup or to the layout."""

from collections.abc import Sequence
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

_TEETH = (
    *(chr(code) for code in (*range(32), *range(127, 160))),
    *"\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2064",
    *"\u2066\u2067\u2068\u2069\u206a\u206f\ufe0f\ufeff\ufff9\ufffb\U000e0001\U000e007f\U0001f3fb\u0300\u20dd\u115f\u3164",
    *(
        "\x1b[2J",
        "\x1b[H",
        "\x1b]8;;file:///etc\x1b\\",
        "\x1b[?1049l",
        "\x1b[6n",
        "\x1b]10;?\x07",
        "\x1b_G;\x1b\\",
        "\x1bc",
    ),
    *(
        "\x1bP+q544e\x1b\\",
        "\x9b6n",
        "\x9d0;x\x9c",
        "[bold]",
        "[/bold]",
        "[@click=app.bell]",
        "[$error]",
        "\\[",
        "]]",
        "{0}",
    ),
    *(
        "%s",
        "$(id)",
        "`id`",
        "../../x",
        "=1+1",
        "'",
        '"',
        "<b>",
        "&amp;",
        "🏴\U000e0067",
        "字",
        "ﷺ",
        "𒐫",
        "⁂",
        "﷽",
        "ᄀ",
        "ิ",
    ),
)


def four_hundred() -> tuple[str, ...]:
    """Every tooth in front of, in the middle of and behind a name, doubled, and the sixteen that are whole attacks."""
    shapes = ("{0}PEPE", "PE{0}PE", "PEPE{0}", "{0}{0}")
    made = [shape.replace("{0}", tooth) for tooth in _TEETH for shape in shapes]
    step = len(made) / (400 - len(HOSTILE))
    return (*HOSTILE, *(made[int(number * step)] for number in range(400 - len(HOSTILE))))


def _words(text: str) -> dict[str, str]:
    """The same text wherever a desk has words."""
    return dict.fromkeys(("enrolled_as", "quarantine", "warning", "pnl_unknown"), text)


def _plan(number: int, text: str) -> PlanRow:
    seen = tuple(SeenMarket(name, None, None, None, 1) for name in HOSTILE)
    return plan(number, **dict.fromkeys(("source", "market", "reason", "degraded"), text), seen=seen)


def hostile_snapshot(names: Sequence[str] = HOSTILE) -> Snapshot:
    """The same attacks in every text of a snapshot."""
    numbers = range(len(names))
    desks = [
        desk(number, token=text, note=text, market=text, **_words(text), plan=_plan(number, text))
        if number % 2
        else idle(number, token=text, note=text, halted_by=text, halted_at_ms=1)
        for number, text in enumerate(names)
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
        markets=tuple(replace(market(number), symbol=names[number]) for number in numbers),
        decisions=tuple(
            replace(decision(number), token=names[number], text=names[number], source=names[number])
            for number in numbers
        ),
        requests=tuple(
            request(
                number,
                tuple(RequestState)[number % 4],
                **dict.fromkeys(("kind", "account", "market", "amount", "keeper", "reason"), text),
            )
            for number, text in enumerate(names)
        ),
        pools=tuple(
            pool(number, **dict.fromkeys(("symbol", "long", "short", "index"), text))
            for number, text in enumerate(names)
        ),
        agent=agent(
            **dict.fromkeys(("tier", "phase", "model", "key_source", "balance_diem", "balance_usd"), HOSTILE[6])
        ),
        flow=flow(
            accounts=tuple(FundRow(text, 10**18, (("0x" + text, text, 10**18),)) for text in names),
            buybacks=tuple(
                buyback(number, token=text, state=text, address=desks[number].address)
                for number, text in enumerate(names)
            ),
            simulated=HOSTILE[2],
        ),
        liquidations=tuple(
            replace(liquidation(number), market=names[number], owner=names[number]) for number in numbers
        ),
    )
