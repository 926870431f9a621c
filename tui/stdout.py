"""Data that stdout does not take ends the program in one line instead of a traceback, whoever wrote it."""

import errno
import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Untold(Exception):
    """Data did not arrive. `unread` when nobody reads any more, as in `| head`."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stdout: {os.strerror(number)}")
        self.unread = number == errno.EPIPE


class _Stdout(io.FileIO):
    """No OSError: click ends the program by itself at some of them."""

    _lost = False

    def write(self, data: "ReadableBuffer", /) -> int:
        """Raises Untold once; what comes after it, at the latest the buffer at the end of the program, is dropped."""
        if self._lost:
            return memoryview(data).nbytes
        try:
            written = super().write(data)
        except OSError as error:
            self._lost = True
            raise Untold(error.errno or errno.EIO) from error
        if written is None:  # who gave it to us does not let it wait
            self._lost = True
            raise Untold(errno.EAGAIN)
        return written


def guard() -> None:
    """From here on writing to `sys.stdout` raises Untold where it raised OSError. Without a stdout nothing is told."""
    was = sys.stdout
    if not isinstance(was, io.TextIOWrapper):
        return
    raw = io.BufferedWriter(_Stdout(was.fileno(), "wb", closefd=False))
    sys.stdout = io.TextIOWrapper(raw, was.encoding, was.errors, line_buffering=was.line_buffering)
