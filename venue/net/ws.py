"""WebSockets to servers that are not trusted: nothing is followed elsewhere, and nothing is said to a log."""

import logging
from typing import Final

from websockets.asyncio.client import connect

# The library logs every request line and header at DEBUG, and one of them is the key. Its own logger cannot be turned
# up.
quiet: Final = logging.getLogger(__name__)
quiet.disabled = True
quiet.setLevel(logging.CRITICAL)

WAITING_FRAMES: Final = 16
"""Frames that wait for their reader; then nothing more is read, and the server is held up, or lets go of us."""


class Straight(connect):
    """A connection to whom it was meant for, or none."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow nothing: the library would."""
        return exc
