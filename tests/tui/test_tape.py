"""The tape of a replay: words, speeds, and a clock the test owns; and the line that says where it stands."""

from dataclasses import dataclass, field

import pytest

from tui.bar import cells
from tui.keymap import Keymap
from tui.tape import SPEEDS, Player, TapeSight
from tui.tape_line import moment, tape_line
from tui.tones import Tone

BEGIN = 1_780_000_000_000
SECONDS = (0, 1, 1, 4, 90, 7_300)
"""When the entries of the reel were written, after its beginning."""


@dataclass
class Film:
    """A reel that only says where it is."""

    at_ms: int = BEGIN
    newest: int = len(SECONDS)
    seq: int = 1
    first_ms: int = BEGIN
    last_ms: int = BEGIN + SECONDS[-1] * 1000
    shown: list[int] = field(default_factory=list)

    def go_to(self, seq: int) -> None:
        self.seq = min(max(seq, 1), self.newest)
        self.at_ms = BEGIN + SECONDS[self.seq - 1] * 1000
        self.shown.append(self.seq)

    def go_to_time(self, at_ms: int) -> None:
        self.at_ms = min(max(at_ms, self.first_ms), self.last_ms)
        self.seq = max(sum(BEGIN + each * 1000 <= self.at_ms for each in SECONDS), 1)
        self.shown.append(self.seq)


class Machine:
    """A player, its film, and its clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.film = Film()
        self.player = Player(self.film, lambda: self.now)

    def do(self, *words: str) -> TapeSight:
        for word in words:
            self.player.do(word)
        return self.player.sight()

    def after(self, seconds: float) -> TapeSight:
        self.now += seconds
        self.player.beat()
        return self.player.sight()


@pytest.fixture
def tape() -> Machine:
    return Machine()


def seconds(sight: TapeSight) -> float:
    return (sight.at_ms - BEGIN) / 1000


def test_entry_by_entry_and_no_further_than_there_are(tape: Machine) -> None:
    assert [tape.do("on").entry for _ in range(7)] == [2, 3, 4, 5, 6, 6, 6]
    assert [tape.do("back").entry for _ in range(7)] == [5, 4, 3, 2, 1, 1, 1]
    assert (tape.do("last").entry, tape.do("first").entry) == (6, 1)


def test_minutes_and_hours(tape: Machine) -> None:
    assert (seconds(tape.do("minute_on")), tape.film.seq) == (60, 4)
    assert (seconds(tape.do("minute_on", "hour_on")), tape.film.seq) == (3_720, 5)
    assert seconds(tape.do("hour_on")) == 7_300
    assert seconds(tape.do("hour_back", "minute_back")) == 3_640
    assert seconds(tape.do("hour_back", "hour_back")) == 0


def test_it_stands_until_it_plays(tape: Machine) -> None:
    assert seconds(tape.after(50)) == 0
    assert tape.do("play").playing
    assert seconds(tape.after(2.5)) == 2.5
    assert seconds(tape.after(2.5)) == 5
    assert not tape.do("play").playing
    assert seconds(tape.after(50)) == 5


def test_a_change_of_the_speed_changes_nothing_that_was_played(tape: Machine) -> None:
    tape.do("play")
    tape.after(2)
    assert tape.do("faster", "faster").speed == SPEEDS[2] == 5
    assert seconds(tape.player.sight()) == 2
    assert seconds(tape.after(2)) == 12
    tape.now += 1  # no beat in between: the word itself counts what has passed
    assert seconds(tape.do("slower")) == 17
    assert seconds(tape.after(1)) == 19


def test_speeds_end_where_they_end(tape: Machine) -> None:
    assert tape.do(*["faster"] * 20).speed == 3_600
    assert tape.do(*["slower"] * 20).speed == 1


def test_a_leap_while_it_plays_goes_on_from_there_and_a_step_stops_it(tape: Machine) -> None:
    assert tape.do("play", "minute_on").playing
    assert seconds(tape.after(3)) == 63
    assert (tape.do("on").playing, tape.film.seq) == (False, 5)


def test_it_stops_at_the_end_and_does_not_begin_there(tape: Machine) -> None:
    tape.do("play", *["faster"] * 20)
    assert tape.after(2).playing
    sight = tape.after(1)
    assert (sight.playing, sight.entry, sight.share) == (False, 6, 1.0)
    assert not tape.do("play").playing


def test_a_word_nobody_knows(tape: Machine) -> None:
    with pytest.raises(KeyError):
        tape.do("rewind")


# --- the line ---------------------------------------------------------------------------------------------------------


def sight(**changes: int) -> TapeSight:
    plain = {"entry": 169, "newest": 1_222, "at_ms": BEGIN + 61_500, "speed": 60, "last_ms": BEGIN + 1_000_000}
    return TapeSight(playing=bool(changes.pop("playing", 0)), first_ms=BEGIN, **(plain | changes))


def text(width: int, keymap: Keymap | None = None, **changes: int) -> str:
    return "".join(part for part, _ in tape_line(sight(**changes), width, keymap or Keymap()))


def test_the_line_of_a_wide_terminal() -> None:
    assert text(200) == (
        " ‖ paused   x60    2026-05-28 20:27:41Z  entry   169 of 1,222  █░░░░░░░░░░░░░░░░░░░░░░░   6%"
        "  space play  left right entry  [ ] minute  { } hour  , . speed"
    )
    assert text(200, playing=1).startswith(" ▶ playing  x60 ")


def test_the_line_of_a_narrow_one_keeps_time_and_entry() -> None:
    assert text(80) == " ‖ paused   x60    2026-05-28 20:27:41Z  entry   169 of 1,222  █░░░░░░░░░   6%"
    for width in range(80, 201):
        assert cells(tape_line(sight(), width, Keymap())) < width
        assert "2026-05-28 20:27:41Z" in text(width)


def test_nothing_moves_while_it_counts() -> None:
    assert text(120, entry=1).index("of 1,222") == text(120, entry=1_222).index("of 1,222")
    assert text(120, speed=1).index("2026") == text(120, speed=3_600).index("2026")
    assert text(120).index("x60") == text(120, playing=1).index("x60")


def test_the_bar_is_full_only_at_the_end() -> None:
    last = BEGIN + 1_000_000
    bars = {share: text(80, at_ms=BEGIN + share * 1_000_000 // 1_000) for share in (0, 1, 500, 999, 1_000)}
    assert last == BEGIN + 1_000_000
    assert "░" * 10 in bars[0]
    assert "█" + "░" * 9 in bars[1]
    assert "█" * 5 + "░" * 5 + "  50%" in bars[500]
    assert "█" * 9 + "░" + "  99%" in bars[999]
    assert "█" * 10 + " 100%" in bars[1_000]


def test_the_keys_are_those_of_the_operator() -> None:
    keymap = Keymap.of({"tape_play": "f5", "tape_minute_back": "", "tape_minute_on": ""})
    line = text(200, keymap)
    assert "f5 play" in line
    assert "minute" not in line


def test_a_second_is_a_second_and_a_tape_of_one_moment_has_an_end() -> None:
    assert moment(BEGIN + 999) == moment(BEGIN)
    assert TapeSight(False, 1, 1, 1, BEGIN, BEGIN, BEGIN).share == 0.0
    assert {tone for _, tone in tape_line(sight(), 120, Keymap())} <= set(Tone)
