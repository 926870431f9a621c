"""The end of a process that has been told to stop: whatever its own words about that wait for."""

import subprocess
import sys
import time

import pytest

from engine.stopping import LAST_WORDS_S
from tests.patient import PATIENCE_S, SLACK_S

STOP_S = 0.3
PROGRAM = """
import os, signal, threading, time
from engine import stopping
stopping.STOP_S = {stop_s}
hangs = lambda *_: threading.Event().wait()
def raises(*_):
    raise RuntimeError("a fault")
said = stopping.Stopping({why})
said.give_back = {give_back}
said.by_signals()
print("begun", flush=True)
{then}
while True:
    time.sleep(1)
"""
GIVES_BACK = "lambda: print('given back', flush=True)"
BEGIN = "said.begin()"
TERM = "os.kill(os.getpid(), signal.SIGTERM)"


def ended(why: str = "str", give_back: str = "str", then: str = BEGIN) -> tuple[int, float, str, str]:
    """Its status, seconds from the beginning of the stop, and what it said."""
    program = PROGRAM.format(stop_s=STOP_S, why=why, give_back=give_back, then=then)
    command = [sys.executable, "-c", program]
    # Unbuffered, or the first line takes the second with it and `communicate` never sees it.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            began = time.monotonic()
            out, err = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    return process.returncode, time.monotonic() - began, out.decode(), err.decode()


@pytest.mark.parametrize("then", [BEGIN, TERM])
def test_it_ends_and_says_why(then: str) -> None:
    status, took, _, err = ended("lambda: 'a reason'", then=then)
    assert status == 74
    assert took < STOP_S + SLACK_S
    assert err.splitlines()[-1] == "perpdesk: not stopped within 0 s: a reason"


@pytest.mark.parametrize("hangs", [{"why": "hangs"}, {"give_back": "hangs"}])
def test_it_ends_when_what_it_asks_does_not_answer(hangs: dict[str, str]) -> None:
    status, took, _, _ = ended(**hangs)
    assert status == 74
    assert took < STOP_S + 2 * LAST_WORDS_S + SLACK_S


@pytest.mark.parametrize("raises", [{"why": "raises"}, {"give_back": "raises"}])
def test_it_ends_when_what_it_asks_fails(raises: dict[str, str]) -> None:
    assert ended(**raises)[0] == 74


def test_what_is_to_be_given_back_is_given_back_first() -> None:
    status, _, out, _ = ended(give_back=GIVES_BACK)
    assert status == 74
    assert out.startswith("given back\n"), "before the log and the line on stderr"


@pytest.mark.parametrize(("give_back", "out"), [(GIVES_BACK, "given back\n"), ("raises", "")])
def test_the_second_signal_ends_at_once(give_back: str, out: str) -> None:
    twice = f"stopping.STOP_S = 60\n{TERM}\nos.kill(os.getpid(), signal.SIGINT)"
    status, took, said, _ = ended(give_back=give_back, then=twice)
    assert (status, said) == (130, out)
    assert took < SLACK_S
