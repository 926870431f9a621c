"""What the screen costs on a real terminal, and how soon it is there."""

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.report import report
from tests.cli.perpdesk import environment
from tests.terminal import pulse
from tests.terminal.pty_app import PtyApp

WARM_UP_S, MEASURED_S = 2.0, 10.0
PRESSES = 200
_SSH = {"SSH_CONNECTION": "1 2 3 4"}
_PROFILES = {"local": {}, "ssh": _SSH, "low-bandwidth": _SSH | {"LOW_BANDWIDTH": "1"}}
READY = "watched"


def screen() -> None:
    """Bytes per second and CPU of four panes at 160x45 with 50 updates a second, beside stock DataTables."""
    stock = _measure("tests.bench.stock", "stock")
    for case, environ in _PROFILES.items():
        ours = _measure("tests.terminal.scripted_app", "live", **environ)
        report("tui.bytes", case, ours[0], "B/s", "stock DataTable", stock[0])
        report("tui.cpu", case, ours[1], "%", "stock DataTable", stock[1])


def idle() -> None:
    """Bytes per second while nothing moves but the clock, beside Textual's own header with a clock."""
    stock = _measure("tests.bench.stock", "clock")
    for case, environ in _PROFILES.items():
        ours = _measure("tests.terminal.scripted_app", "idle", **environ)
        report("tui.idle", case, ours[0], "B/s", "Textual header with a clock", stock[0])


def keys() -> None:
    """Milliseconds from a key to the cursor on its new row, under 50 updates a second."""
    for case, environ in _PROFILES.items():
        ours, stock = (
            _latencies("tests.terminal.scripted_app", "live", **environ),
            _latencies("tests.bench.stock", "stock"),
        )
        for name, at in (("median", 0.5), ("99th percentile", 0.99)):
            mine, theirs = (sorted(each)[int(at * len(each))] for each in (ours, stock))
            report("tui.key_latency", f"{case}, {name}", mine, "ms", "stock DataTable", theirs)


def gap() -> None:
    """Longest gap in the engine's own loop, ms, while the terminal is in trouble, beside one that is not."""
    stall_s = float(os.environ.get("STALL_SECONDS", "60"))
    troubles = (pulse.stalls, stall_s), (pulse.suspends, 10.0), (pulse.resizes, 10.0), (pulse.hangs_up, 10.0)
    with tempfile.TemporaryDirectory() as folder, pulse.beating(Path(folder)) as engine:
        time.sleep(WARM_UP_S)
        _, calm = engine.during(pulse.nothing, 20.0)
        for trouble, seconds in troubles:
            _, worst = engine.during(trouble, seconds)
            report("tui.gap", f"{trouble.__name__} {seconds:.0f} s", worst, "ms", "a terminal that reads", calm)


def memory() -> None:
    """MiB the program grows by after its first minute, under 50 updates a second; SOAK_MINUTES=60 for an hour."""
    minutes = float(os.environ.get("SOAK_MINUTES", "2"))
    grown: list[float] = []
    for module, mode in (("tests.terminal.scripted_app", "live"), ("tests.bench.stock", "stock")):
        child = PtyApp(mode, module=module, columns=160, rows=45)
        try:
            child.wait_for(READY)
            time.sleep(60)
            before = child.process.memory_info().rss
            time.sleep(minutes * 60 if not grown else min(minutes, 5) * 60)
            grown.append((child.process.memory_info().rss - before) / 2**20)
        finally:
            child.end()
    report("tui.memory", f"{minutes:g} min", grown[0], "MiB", "stock DataTable, at most 5 min", grown[1])


def start() -> None:
    """Seconds to the first paint of the whole demo, and to the first log line of a headless one."""
    with tempfile.TemporaryDirectory() as home:
        hello = min(_first("tests.bench.stock", READY, "hello") for _ in range(3))
        ours = min(_first("tui.cli", "Desks 12", "demo", XDG_CONFIG_HOME=home) for _ in range(3))
        report("start.first_paint", "demo, engine included", ours, "s", "Textual hello world", hello)
        attached = _attached(home)
        report("start.first_paint", "attach", attached, "s", "Textual hello world", hello)
        bare = min(_ready([sys.executable, "-c", "print(1)"], Path(home)) for _ in range(3))
        command = [sys.executable, "-m", "tui.cli", "demo", "--headless", "--for", "1s"]
        report("start.headless", "demo", min(_ready(command, Path(home)) for _ in range(3)), "s", "bare python", bare)


def _latencies(module: str, *arguments: str, **environ: str) -> list[float]:
    child = PtyApp(*arguments, module=module, columns=160, rows=45, **environ)
    chance = random.Random(1)
    found = []
    try:
        child.wait_for(READY)
        time.sleep(WARM_UP_S)
        for press in range(PRESSES):
            was, began = child.cursor(), time.perf_counter()
            child.keys("\x1b[B" if press % 10 < 5 else "\x1b[A")
            while child.cursor() == was and time.perf_counter() - began < 2:
                time.sleep(0.0005)
            found.append((time.perf_counter() - began) * 1000)
            time.sleep(chance.uniform(0.02, 0.12))
    finally:
        child.end()
    return found


def _attached(home: str) -> float:
    state = ["--state", f"{home}/state"]
    command = [sys.executable, "-m", "tui.cli", "demo", "--headless", *state]
    with subprocess.Popen(
        command, env=environment(Path(home)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as engine:
        try:
            time.sleep(4 * WARM_UP_S)
            return min(_first("tui.cli", "Desks 12", "attach", *state, XDG_CONFIG_HOME=home) for _ in range(3))
        finally:
            engine.terminate()


def _measure(module: str, *arguments: str, **environ: str) -> tuple[float, float]:
    child = PtyApp(*arguments, module=module, columns=160, rows=45, **environ)
    try:
        child.wait_for(READY)
        time.sleep(WARM_UP_S)
        return child.measure(MEASURED_S)
    finally:
        child.end()


def _first(module: str, text: str, *arguments: str, **environ: str) -> float:
    child = PtyApp(*arguments, module=module, columns=160, rows=45, **environ)
    try:
        return child.wait_for(text)
    finally:
        child.end()


def _ready(command: list[str], home: Path) -> float:
    began = time.perf_counter()
    with subprocess.Popen(
        command, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        took = time.perf_counter() - began
        process.kill()
    return took
