"""Rows as a file: those that are shown, for its owner only, harmless in a spreadsheet, and nothing written over."""

import csv
import stat
from dataclasses import replace
from pathlib import Path

from tests.tui.operator import watching
from tests.tui.scripted import NOW, ScriptedPort, desk, snapshot
from tui.export import export, text
from tui.panes.desks import TABLE
from tui.settings import UiSettings


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_unknown_is_empty_and_figures_are_in_the_units_of_the_screen(tmp_path: Path) -> None:
    rows = [desk(0), replace(desk(3), pnl=None, token='=HYPERLINK("x")\x1b[31m')]
    path = export(tmp_path / "exports", "desks", TABLE, rows, NOW)
    first, second = read(path)
    assert path.name == "desks-20261121T140322Z.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (first["side"], float(first["lev x"]), float(first["collateral"])) == ("short", 10.0, 120.5)
    assert second["pnl"] == ""
    assert second["token"].startswith("'=HYPERLINK")
    assert "\x1b" not in path.read_text()


def test_a_file_of_the_same_second_is_not_written_over(tmp_path: Path) -> None:
    paths = {export(tmp_path, "desks", TABLE, [desk(0)], NOW) for _ in range(3)}
    assert len(paths) == 3


def test_formulas_are_text() -> None:
    assert [text(each) for each in ("=1+1", "+1", "-1", "@x", "PEPE")] == ["'=1+1", "'+1", "'-1", "'@x", "PEPE"]


async def test_the_filtered_rows_are_written_and_their_place_is_said(tmp_path: Path) -> None:
    port = ScriptedPort(snapshot(desks=tuple(desk(number) for number in range(12))))
    async with watching(port, ui=UiSettings(exports=tmp_path / "out")) as operator:
        await operator.press("slash", *"bonk", "enter", "e")
        await operator.until(lambda: operator.message.startswith("export: 1 rows in"))
        (path,) = (tmp_path / "out").iterdir()
        assert [row["token"].split()[0] for row in read(path)] == ["BONK"]


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    async with watching(ScriptedPort(), ui=UiSettings(exports=tmp_path / "out")) as operator:
        await operator.press("e")
        await operator.until(lambda: operator.message.startswith("export: "))
        assert "exists" in operator.message


async def test_a_browser_writes_no_file_on_another_machine(tmp_path: Path) -> None:
    async with watching(ScriptedPort(), ui=UiSettings(exports=tmp_path / "out", browser=True)) as operator:
        await operator.press("e")
        assert operator.message == "export: in a browser: use perpdesk desks --json"
        assert not (tmp_path / "out").exists()
