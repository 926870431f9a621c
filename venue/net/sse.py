"""Server-sent events: bytes in, bounded events out.

The decoder is our own because a line or an event must never grow past a limit, and because the payload stays bytes
all the way to the JSON parser.
"""

from typing import NamedTuple


class Event(NamedTuple):
    """One server-sent event; `name` and `id` are empty for an event that says none of its own."""

    name: bytes
    data: bytes
    id: bytes = b""


class EventTooLarge(Exception):
    """An event or a line outgrew its limit."""


class EventDecoder:
    """Splits a byte stream, however it is cut into chunks, into events of at most `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self._name = b""
        self._id = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes. Raises `EventTooLarge` when one outgrows the limit."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        events = [event for line in lines if (event := self._line(line.removesuffix(b"\r"))) is not None]
        self._measure(len(self._rest))
        return events

    def _line(self, line: bytes) -> Event | None:
        if not line:
            event = Event(self._name, b"\n".join(self._data), self._id) if self._data else None
            self._name, self._id, self._data, self._size = b"", b"", [], 0
            return event
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            self._name = value
        elif field == b"id":
            self._id = value
        elif field == b"data":
            self._size += len(value) + 1  # so that empty lines count too
            self._data.append(value)
            self._measure(0)
        return None

    def _measure(self, more: int) -> None:
        if self._size + more > self._limit:
            raise EventTooLarge(f"frame larger than {self._limit} bytes")
