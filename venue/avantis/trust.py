"""Whether the venue's servers say what is pinned here. Until they do, nothing that adds risk is asked for."""

from collections.abc import Callable

from venue.avantis.hosts import Api
from venue.avantis.meta import Meta, fetch_meta
from venue.avantis.wire import AvantisCode, AvantisError

STALE_MS = 3_600_000
"""An agreement that was not renewed for so long has lapsed."""


class Trust:
    """The last comparison."""

    def __init__(self, api: Api, now_ms: Callable[[], int]) -> None:
        self._api = api
        self._now_ms = now_ms
        self._agreed_ms: int | None = None
        self._why = "its servers were not compared with what is pinned yet"
        self.meta: Meta | None = None

    async def pass_once(self) -> str:
        """One comparison. A server out of reach proves nothing; one that says something else ends the trust."""
        try:
            self.meta = await fetch_meta(self._api)
        except AvantisError as error:
            self._why = error.text
            if error.code in (AvantisCode.META_MISMATCH, AvantisCode.GEO_RESTRICTED):
                self._agreed_ms = None
            return error.text
        self._agreed_ms, self._why = self._now_ms(), "its servers were not compared lately"
        return "agrees with what is pinned"

    def why_not(self) -> str:
        """Why nothing may be opened, or nothing."""
        agreed = self._agreed_ms is not None and self._now_ms() - self._agreed_ms <= STALE_MS
        return "" if agreed else self._why
