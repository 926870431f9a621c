"""`perpdesk simulate` as a user runs it."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.perpdesk import COMMAND, environment, perpdesk, running

LIFECYCLE = [
    {"op": "deposit", "user": "alice", "amount": "1000"},
    {"op": "open", "user": "alice", "side": "long", "total": "1000", "leverage": "10"},
    {"op": "tick", "blocks": 1},
    {"op": "close", "user": "alice", "position": 1},
    {"op": "close", "user": "alice", "position": 1},
]


def test_a_scenario_from_a_file_and_from_stdin(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps({"config": {}, "ops": LIFECYCLE}))
    run = perpdesk(tmp_path, "simulate", str(tmp_path / "s.json"))
    assert (run.returncode, run.stderr) == (0, "")
    outcome = json.loads(run.stdout)
    assert outcome["results"][1]["margin"] == "990.099009900990099009"
    assert outcome["results"][3]["payout"] == "989.010881286148416819"
    assert outcome["results"][4] == {"ok": False, "error": "NOT_OPEN"}
    piped = subprocess.run(
        [*COMMAND, "simulate", "-"],
        env=environment(tmp_path),
        input=json.dumps(LIFECYCLE),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(piped.stdout) == outcome


def test_tables_line_up(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps(LIFECYCLE))
    lines = perpdesk(tmp_path, "simulate", "--table", str(tmp_path / "s.json")).stdout.splitlines()
    assert [line for line in lines if line and line[0] != " "] == ["Results", "Market", "Funds", "Positions"]
    header = lines.index("Results") + 1
    assert lines[header].index("payout") + len("payout") == lines[header + 4].index("989.01088128") + 12


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "not a scenario"),
        (b"\xff\xfe\x00", "not a scenario"),
        (b'[{"op": NaN}]', "NaN is not JSON"),
        (b'{"ops": [], "ops": []}', "a key appears twice"),
        (b"[" * 100_000, "not a scenario"),
        (b'{"config": {"X": "1"}, "ops": []}', "config key 'X' is unknown; expected any of INITIAL_BASE_RESERVE"),
        (b'"text"', "expected a list of operations"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_65(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "s.json").write_bytes(content)
    run = perpdesk(tmp_path, "simulate", str(tmp_path / "s.json"))
    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (65, "", 1)
    assert said in run.stderr


def test_numbers_of_ten_thousand_digits_refuse_only_their_operation(tmp_path: Path) -> None:
    huge = "9" * 10_000
    text = f'[{{"op":"deposit","user":"a","amount":"{huge}"}},{{"op":"deposit","user":"a","amount":{huge}}}]'
    (tmp_path / "s.json").write_text(text)
    run = perpdesk(tmp_path, "simulate", str(tmp_path / "s.json"))
    assert json.loads(run.stdout)["results"] == [{"ok": False, "error": "BAD_REQUEST"}] * 2


def test_what_if_on_a_running_exchange_reads_and_changes_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (tmp_path / "s.json").write_text('[{"op":"deposit","user":"me","amount":"50"},{"op":"tick","blocks":5}]')
    with running(tmp_path, "demo", "--headless", "--state", str(state)) as process:
        assert process.stderr is not None
        while "listed" not in (line := process.stderr.readline()) and "event_kind=open" not in line:
            assert line
        run = perpdesk(tmp_path, "simulate", "--from-state", str(state), "--market", "BTC", str(tmp_path / "s.json"))
        assert run.returncode == 0, run.stderr
        outcome = json.loads(run.stdout)
        assert outcome["results"] == [{"ok": True}, {"ok": True}]
        assert outcome["state"]["funds"]["userWallets"]["me"] == "50.000000000000000000"
        assert process.poll() is None
        unknown = perpdesk(
            tmp_path, "simulate", "--from-state", str(state), "--market", "XYZ", str(tmp_path / "s.json")
        )
        assert (unknown.returncode, "'XYZ' is not listed" in unknown.stderr) == (65, True)


def test_a_directory_without_a_journal(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text("[]")
    run = perpdesk(tmp_path, "simulate", "--from-state", str(tmp_path), str(tmp_path / "s.json"))
    assert (run.returncode, "no perpdesk.db" in run.stderr) == (74, True)
