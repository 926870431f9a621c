"""What every test may say."""

import signal
import threading
from collections.abc import Callable

import pytest

if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As a shell starts what runs in its background; programs that the tests start would ignore it too.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def tried(record_property: Callable[[str, object], None]) -> Callable[[int], None]:
    """Says how many cases a test has tried, where it is more than one; `make proof` adds them up."""
    return lambda cases: record_property("cases", cases)
