"""The program a pty test runs: the real app over a scripted port.

`python -m tests.terminal.scripted_app MODE`, where MODE is `live` (prices change 50 times a second), `idle` (a frozen
feed), `hostile` (names that try to drive the terminal), `crash` (the port breaks in the middle of a frame) or `stuck`
(a frame is never done; a stop may take STOP_S seconds of the environment).
"""

import os
import random
import sys
import threading
import time
from dataclasses import replace

from tui import terminal
from tui.settings import UiSettings

terminal.prepare(os.environ)

from engine import stopping  # noqa: E402
from engine.snapshot import Snapshot  # noqa: E402
from tests.tui.hostile import four_hundred, hostile_snapshot  # noqa: E402
from tests.tui.scripted import NOW, ScriptedPort, desk, liquidation, market, snapshot, usd  # noqa: E402
from tui.app import run_app  # noqa: E402

UPDATES_PER_SECOND = 50
_MARKETS = 24


class Ticker(threading.Thread):
    """Changes one price after the other, and all rows that depend on it."""

    def __init__(self, port: ScriptedPort) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._random = random.Random(7)

    def run(self) -> None:
        while True:
            time.sleep(1 / UPDATES_PER_SECOND)
            self._tick()

    def _tick(self) -> None:
        picture = self._port.picture
        number = self._random.randrange(_MARKETS)
        was = picture.markets[number]
        factor = 1 + self._random.uniform(-4e-4, 4e-4)
        index = usd((was.index or 0) / 1e18 * factor)
        moved = replace(was, index=index, mark=index, change=(was.change or 0) + factor - 1)
        desks = tuple(
            replace(
                row, mark=index, pnl=usd((row.pnl or 0) / 1e18 + (factor - 1) * 5_000), liq_move=(row.liq_move or 0)
            )
            if row.market == was.symbol
            else row
            for row in picture.desks
        )
        queue = tuple(
            replace(row, loss_share=row.loss_share + (factor - 1) * 4, move=max(row.move + factor - 1, 0.0))
            if row.market == was.symbol
            else row
            for row in picture.liquidations
        )
        markets = (*picture.markets[:number], moved, *picture.markets[number + 1 :])
        now = NOW + int(time.monotonic() * 1000) % 10_000_000
        status = replace(picture.status, now_ms=now, feed_age_ms=self._random.randrange(400))
        self._port.show(markets=markets, desks=desks, liquidations=queue, status=status)


class IdlePort(ScriptedPort):
    """An engine that goes on publishing while its feed is frozen: nothing but the time changes."""

    def latest(self) -> Snapshot:
        now = NOW + int(time.monotonic() * 1000) % 10_000_000
        picture = super().latest()
        return replace(picture, at_ms=now, status=replace(picture.status, now_ms=now))


class CrashingPort(ScriptedPort):
    """Breaks in the middle of a frame, with a secret at hand."""

    def latest(self) -> Snapshot:
        secret_key = "hunter2".join(("", ""))
        if self.pulls > 3:
            raise ZeroDivisionError(len(secret_key))
        return super().latest()


class StuckPort(ScriptedPort):
    """Never comes back from a frame."""

    def latest(self) -> Snapshot:
        if self.pulls > 3:
            os.write(2, b"stuck")
            threading.Event().wait()
        return super().latest()


def live_port() -> ScriptedPort:
    """Every market traded, desks and queue spread over all of them."""
    markets = tuple(
        replace(market(number), tradable=True, mark=market(number).index, basis=0.0001, carry_per_hour=4e-5)
        for number in range(_MARKETS)
    )
    names = [row.symbol for row in markets]
    return ScriptedPort(
        snapshot(
            markets=markets,
            desks=tuple(desk(number, market=names[number % _MARKETS]) for number in range(50)),
            liquidations=tuple(liquidation(number, market=names[number % _MARKETS]) for number in range(60)),
        )
    )


def main(mode: str) -> int:
    """Runs the app; the exit code is the app's."""
    if why := terminal.why_not(sys.stdin, sys.stdout, os.environ):
        sys.stderr.write(why + "\n")
        return 64
    port = live_port() if mode == "live" else ScriptedPort()
    if mode == "live":
        Ticker(port).start()
    if mode == "idle":
        port = IdlePort()
    if mode == "hostile":
        port = ScriptedPort(hostile_snapshot(four_hundred()))
    if mode == "crash":
        port = CrashingPort()
    if mode == "stuck":
        stopping.STOP_S = float(os.environ["STOP_S"])
        port = StuckPort()
    low = bool(os.environ.get("LOW_BANDWIDTH"))
    return run_app(port, UiSettings.for_terminal(os.environ, theme=os.environ.get("SCRIPTED_THEME"), low_bandwidth=low))


if __name__ == "__main__":
    code = main(sys.argv[1])
    sys.stderr.write(f"\nleft {code}\n")
    sys.exit(code)
