"""Whatever happens to the terminal, the engine's heart beats on. How evenly it does is measured by `tui.gap`."""

from pathlib import Path

from tests.terminal import pulse

SECONDS = 2.0
LEAST = 50
"""Beats: a quarter of what an idle machine makes of it."""


def test_the_engine_goes_on_while_its_terminal_is_in_trouble(tmp_path: Path) -> None:
    with pulse.beating(tmp_path) as engine:
        for trouble in (pulse.stalls, pulse.suspends, pulse.resizes, pulse.hangs_up):
            beats, _ = engine.during(trouble, SECONDS)
            assert beats > LEAST, trouble.__name__


def test_a_terminal_that_was_in_trouble_shows_the_whole_screen_again(tmp_path: Path) -> None:
    with pulse.beating(tmp_path) as engine:
        for trouble in (pulse.stalls, pulse.resizes):
            engine.during(trouble, 1.0)
            engine.child.until(lambda: "Liquidations" in engine.child.text(), 10, "whole screen")
            assert "Desks 12" in engine.child.text()
