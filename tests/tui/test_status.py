"""The status line: trouble first when there is little room, and nothing else on the screen looks like LIVE."""

from engine.keeper_rows import KeeperHealth
from engine.snapshot import FeedHealth
from tests.tui.scripted import NOW, status
from tui.bar import cells
from tui.status import status_line
from tui.tones import Line, Tone


def text(line: Line) -> str:
    return "".join(piece for piece, _ in line)


def tones(line: Line, words: str) -> set[Tone]:
    return {tone for piece, tone in line if words in piece}


def test_the_line_is_exactly_as_wide_as_the_screen() -> None:
    for width in range(80, 220, 7):
        assert cells(status_line(status(), NOW, width)) == width


def test_live_has_a_badge_of_its_own() -> None:
    assert tones(status_line(status(mode="LIVE"), NOW, 160), "LIVE") == {Tone.LIVE}
    assert tones(status_line(status(), NOW, 160), "PAPER") == {Tone.BADGE}


def test_a_narrow_line_keeps_mode_alarms_halted_feed_and_clock() -> None:
    line = text(status_line(status(alarms=("disk full",)), NOW, 80))
    for words in ("PAPER", "1 alarm", "1 halted", "pyth  0.2s".replace("  ", " "), "14:03:22Z"):
        assert words in line
    assert "block" not in line


def test_a_feed_in_trouble_says_so() -> None:
    line = status_line(status(feed=FeedHealth.LOST, feed_age_ms=14_000, feed_text="key refused"), NOW, 160)
    assert tones(line, "lost 14s key refused") == {Tone.WARN}
    assert "slow" in text(status_line(status(feed=FeedHealth.SLOW), NOW, 160))


def test_keepers_in_trouble_say_so() -> None:
    line = status_line(status(keepers=KeeperHealth.FAILING, keepers_text="requests"), NOW, 160)
    assert tones(line, "failing requests") == {Tone.WARN}


def test_what_is_not_real_is_named() -> None:
    line = text(status_line(status(time_factor=60), NOW, 200, 12_000, 3))
    for words in ("time x60", "simulated: prices, fees, 48 traders", "3 events dropped", "engine silent 12s"):
        assert words in line


def test_another_second_changes_the_clock_only() -> None:
    before, after = (status_line(status(), now, 160) for now in (NOW, NOW + 1000))
    assert [new for old, new in zip(before, after, strict=True) if old != new] == [("14:03:23Z ", Tone.TEXT)]
