"""A terminal that stops reading: so many writes wait, the others are thrown away, and nobody is held up."""

import os
import select
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tui import driver
from tui.driver import Patient

WRITE = b"x" * 65_536
"""More than a pipe takes at once."""


class Silent(Patient):
    """Writes to a pipe, and has no keys."""

    fd = -1

    def _start_writer(self) -> None:
        self._writer = driver._Writer(self.fd)
        self._writer.start()

    def write(self, data: str) -> None:
        self.send(data.encode())

    def start_application_mode(self) -> None:
        """Nothing to set up."""

    def stop_application_mode(self) -> None:
        """Nothing to put back."""

    def disable_input(self) -> None:
        """There is none."""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


async def test_a_stalled_terminal_keeps_a_bounded_number_of_writes(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go: list[None] = []
    monkeypatch.setattr(Silent, "fd", pipe[1])
    monkeypatch.setattr(driver, "let_go", lambda: let_go.append(None))  # those of the tests are kept
    app: Any = None
    stalled = Silent(app)
    began = time.monotonic()
    for _ in range(10_000):
        stalled.send(WRITE)
    assert time.monotonic() - began < 5
    assert stalled._writer.queue.qsize() <= driver._LIMIT
    assert (stalled.congested, stalled.incomplete) == (True, True)
    stalled.close()
    assert stalled._writer.is_alive(), "nobody waits for it"
    assert let_go == [None], "and nobody else will"
    os.set_blocking(pipe[0], False)
    taken = 0
    while stalled._writer.is_alive() or select.select([pipe[0]], [], [], 0)[0]:
        if select.select([pipe[0]], [], [], 0.01)[0]:
            taken += len(os.read(pipe[0], 1 << 20))
    kept, cut = divmod(taken, len(WRITE))
    assert (1 < kept <= driver._LIMIT + 1, cut) == (True, 0), "what was kept arrives whole"
