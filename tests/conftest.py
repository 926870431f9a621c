"""What every test may say."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping

import pytest

from tests.patient import PatientLoop
from tests.scale import FORM, Progress

EVERY_S = 60.0

if threading.current_thread() is threading.main_thread():
    # A shell has them ignored by what runs in its background, and so would programs that the tests start.
    for number, heard in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, heard)


def pytest_asyncio_loop_factories() -> Mapping[str, type[PatientLoop]]:
    return {"patient": PatientLoop}


@pytest.fixture
def tried(record_property: Callable[[str, object], None]) -> Callable[[int], None]:
    """Says how many cases a test has tried, where it is more than one; `make proof` adds them up."""
    return lambda cases: record_property("cases", cases)


@pytest.fixture
def progress(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> Progress:
    """How far a run of minutes or hours has come, a line each minute on stderr; nothing in `make test`."""
    said = time.monotonic()

    def told(how_far: str) -> None:
        nonlocal said
        if FORM and time.monotonic() > said + EVERY_S:
            said = time.monotonic()
            with capsys.disabled():
                sys.stderr.write(f"{request.node.name}: {how_far}\n")

    return told
