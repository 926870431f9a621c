"""What every test may say."""

import signal
import threading
from collections.abc import Callable

import pytest

if threading.current_thread() is threading.main_thread():
    # A shell has them ignored by what runs in its background, and so would programs that the tests start.
    for number, heard in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, heard)


@pytest.fixture
def tried(record_property: Callable[[str, object], None]) -> Callable[[int], None]:
    """Says how many cases a test has tried, where it is more than one; `make proof` adds them up."""
    return lambda cases: record_property("cases", cases)
