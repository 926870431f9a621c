"""The registry: every key once per screen, and everything generated from it says the same."""

from dataclasses import replace
from pathlib import Path

import click

from engine.port import Info
from tests.tui.scripted import snapshot
from tui import acts, looks, verbs
from tui.actions import ACTIONS, BY_ID
from tui.deck import Deck
from tui.detail import DeskPage, PositionPage
from tui.exchange import Exchange
from tui.exchange_pages import PoolPage, RequestPage
from tui.funds import Funds
from tui.keepers_board import Keepers
from tui.key_line import USUAL, bindings, help_lines, key_line
from tui.log_screen import AgentLog
from tui.market_page import MarketPage
from tui.overview import Overview
from tui.reasons import Place, Sight

SCREENS: dict[Place, type[Deck]] = {
    Place.OVERVIEW: Overview,
    Place.EXCHANGE: Exchange,
    Place.AGENT_LOG: AgentLog,
    Place.FUNDS: Funds,
    Place.KEEPERS: Keepers,
    Place.MARKET: MarketPage,
    Place.DETAIL: DeskPage,
    Place.POSITION: PositionPage,
    Place.REQUEST: RequestPage,
    Place.POOL: PoolPage,
}
INFO = Info("0.1.0", "operator", "ops")


def sight(place: Place = Place.OVERVIEW, desk: int | None = 0) -> Sight:
    picture = snapshot()
    return Sight(INFO, picture, None if desk is None else picture.desks[desk], place, can_open=True)


def test_ids_are_unique() -> None:
    assert len(BY_ID) == len(ACTIONS)


def test_no_key_means_two_things_on_one_screen() -> None:
    for place in Place:
        keys = [key for action in ACTIONS if place in action.places for key in action.keys.split(",")]
        assert len(keys) == len(set(keys))
        assert len(bindings(place)) == sum(place in action.places for action in ACTIONS)


def test_every_action_is_implemented_where_it_can_be_pressed() -> None:
    for action in ACTIONS:
        name = "action_" + action.call.partition("(")[0]
        for place, screen in SCREENS.items():
            if place in action.places:
                ours = [kind for kind in screen.__mro__ if kind.__module__.startswith("tui.")]
                assert any(name in vars(kind) for kind in ours), f"{name} is missing, or Textual's"


def test_every_key_is_on_the_help_page() -> None:
    shown = " ".join(keys for keys, _, _ in help_lines()).split()
    for action in ACTIONS:
        assert set(USUAL.shown(action).split()) <= set(shown)


def test_whatever_commands_the_engine_can_be_done_from_a_shell() -> None:
    only_looking = replace(INFO, role="observer")
    for action in ACTIONS:
        why = action.why_disabled(replace(sight(), info=only_looking))
        if why and why.startswith("observer") and action.id != "arm":
            assert action.verb, action.id


def test_every_verb_is_one() -> None:
    every = (*acts.ACTS, *looks.LOOKS, *verbs.VERBS)
    shell = click.Group(commands={str(command.name): command for command in every})
    for action in ACTIONS:
        words = action.verb.split()
        command: click.Command = shell
        for word in words:
            if word.startswith("--"):
                assert any(word in option.opts for option in command.params)
            else:
                assert isinstance(command, click.Group)
                command = command.commands[word]


def test_danger_is_marked() -> None:
    danger = {action.id for action in ACTIONS if action.danger}
    assert danger == {"arm", "halt_all", "close_desk", "close_all", "reduce_desk"}


def test_the_key_line_shows_what_can_be_done_here() -> None:
    text = "".join(text for text, _ in key_line(sight(), 160))
    assert text.split()[:6] == ["h", "halt", "H", "halt", "all", "c"]
    assert "esc back" not in text
    assert "esc back" in "".join(text for text, _ in key_line(sight(Place.DETAIL), 160))


def test_the_key_line_says_why_not() -> None:
    assert "c close (no position)" in "".join(text for text, _ in key_line(sight(desk=2), 160))
    assert "h halt (no desk selected)" in "".join(text for text, _ in key_line(sight(desk=None), 160))


def test_a_narrow_key_line_keeps_what_is_dangerous_to_miss() -> None:
    text = "".join(text for text, _ in key_line(sight(), 60))
    assert len(text) <= 60
    for words in ("h halt", "H halt all", "c close", "? help", "q quit"):
        assert words in text


def test_the_screen_imports_nothing_of_the_engine_but_its_contract() -> None:
    allowed = (
        *("engine.snapshot", "engine.desk_rows", "engine.exchange_rows", "engine.port", "engine.commands"),
        *("engine.keeper_rows", "engine.requests.commands"),
        "venue.exchange.requests.request",
    )
    around = ("ui_table.py", "simulate.py", "signals_text.py", "tables.py", "hangup.py", "ending.py")
    for path in Path("tui").rglob("*.py"):
        text = path.read_text()
        if "import click" in text or path.name in around or path.name.startswith("serve") or path.parent.name == "live":
            continue  # a verb may reach into the engine; what is painted may not
        for line in text.splitlines():
            if line.startswith(
                ("from engine", "import engine", "from venue", "from store", "import venue", "import store")
            ):
                assert line.split()[1] in allowed, f"{path}: {line}"
