"""A running engine from the command line: what it shows, what it is told, and what it refuses."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.perpdesk import perpdesk, running
from tests.cli.test_refusals import refused
from tests.patient import PATIENCE_S

Run = subprocess.CompletedProcess[str]


class Demo:
    """A demo in a process of its own, and the verbs that reach it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = str(folder / "state")

    def __call__(self, *arguments: str) -> Run:
        return perpdesk(self.folder, *arguments, "--state", self.state)

    def rows(self, verb: str) -> list[dict[str, Any]]:
        run = self(verb, "--json")
        found: list[dict[str, Any]] = json.loads(run.stdout) if run.returncode == 0 else []
        return found

    def open_desk(self) -> dict[str, Any]:
        """One with a position and no order on its way."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            for row in self.rows("desks"):
                if row["phase"] == "open" and row["exit"] and row["token"].isalnum():
                    return row
        raise AssertionError("no desk opened")

    def until(self, address: str, told: Callable[[dict[str, Any]], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not told(next(row for row in self.rows("desks") if row["address"] == address)):
            assert time.monotonic() < end


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    found = Demo(tmp_path_factory.mktemp("demo"))
    with running(found.folder, "demo", "--headless", "--state", found.state):
        found.open_desk()
        yield found


def test_the_screen_in_words(demo: Demo) -> None:
    said = demo("status")
    assert said.returncode == 0
    assert "PAPER on exchange, simulated" in said.stdout
    assert json.loads(demo("status", "--json").stdout)["status"]["mode"] == "PAPER"
    for verb in ("desks", "markets", "queue"):
        rows = demo.rows(verb)
        lines = demo(verb).stdout.splitlines()
        assert rows
        assert len({len(line) for line in lines[:1]}) == 1
        assert len(lines) == len(rows) + 1 or verb == "queue"  # the queue moves between two looks
    assert all(character.isprintable() or character == "\n" for character in demo("desks").stdout)


def test_the_log_ends_with_the_newest_and_follows(demo: Demo) -> None:
    lines = demo("log", "-n", "5", "--json").stdout.splitlines()
    numbers = [int(json.loads(line)["number"]) for line in lines]
    assert len(numbers) == 5
    assert numbers == sorted(numbers)
    assert len(demo("log", "-n", "3").stdout.splitlines()) == 3


def test_a_desk_is_halted_resumed_set_aside_and_given_back(demo: Demo) -> None:
    row = demo.open_desk()
    name = f"{row['token']}·{row['address'][2:6]}"
    for verb, said in (("halt", "halted 1 desk"), ("halt", "already halted"), ("resume", "resumed")):
        run = demo(verb, name)
        assert (run.returncode, run.stdout) == (0, "")
        assert said in run.stderr
    assert demo("quarantine", row["address"], "--why", "looks odd").returncode == 0
    demo.until(row["address"], lambda each: each["phase"] == "quarantined")
    assert demo("release", row["address"][:8]).returncode == 0
    receipt = json.loads(demo("halt", name, "--id", "same", "--json").stdout)
    again = json.loads(demo("halt", name, "--id", "same", "--json").stdout)
    assert receipt == again


def test_a_position_is_closed_in_part_and_whole(demo: Demo) -> None:
    desk = demo.open_desk()
    address = desk["address"]
    demo("halt", address)
    refused(demo("close", address), 64, "stdin is not a terminal to confirm at; --yes confirms")
    assert demo("close", address, "--share", "50", "--yes").returncode == 0
    demo.until(address, lambda row: row["phase"] == "open" and int(row["deployed"]) < int(desk["deployed"]))
    assert demo("close", address, "--yes").returncode == 0
    demo.until(address, lambda row: row["phase"] in ("closed", "idle"))
    refused(demo("close", address, "--yes"), 79, "NO_POSITION")


def test_bad_words_are_refused_in_one_line(demo: Demo) -> None:
    refused(demo("halt", "nosuch"), 79, "UNKNOWN_DESK: nosuch: no desk of that name or address")
    refused(demo("halt", "0x"), 79, "is said of 12 desks")
    refused(demo("halt"), 64, "expected the name of a desk, or --all")
    refused(demo("halt", "PEPE", "--all"), 64, "expected the name of a desk, or --all")
    refused(demo("close", "PEPE", "--share", "0", "--yes"), 64, "0")
    run = perpdesk(demo.folder, "status", "--state", str(demo.folder / "nowhere"))
    refused(run, 69, "no engine runs on")


def test_halting_all(demo: Demo) -> None:
    assert demo("halt", "--all").returncode == 0
    assert all(row["halted_by"] for row in demo.rows("desks"))


def test_a_note_is_left_seen_and_taken_away(demo: Demo) -> None:
    address = demo.rows("desks")[0]["address"]
    assert demo("note", address, "ask before closing").returncode == 0
    assert next(row["memo"] for row in demo.rows("desks") if row["address"] == address) == "ask before closing"
    assert demo("note", address).returncode == 0
    assert next(row["memo"] for row in demo.rows("desks") if row["address"] == address) == ""


def test_events_for_a_machine_go_on_from_a_number(demo: Demo) -> None:
    lines = [json.loads(line) for line in demo("events").stdout.splitlines()]
    numbers = [int(line["number"]) for line in lines]
    assert numbers == sorted(set(numbers))
    later = [json.loads(line) for line in demo("events", "--since", str(numbers[-2])).stdout.splitlines()]
    assert later[0] == lines[-1]


def test_an_alarm_nobody_raised_cannot_be_acknowledged(demo: Demo) -> None:
    refused(demo("ack", "the moon fell down"), 79, "NO_SUCH_ALARM")


def test_all_positions_are_closed_by_one_command(demo: Demo) -> None:
    refused(demo("close", "--all", "--share", "50", "--yes"), 64, "--share is of one desk")
    refused(demo("close", "--yes"), 64, "expected the name of a desk, or --all")
    end = time.monotonic() + PATIENCE_S
    demo.open_desk()
    demo("halt", "--all")
    while " closed, " not in (run := demo("close", "--all", "--yes")).stdout + run.stderr:
        refused(run, 79, "NO_POSITION")  # what was open a moment ago may have ended
        assert time.monotonic() < end
        for row in demo.rows("desks"):
            demo("resume", row["address"])
        demo.open_desk()
        demo("halt", "--all")
    while any(row["side"] for row in demo.rows("desks")):
        assert time.monotonic() < end
        demo("close", "--all", "--yes")
