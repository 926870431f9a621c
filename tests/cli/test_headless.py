"""The headless demo, as a user runs it: what it reaches, what it prints, and what a kill -9 leaves."""

import asyncio
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from engine.view import funds
from engine.world import World
from tests.cli.perpdesk import COMMAND, environment, perpdesk, running, summary
from tests.engine.house import settled
from tests.patient import PATIENCE_S
from venue.exchange.fixed import to_text

KEYS = {
    "blocks",
    "ticks",
    "desks_opened",
    "desks_open",
    "desks_closed",
    "desks_halted",
    "desks_liquidated",
    "decisions",
    "liquidations",
    "requests_waiting",
    "requests_executed",
    "requests_cancelled",
    "facts",
    "funds",
    "funds_sum",
    "token_sums",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> "dict[str, subprocess.CompletedProcess[str]]":
    """Two demos side by side: one for ten seconds, one long enough to see the market crash."""
    home = tmp_path_factory.mktemp("home")
    started = {}
    for seed, seconds in ((11, 10), (12, 32)):
        arguments = [*COMMAND, "demo", "--headless", "--seed", str(seed), "--for", f"{seconds}s"]
        started[f"{seconds}s"] = subprocess.Popen(
            arguments, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    finished = {}
    for name, process in started.items():
        out, err = process.communicate(timeout=80)
        finished[name] = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    return finished


def test_ten_seconds_after_start_there_is_something_to_see(
    runs: "dict[str, subprocess.CompletedProcess[str]]",
) -> None:
    found = summary(runs["10s"])
    assert set(found) == KEYS
    assert found["desks_opened"] >= 3
    assert found["decisions"] >= 5
    worked_s = worked(runs["10s"])
    assert found["ticks"] > 31 * worked_s
    assert found["blocks"] >= 0.9 * worked_s - 1


def worked(run: "subprocess.CompletedProcess[str]") -> float:
    """Seconds that it worked, by its log: a slow machine is long at its start."""
    lines = run.stderr.splitlines()
    begun, ended = (
        next(line for line in lines if event in line) for event in ('event="control socket open"', "event=stopped")
    )
    at = [datetime.fromisoformat(line.split()[0].removeprefix("timestamp=")) for line in (begun, ended)]
    return (at[1] - at[0]).total_seconds()


def test_positions_get_liquidated_within_a_minute(runs: "dict[str, subprocess.CompletedProcess[str]]") -> None:
    assert summary(runs["32s"])["liquidations"] >= 1


def test_the_books_balance_to_the_last_digit(runs: "dict[str, subprocess.CompletedProcess[str]]") -> None:
    for run in runs.values():
        found = summary(run)
        assert found["funds_sum"] == "0.000000000000000000"
        assert {"WETH", "USDC", "MT:ETH-USD"} <= found["token_sums"].keys()
        assert set(found["token_sums"].values()) == {"0"}
        assert found["requests_executed"] >= 10
        scaled = [int(amount.replace(".", "")) for amount in found["funds"].values()]
        assert sum(scaled) == 0
        assert all(len(amount.rpartition(".")[2]) == 18 for amount in found["funds"].values())
        negative = {name for name, amount in found["funds"].items() if amount.startswith("-")}
        assert negative == {"desks.external", "exchange.external"}


def test_words_go_to_stderr_as_structured_lines(runs: "dict[str, subprocess.CompletedProcess[str]]") -> None:
    lines = runs["10s"].stderr.splitlines()
    assert all(line.startswith("timestamp=") and " event=" in line for line in lines)
    assert any("momentum" in line for line in lines)
    assert "\x1b" not in runs["10s"].stderr


def test_headless_never_loads_a_terminal_library(tmp_path: Path) -> None:
    script = (
        "import sys, tui.cli\n"
        "try: tui.cli.main()\n"
        "finally: print(sorted({'textual', 'rich'} & {name.partition('.')[0] for name in sys.modules}))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, "demo", "--headless", "--for", "1s"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert run.stdout.splitlines()[-1] == "[]"


async def folded(state: Path) -> tuple[int, dict[str, str]]:
    async with settled(state) as settlement:
        return settlement.seq, await settlement.read(_balances)


def _balances(world: World) -> dict[str, str]:
    return {name: to_text(amount) for name, amount in funds(world)}


def wait_for_facts(process: "subprocess.Popen[str]", seq: int) -> int:
    """Reads log lines until fact `seq` has been announced; announced means durable."""
    assert process.stderr is not None
    for line in process.stderr:
        announced = int(line.rpartition("seq=")[2]) if "seq=" in line else 0
        if announced >= seq:
            return announced
    raise AssertionError("the program ended early")


def test_killed_and_started_again_it_continues_with_the_same_balances(tmp_path: Path) -> None:
    state = tmp_path / "state"
    acknowledged = 0
    for round_number in (1, 2, 3):
        with running(tmp_path, "demo", "--headless", "--seed", "5", "--state", str(state)) as process:
            acknowledged = wait_for_facts(process, acknowledged + 60)
            process.send_signal(signal.SIGKILL)
            process.wait()
        seq, balances = asyncio.run(folded(state))
        assert seq >= acknowledged, f"round {round_number} lost an announced fact"
        again = perpdesk(tmp_path, "demo", "--headless", "--seed", "5", "--for", "0s", "--state", str(state))
        assert f"recovered facts={seq} " in again.stderr.splitlines()[0].replace('"', "").replace("event=", "")
        continued = summary(again)
        assert continued["funds_sum"] == "0.000000000000000000"
        at_end, final = asyncio.run(folded(state))
        assert (continued["facts"], continued["funds"]) == (at_end, final)
        acknowledged = at_end
        assert balances.keys() <= final.keys()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path, "demo", "--headless") as process:
        wait_for_facts(process, 20)
        process.send_signal(signal.SIGHUP)
        process.send_signal(number)
        began = time.monotonic()
        out, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
        assert time.monotonic() - began < 10
        assert '"funds_sum": "0.000000000000000000"' in out


def test_a_log_that_nobody_reads_stops_nothing(tmp_path: Path) -> None:
    """The other end of stderr is open but never read, as on a stalled line; the run still ends in time, in order."""
    with running(tmp_path, "demo", "--headless", "--for", "3s", "--state", str(tmp_path / "state")) as process:
        assert process.stdout is not None
        out = process.stdout.read()
        assert process.wait(timeout=PATIENCE_S) == 0
    assert '"funds_sum": "0.000000000000000000"' in out


def test_a_log_whose_reader_has_gone_stops_nothing(tmp_path: Path) -> None:
    with running(tmp_path, "demo", "--headless", "--for", "3s") as process:
        assert process.stderr is not None
        assert process.stdout is not None
        process.stderr.close()
        assert '"funds_sum": "0.000000000000000000"' in process.stdout.read()
        assert process.wait(timeout=PATIENCE_S) == 0
