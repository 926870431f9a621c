"""Recorded prices: rows of a CSV file, or what a Hermes stream sent, line by line. Read once, never held.

Every line becomes what the live feed would have been given, so that the same checks judge it. A line that cannot be
read ends the reading: a recording that is wrong in one place cannot be trusted in the others.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from statistics import median_low
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError

from venue.pyth import FEEDS, Feed, PricePath, WireItem, WirePrice

HEADER = ("time", "market", "price")
MAX_LINE = 2**20
EARLIEST_MS, LATEST_MS = 946_684_800_000, 4_102_444_800_000
"""From 2000 to 2100: what lies outside was written in another unit."""
LEAP_MS = 120_000
"""A stream that moves on by more than this has a gap, if its next line agrees; else one price was from the future."""
CSV_CONF = "1"
"""A CSV file says nothing about confidence: the narrowest there is, one in the last place, is assumed."""
SIMULATED_FROM_MS = 1_767_600_000_000
"""2026-01-05T08:00:00Z, a Monday within the active session: the same for every seed, so that files compare."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN = 40


class RecordingCode(StrEnum):
    """Why a recording cannot be replayed; stable."""

    UNREADABLE = "UNREADABLE"
    BAD_LINE = "BAD_LINE"
    NO_PRICES = "NO_PRICES"


class RecordingError(Exception):
    """One line: the file, the line number, the field, its value and what was expected."""

    def __init__(self, code: RecordingCode, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Tick:
    """One update and when it arrived (unix ms). Arrival times never go back within a recording."""

    at_ms: int
    item: WireItem


class _Bad(Exception):
    """A field that cannot be read; the reader adds the file and the line."""

    def __init__(self, field: str, value: str, expected: str) -> None:
        shown = value if len(value) <= _SHOWN else value[:_SHOWN] + "..."
        super().__init__(f"{field}: {shown!a}: {expected}")


class Recording:
    """The updates of a recording, to be gone through once; `name` is for the words."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.assumed = ""
        """What is not in the recording and had to be taken for granted; known once it was read."""
        self._stream = stream
        self._name = name

    def __iter__(self) -> Iterator[Tick]:
        """Raises RecordingError at the first line that cannot be read."""
        parser: _Csv | _Hermes | None = None
        number = 0
        while raw := self._stream.readline(MAX_LINE + 1):
            number += 1
            line = (raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw).strip(b" \t\r\n")
            try:
                if len(raw) > MAX_LINE:
                    raise _Bad("line", _head(raw), f"expected at most {MAX_LINE:,} bytes")
                if not line:
                    continue
                parser = parser or _parser(line)
                ticks = parser.ticks(line)
            except _Bad as bad:
                raise self._refusal(number, bad) from None
            yield from ticks
        if parser is None:
            raise self._refusal(1, _bad_header(""))
        self.assumed = parser.ASSUMED

    def _refusal(self, number: int, bad: _Bad) -> RecordingError:
        return RecordingError(RecordingCode.BAD_LINE, f"{self._name}: line {number}: {bad}")


def simulated(seed: int, hours: int, step_s: int, markets: Sequence[str]) -> Iterator[str]:
    """Lines of a CSV recording of simulated prices at real speed, `step_s` seconds apart; the same for the same seed.

    Raises KeyError for a market without a simulated price.
    """
    path = PricePath(seed, SIMULATED_FROM_MS, speed=1.0)
    yield ",".join(HEADER)
    for at_ms in range(SIMULATED_FROM_MS, SIMULATED_FROM_MS + hours * 3_600_000 + 1, step_s * 1000):
        for market in markets:
            digits = -path.feeds[market].expo
            whole, rest = divmod(path.at(market, at_ms)[0], 10**digits)
            yield f"{at_ms},{market},{whole}.{rest:0{digits}d}"


def _parser(first: bytes) -> "_Csv | _Hermes":
    return _Hermes() if first.startswith((b"{", b"data:", b"event:", b":")) else _Csv()


def _head(line: bytes) -> str:
    return line[:_SHOWN].decode("latin-1")


def _bad_header(line: str) -> _Bad:
    return _Bad("header", line, f"expected {','.join(HEADER)}, or the JSON objects of a Hermes stream")


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Bad("line", _head(line), "expected UTF-8") from error


class _Csv:
    """Rows of time, market and price. Each arrives at its own time, or with the row before when that was later."""

    ASSUMED = "a CSV file has no confidence: every price was taken for exact, so none is refused as too wide"

    def __init__(self) -> None:
        self._clock_ms = 0

    def ticks(self, line: bytes) -> Sequence[Tick]:
        text = _text(line)
        cells = tuple(cell.strip().strip('"') for cell in text.split(","))
        if not self._clock_ms:
            if tuple(cell.lower() for cell in cells) != HEADER:
                raise _bad_header(text)
            self._clock_ms = 1
            return ()
        if len(cells) != len(HEADER):
            raise _Bad("line", text, f"expected {len(HEADER)} fields: {','.join(HEADER)}")
        at_ms = _time(cells[0])
        feed = FEEDS.get(cells[1])
        if feed is None:
            raise _Bad("market", cells[1], f"expected any of {', '.join(FEEDS)}")
        price = WirePrice(price=_mantissa(cells[2], feed), conf=CSV_CONF, expo=feed.expo, publish_time=at_ms // 1000)
        self._clock_ms = max(self._clock_ms, at_ms)
        return (Tick(self._clock_ms, WireItem(id=feed.id, price=price)),)


def _time(text: str) -> int:
    expected = "expected unix milliseconds, or UTC like 2026-08-01T09:30:00Z"
    if re.fullmatch(r"[0-9]{1,16}", text):
        at_ms = int(text)
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise _Bad("time", text, expected) from error
        if moment.utcoffset() != timedelta():
            raise _Bad("time", text, expected)
        at_ms = (moment - _EPOCH) // timedelta(milliseconds=1)
    if not EARLIEST_MS <= at_ms < LATEST_MS:
        raise _Bad("time", text, f"{expected}, from 2000 to 2099")
    return at_ms


def _mantissa(text: str, feed: Feed) -> str:
    """Digits beyond the feed's exponent are cut off."""
    expected = "expected a plain decimal above 0 and below 10,000,000,000, like 1956.5"
    found = re.fullmatch(r"([0-9]{1,10})(?:\.([0-9]{1,30}))?", text)
    if not found:
        raise _Bad("price", text, expected)
    digits = -feed.expo
    mantissa = int(found[1] + (found[2] or "")[:digits].ljust(digits, "0"))
    if not mantissa:
        raise _Bad("price", text, expected)
    return str(mantissa)


class _Receipt(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    proof_available_time: int | None = None
    """Unix s at which Hermes could serve it: as near to the arrival as a recording gets."""


class _Item(WireItem):
    metadata: _Receipt | None = None

    @property
    def arrived_ms(self) -> int:
        served_s = self.metadata.proof_available_time if self.metadata else None
        return (self.price.publish_time if served_s is None else served_s) * 1000


class _Updates(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    parsed: list[_Item]


class _Hermes:
    """Updates as the stream sends them, or single items; `data:` in front, comments and events are what SSE adds.

    Nothing in them says when they arrived. The items of a line arrived together, at the middle one's time.
    """

    ASSUMED = "every update was taken to have arrived when Hermes could serve it, or else when it was published"

    def __init__(self) -> None:
        self._clock_ms = 0
        self._leap_ms = 0
        self._event = False

    def ticks(self, line: bytes) -> Sequence[Tick]:
        if line.startswith(b":"):
            return ()
        if line.startswith(b"event:"):  # price updates are unnamed: what follows is the server's farewell
            self._event = True
            return ()
        if self._event:
            self._event = False
            return ()
        items = _items(line.removeprefix(b"data:"))
        if not items:
            return ()
        arrived_ms = self._arrival(items)
        return [Tick(arrived_ms, item) for item in items]

    def _arrival(self, items: Sequence[_Item]) -> int:
        for item in items:
            if item.arrived_ms >= LATEST_MS:
                raise _Bad("publish_time", str(item.arrived_ms // 1000), "expected unix seconds before 2100")
        at_ms = median_low([item.arrived_ms for item in items])
        leaps = bool(self._clock_ms) and at_ms > self._clock_ms + LEAP_MS
        confirmed = bool(self._leap_ms) and at_ms >= self._leap_ms
        if leaps and not confirmed:
            self._leap_ms = at_ms
        else:
            self._leap_ms = 0
            self._clock_ms = max(self._clock_ms, at_ms)
        return self._clock_ms


def _items(line: bytes) -> Sequence[_Item]:
    try:
        if b'"parsed"' in line:
            return _Updates.model_validate_json(line).parsed
        return (_Item.model_validate_json(line),)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "line"
        value = "" if first["type"] == "missing" else str(first["input"]) if first["loc"] else _head(line)
        why = first["msg"].replace(" at line 1 column", " at column")
        raise _Bad(field, value, f"expected an update of Hermes: {why[:1].lower()}{why[1:]}") from error
