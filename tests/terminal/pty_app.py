"""A child on a real pseudo terminal, read in the background, with its screen as pyte sees it."""

import contextlib
import os
import re
import select
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pyte
from ptyprocess import PtyProcess

from tests.patient import PATIENCE_S

ROOT = Path(__file__).parents[2]
_HOME = tempfile.TemporaryDirectory()
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[(\?\d+\$p|[<>]\d*u)")


class PtyApp:
    """Starts a module, the scripted app unless another is named, and counts every byte it sends."""

    def __init__(
        self,
        *arguments: str,
        module: str = "tests.terminal.scripted_app",
        columns: int = 160,
        rows: int = 45,
        **environ: str,
    ) -> None:
        """With neither columns nor rows the terminal does not know how large it is."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        # What a run remembers must neither reach nor come from whoever runs the tests.
        home = environ.get("XDG_CONFIG_HOME", _HOME.name)
        env = {**kept, "HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONUTF8": "1", **environ}
        command = [sys.executable, "-m", module, *arguments]
        self.screen = pyte.Screen(columns or 80, rows or 25)
        self._stream = pyte.ByteStream(self.screen)
        self.started = time.monotonic()
        self.child = PtyProcess.spawn(command, cwd=str(ROOT), env=env, dimensions=(rows, columns))
        self.process = psutil.Process(self.child.pid)
        self.sent = bytearray()
        self._drawn = 0
        self._stop = threading.Event()
        self.start_reading()

    def _read(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while not self._stop.is_set():
                if not select.select([self.child.fd], [], [], 0.05)[0]:
                    continue
                self.sent += self.child.read(65536)

    def start_reading(self) -> None:
        """Takes what the child sends."""
        self._stop.clear()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def stop_reading(self) -> None:
        """Leaves what the child sends where it is, as a stalled line does."""
        self._stop.set()
        self._reader.join()

    def fill_the_line(self) -> None:
        """As much as it takes, so that the child's next byte waits."""
        line = os.open(f"/proc/{self.child.pid}/fd/1", os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            for piece in (1024, 1):
                with contextlib.suppress(BlockingIOError):
                    while os.write(line, b" " * piece):
                        pass
        finally:
            os.close(line)

    def _draw(self) -> None:
        """Not as it is read: what is slow here must not look like a slow line to the child."""
        data = bytes(self.sent[self._drawn :])
        self._drawn += len(data)
        # pyte shows the ends of the sequences it does not know as text.
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))

    def text(self) -> str:
        """The screen as lines of text."""
        self._draw()
        return "\n".join(self.screen.display)

    def cursor(self) -> tuple[tuple[str, bool], ...]:
        """Background and reversal of every line near its left edge: they move with the highlighted row of the first
        pane."""
        self._draw()
        cells = (self.screen.buffer[row][4] for row in range(self.screen.lines))
        return tuple((cell.bg, cell.reverse) for cell in cells)

    def wait_for(self, text: str) -> float:
        """Waits until the screen shows a text; the seconds since the start."""
        self.until(lambda: text in self.text(), f"{text!r} on the screen")
        return time.monotonic() - self.started

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Waits for a condition."""
        end = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < end, f"no {what}:\n{self.text()}"
            time.sleep(0.02)

    def measure(self, seconds: float) -> tuple[float, float]:
        """Bytes per second and percent of one core over a while."""
        bytes_before, cpu_before, start = len(self.sent), self._cpu(), time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - start
        return (len(self.sent) - bytes_before) / took, (self._cpu() - cpu_before) / took * 100

    def _cpu(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def resize(self, columns: int, rows: int) -> None:
        """Gives the terminal another size."""
        self._draw()
        self.screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    def keys(self, keys: str) -> None:
        """Types."""
        self.child.write(keys.encode())

    def hang_up(self) -> None:
        """Closes our end, as a lost connection does."""
        self.stop_reading()
        self.child.fileobj.close()

    def exit_code(self) -> int | None:
        """Waits for the end of the child; None if it was a signal."""
        end = time.monotonic() + PATIENCE_S
        while self._lives():
            assert time.monotonic() < end, "the child is still alive"
            time.sleep(0.02)
        self._reader.join(2)  # its last words
        return int(self.child.exitstatus) if self.child.exitstatus is not None else None

    def end(self) -> None:
        """Kills what is left."""
        if self._lives():
            self.process.kill()
            self.child.wait()
        self.hang_up()

    def _lives(self) -> bool:
        self.child.flag_eof = False  # or a child that has let go of its terminal is waited for
        return bool(self.child.isalive())
