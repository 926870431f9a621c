"""A signal at any moment of the start ends the program without a word, or is heeded as the table of statuses says."""

import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.cli.perpdesk import COMMAND, environment, running, summary
from tests.scale import SEED, scaled
from tests.terminal.pty_app import PtyApp

MOMENTS: Final = scaled(5, 40, 400)
PAINTED: Final = scaled(3, 15, 100)
SOMEWHERE: Final = scaled(3, 20, 200)
FIRST: Final = "tui.lazy"
"""What is looked for first once signals have been seen to."""
LOOKS: Final = 760
PAINTED_LOOKS: Final = 1_050
"""How often something is looked for in a run that ends as it has begun, about."""
HOOK: Final = f"""
import os, sys

class Hook:
    number = 0
    def find_spec(self, name, path, target=None):
        if self.number or name == {FIRST!r}:
            self.number += 1
            if self.number == int(os.environ["SENT_AT"]):
                os.kill(os.getpid(), int(os.environ["SENT"]))
        return None

sys.meta_path.insert(0, Hook())
"""
RUN: Final = ("demo", "--headless", "--for", "0s")
TRACES: Final = ("Traceback", "KeyboardInterrupt", "Exception ignored", "Fatal")


@pytest.fixture
def hooked(tmp_path: Path) -> Path:
    """A folder with a module that every interpreter loads, and that sends a signal as a module is looked for."""
    folder = tmp_path / "hook"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(HOOK)
    return folder


def moments(name: str, count: int, looks: int) -> list[int]:
    rng = random.Random(f"{SEED}:{name}")
    return [1, *(rng.randint(1, looks) for _ in range(count - 1))]


def sent(hooked: Path, number: signal.Signals, at: int) -> "subprocess.CompletedProcess[str]":
    """A run that gets a signal as it looks for its `at`-th module."""
    env = environment(hooked.parent, PYTHONPATH=str(hooked), SENT=str(int(number)), SENT_AT=str(at))
    return subprocess.run(
        [*COMMAND, *RUN], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90, check=False
    )


def quiet(err: str) -> bool:
    return not any(trace in err for trace in TRACES)


@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    ("number", "statuses"), [(signal.SIGINT, (-2, 130, 0)), (signal.SIGTERM, (-15, 143, 0)), (signal.SIGHUP, (0,))]
)
def test_as_it_loads_a_run_without_a_screen_heeds_a_signal_or_goes_without_a_word(
    hooked: Path, number: signal.Signals, statuses: tuple[int, ...], tried: Callable[[int], None]
) -> None:
    for at in moments(number.name, MOMENTS, LOOKS):
        run = sent(hooked, number, at)
        where = f"seed {SEED}, {number.name} at {at}: {run.returncode}, {run.stderr[-500:]}"
        assert run.returncode in statuses, where
        assert quiet(run.stderr), where
        if run.returncode == 0:
            assert '"funds_sum": "0.000000000000000000"' in run.stdout, where
        else:
            assert run.stdout == "", where
    tried(MOMENTS)
    assert sent(hooked, number, 1).returncode == statuses[0]


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_as_it_loads_a_run_with_a_screen_ends_without_a_traceback(
    hooked: Path, number: signal.Signals, tried: Callable[[int], None]
) -> None:
    for at in moments(f"painted {number.name}", PAINTED, PAINTED_LOOKS):
        child = PtyApp(
            "demo",
            module="tui.cli",
            XDG_CONFIG_HOME=str(hooked.parent),
            PYTHONPATH=str(hooked),
            SENT=str(int(number)),
            SENT_AT=str(at),
        )
        where = f"seed {SEED}, {number.name} at {at}"
        try:
            ended = -child.child.signalstatus if (status := left(child)) is None else status
        finally:
            child.end()
        in_order = 0 if number == signal.SIGINT else 128 + number
        assert ended in (-number, 128 + number, in_order), f"{where}: {ended}, {child.text()}"
        assert quiet(bytes(child.sent).decode(errors="replace")), f"{where}: {child.text()}"
    tried(PAINTED)


def left(child: PtyApp) -> int | None:
    """The status; None where a signal ended it."""
    end = time.monotonic() + 60
    while child.child.isalive():
        assert time.monotonic() < end, f"still there: {child.text()}"
        time.sleep(0.02)
    status: int | None = child.child.exitstatus
    return status


@pytest.mark.timeout(7200)
def test_at_any_time_sighup_kills_no_run_without_a_screen(tmp_path: Path, tried: Callable[[int], None]) -> None:
    """From when it says by its table of signals that it has seen to it."""
    rng = random.Random(f"{SEED}:hang-up")
    for _ in range(SOMEWHERE):
        with running(tmp_path, *RUN) as process:
            while not _ignores(process.pid, signal.SIGHUP):
                assert process.poll() is None
            time.sleep(rng.uniform(0.0, 2.0))
            process.send_signal(signal.SIGHUP)
            out, err = process.communicate(timeout=60)
        assert summary(subprocess.CompletedProcess((), process.returncode, out, err))["funds_sum"].startswith("0.")
    tried(SOMEWHERE)


def _ignores(pid: int, number: signal.Signals) -> bool:
    said = Path(f"/proc/{pid}/status").read_text()
    mask = int(next(line.split()[1] for line in said.splitlines() if line.startswith("SigIgn")), 16)
    return bool(mask >> (number - 1) & 1)
