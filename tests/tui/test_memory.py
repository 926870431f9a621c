"""What the screen remembers: in a real file, for each kind of terminal, and never a reason not to start."""

import stat
from pathlib import Path

import pytest

from tests.tui.operator import Operator
from tests.tui.scripted import NOW, ScriptedPort
from tui.app import PerpdeskApp
from tui.memory import Memory, Profile, Screens
from tui.settings import UiSettings
from tui.table import View

SEEN = View(filter="side:short lev>20", sort="pnl", falling=True, hidden=frozenset(("entry", "mark")))


class Clock:
    """Seconds, as a test sets them."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "screen.json"


def stored(path: Path) -> Screens:
    return Screens.model_validate_json(path.read_bytes())


def test_the_next_run_sees_what_the_last_one_left(path: Path) -> None:
    first = Memory(path)
    first.keep_view("desks", SEEN)
    first.keep_shares({"two.x": 65})
    assert first.close() == ""
    again = Memory(path)
    assert again.view("desks") == SEEN
    assert again.view("markets") == View()
    assert again.shares == {"two.x": 65}
    assert again.beat() == ""


@pytest.mark.parametrize("text", ["", None])
def test_who_only_reads_begins_as_the_last_one_left_it_and_changes_no_file(path: Path, text: str | None) -> None:
    last = Memory(path)
    last.keep_view("desks", SEEN)
    last.close()
    if text is not None:
        path.write_text(text)
    before = path.read_bytes()
    reader = Memory(path, writes=False)
    assert reader.view("desks") == (SEEN if text is None else View())
    reader.keep_view("desks", View(filter="side:long"))
    reader.keep_shares({"two.x": 65})
    told = reader.beat()
    assert told.endswith("it is left where it is") if text is not None else told == ""
    assert reader.close() == ""
    assert reader.view("desks") == View(filter="side:long")
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["screen.json"]


def test_the_file_is_its_owners_only_and_nothing_is_left_beside_it(path: Path) -> None:
    memory = Memory(path)
    memory.keep_shares({"two.x": 65})
    memory.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["screen.json"]


def test_nothing_is_written_before_something_changed_nor_without_a_path(path: Path) -> None:
    Memory(path).close()
    assert not path.parent.exists()
    nowhere = Memory()
    nowhere.keep_shares({"two.x": 65})
    assert nowhere.close() == ""
    assert nowhere.shares == {"two.x": 65}


def test_it_is_saved_at_most_once_a_second_and_at_the_end(path: Path) -> None:
    clock = Clock()
    memory = Memory(path, clock=clock)
    memory.keep_shares({"two.x": 55})
    memory.beat()
    assert stored(path).profiles["local"].shares == {"two.x": 55}
    memory.keep_shares({"two.x": 60})
    clock.now += 0.9
    memory.beat()
    assert stored(path).profiles["local"].shares == {"two.x": 55}
    clock.now += 0.2
    memory.beat()
    assert stored(path).profiles["local"].shares == {"two.x": 60}
    written = path.stat().st_ino
    clock.now += 5
    memory.keep_shares({"two.x": 60})
    memory.beat()
    assert path.stat().st_ino == written  # the same again is not written again
    memory.keep_shares({"two.x": 65})
    memory.beat()
    memory.keep_shares({"two.x": 70})
    memory.close()
    assert stored(path).profiles["local"].shares == {"two.x": 70}


@pytest.mark.parametrize("mine", ["local", "ssh", "low"])
def test_kinds_of_terminals_do_not_disturb_each_other(path: Path, mine: Profile) -> None:
    profiles: tuple[Profile, ...] = ("local", "ssh", "low")
    open_at_once = {profile: Memory(path, profile) for profile in profiles}
    for number, (_, memory) in enumerate(open_at_once.items()):
        memory.keep_shares({"two.x": 50 + number})
        memory.close()
    assert Memory(path, mine).shares == {"two.x": 50 + profiles.index(mine)}


GOOD = '{"version": 1, "profiles": {"local": {"shares": {"two.x": 60}}}}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "\x00\xff",
        GOOD[:-9],
        GOOD.replace("1,", "2,", 1),
        GOOD.replace("60", '"60"'),
        GOOD.replace("60", "0"),
        GOOD.replace("local", "elsewhere"),
        GOOD.replace('"shares"', '"shapes"'),
        GOOD + " " * 200_000,
    ],
)
def test_a_damaged_or_foreign_file_is_set_aside_and_said_once(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text, encoding="latin-1")
    memory = Memory(path)
    assert memory.shares == {}
    told = memory.beat()
    assert told.startswith("screen layout starts afresh: ")
    assert "kept as screen.json.bad" in told
    assert memory.beat() == ""
    assert (path.parent / "screen.json.bad").read_text(encoding="latin-1") == text
    memory.keep_shares({"two.x": 65})
    memory.close()
    assert Memory(path).shares == {"two.x": 65}


def test_the_good_text_of_these_is_good(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(GOOD)
    assert Memory(path).shares == {"two.x": 60}


def test_where_nothing_can_be_written_that_is_said_once_and_life_goes_on(tmp_path: Path) -> None:
    in_the_way = tmp_path / "state"
    in_the_way.write_text("a file where a directory should be")
    clock = Clock()
    memory = Memory(in_the_way / "screen.json", clock=clock)
    told = memory.beat()
    assert "Not a directory" in told
    memory.keep_shares({"two.x": 65})
    clock.now += 2
    assert memory.beat().startswith("screen layout is not remembered: ")
    memory.keep_shares({"two.x": 70})
    clock.now += 2
    assert memory.beat() == ""
    assert memory.close() == ""
    assert memory.shares == {"two.x": 70}


@pytest.mark.parametrize(
    ("environ", "low", "profile"),
    [({}, False, "local"), ({"SSH_CONNECTION": "1 2 3 4"}, False, "ssh"), ({"SSH_CONNECTION": "1 2 3 4"}, True, "low")],
)
def test_the_kind_of_terminal_follows_from_its_environment(
    environ: dict[str, str], low: bool, profile: Profile
) -> None:
    assert UiSettings.for_terminal(environ, low_bandwidth=low).profile == profile


async def run(path: Path, *keys: str, size: tuple[int, int] = (160, 45)) -> list[str]:
    """One run of the screen: presses keys, and what it showed last."""
    memory = Memory(path)
    port = ScriptedPort()
    app = PerpdeskApp(port, UiSettings(), lambda: NOW, memory=memory)
    async with app.run_test(size=size) as pilot:
        operator = Operator(app, pilot, port)
        await operator.frame()
        await operator.press(*keys)
        lines = operator.lines()
    assert memory.close() == ""
    return lines


async def test_an_operator_finds_the_screen_as_it_was_left(path: Path) -> None:
    left = await run(
        path, *"sssS", "f", "j", "space", "enter", "slash", *"lev>20", "enter", "greater_than_sign", "plus"
    )
    again = await run(path)
    assert again[1:-2] == left[1:-2]
    assert "filter: lev>20 (5 of 12)" in again[1]
    assert "by lev▲" in again[1]
    assert "1 hidden" in again[1]
    assert "side" not in again[2].split("market")[0]
    cleared = await run(path, "escape")
    assert "filter" not in cleared[1]
    assert "filter" not in (await run(path))[1]


async def test_a_screen_that_is_opened_later_remembers_as_well(path: Path) -> None:
    await run(path, "5", "s", "minus")
    again = await run(path, "5")
    assert "by state▲" in "".join(again)
    assert Memory(path).shares == {"exchange.y": 65}


async def test_columns_and_orders_that_are_no_more_are_forgotten(path: Path) -> None:
    memory = Memory(path)
    memory.keep_view("desks", View(sort="gone", falling=True, hidden=frozenset(("gone", "token", "lev"))))
    memory.keep_view("gone", View(sort="gone"))
    memory.close()
    lines = await run(path)
    assert "by " not in lines[1]
    assert "1 hidden" in lines[1]
    assert lines[2].split()[:3] == ["token", "side", "collateral"]


@pytest.fixture
def damaged(path: Path) -> Path:
    path.parent.mkdir()
    path.write_text("{")
    return path


async def test_a_damaged_file_is_said_on_the_message_line(damaged: Path) -> None:
    lines = await run(damaged)
    assert "screen layout starts afresh" in lines[-2]
