"""Whatever happens to the terminal, the engine's heart beats on. How evenly it does, `tui.gap` measures as well."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.cli.forge import forged
from tests.cli.perpdesk import running
from tests.patient import PATIENCE_S
from tests.scale import scaled
from tests.terminal import pulse

SECONDS = scaled(2, 20, 60)
GAP_MS = scaled(5_000, 250, 250)
"""Between two beats; a hundred screens of other sizes a second are no trouble of a line, and may take twice as long."""
CPU = scaled(100, 25, 25)
"""Percent of a core once the terminal is gone; a line that is only looked after by `make test` may have less quiet."""
ANSWER_S = scaled(15, 2, 2)
LEAST = scaled(10, 50, 50)
"""Beats; a quarter of what an idle machine makes of two seconds is not asked of a busy one."""
TROUBLES = (pulse.stalls, pulse.suspends, pulse.resizes, pulse.hangs_up)
HANGUPS = scaled(20, 20, 200)
Tried = Callable[[int], None]


def test_the_engine_goes_on_while_its_terminal_is_in_trouble(tmp_path: Path, tried: Tried) -> None:
    state = ("--state", str(tmp_path / "state"))
    with pulse.beating(tmp_path) as engine:
        for trouble in TROUBLES:
            beats, gap_ms = engine.during(trouble, SECONDS)
            assert beats > LEAST, trouble.__name__
            assert gap_ms <= GAP_MS * (2 if trouble is pulse.resizes else 1), trouble.__name__
            assert answered_s(tmp_path, *state) <= ANSWER_S, trouble.__name__
        before = engine.child.process.cpu_times()
        time.sleep(SECONDS)
        after = engine.child.process.cpu_times()
        assert (after.user + after.system - before.user - before.system) / SECONDS * 100 <= CPU
        assert forged(tmp_path, "demo", "--headless", *state).returncode == 75, "somebody else took its place"
    tried(len(TROUBLES))


def answered_s(folder: Path, *state: str) -> float:
    """How long a question takes, from the outside."""
    forged(folder, "--version")  # loads the program, once
    began = time.monotonic()
    run = forged(folder, "desks", "--json", *state)
    assert run.returncode == 0, run.stderr
    assert len(json.loads(run.stdout)) == 12
    return time.monotonic() - began


def test_a_terminal_that_was_in_trouble_shows_the_whole_screen_again(tmp_path: Path) -> None:
    with pulse.beating(tmp_path) as engine:
        for trouble in (pulse.stalls, pulse.resizes):
            engine.during(trouble, 1.0)
            engine.child.until(lambda: "Liquidations" in engine.child.text(), "whole screen")
            assert "Desks 12" in engine.child.text()


def test_a_run_without_a_screen_does_not_mind_hang_ups(tmp_path: Path, tried: Tried) -> None:
    state = ("--state", str(tmp_path / "state"))
    with running(tmp_path, "demo", "--headless", *state) as process:
        end = time.monotonic() + 60
        while forged(tmp_path, "desks", *state).returncode:
            assert time.monotonic() < end, "the engine does not answer"
        for _ in range(HANGUPS):
            process.send_signal(signal.SIGHUP)
            time.sleep(0.02)
            assert process.poll() is None
        assert answered_s(tmp_path, *state) <= ANSWER_S
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, err
        assert json.loads(out)["facts"] > 0
    tried(HANGUPS)
