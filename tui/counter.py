"""How far long work is, for whoever waits in front of a terminal that no screen is painted on yet."""

import time
from typing import TextIO

EVERY_S = 0.1
SOON_S = 0.5
"""What is done by then is not worth a word."""


class Counter:
    """One line of a terminal that is written over, and taken away at the end; nothing anywhere else."""

    def __init__(self, stream: TextIO, words: str) -> None:
        self._stream = stream
        self._words = words
        self._is_terminal = stream.isatty()
        self._began = self._shown_at = time.monotonic()
        self._width = 0

    def progress(self, done: int, of: int) -> None:
        """So many of so many."""
        now = time.monotonic()
        if not self._is_terminal or now - self._began < SOON_S or (now - self._shown_at < EVERY_S and done < of):
            return
        self._shown_at = now
        text = f"perpdesk: {self._words}, {done:,} of {of:,} entries"
        self._width = max(self._width, len(text))
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()

    def done(self, words: str) -> None:
        """All is done; said in a plain line where no terminal was written on."""
        if not self._is_terminal:
            self._stream.write(f"perpdesk: {words}\n")

    def end(self) -> None:
        """Leaves the terminal's line as it was found."""
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0
