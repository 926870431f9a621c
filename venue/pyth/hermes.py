"""The Hermes client: one connection for all feeds, kept alive for ever, honest about why it is not."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Final, Literal, Never, Self

import httpx
from pydantic import SecretStr, ValidationError
from websockets.exceptions import WebSocketException

from venue.net.strict import NotStrict
from venue.net.url import checked_key, checked_url
from venue.pyth.fault import Diagnosis, HermesError
from venue.pyth.link import LinkPhase, LinkState, LinkTiming
from venue.pyth.price import Feed
from venue.pyth.sse import body, expect, sse_frames
from venue.pyth.wire import SocketReply, SocketRequest, WireItem, parse_socket, parse_updates
from venue.pyth.ws import ws_frames

MAX_FRAME: Final = 256 * 1024


class _Bearer(httpx.Auth):
    def __init__(self, key: SecretStr | None) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers.update(_bearer(self._key))
        yield request


class HermesClient:
    """Delivers every update of `feeds` to `on_item(item, received_ms)`, unjudged, as long as `run` runs.

    An exception from `on_item` ends `run`: it is a bug on this side, and reconnecting would not cure it.
    Raises `ValueError` for a URL that would carry the key in the clear or beside the header, and for a key that
    cannot be one.
    """

    def __init__(
        self,
        url: str,
        key: SecretStr | None,
        feeds: Mapping[str, Feed],
        on_item: Callable[[WireItem, int], None],
        now_ms: Callable[[], int],
        *,
        transport: Literal["sse", "ws"] = "sse",
        timing: LinkTiming | None = None,
        max_frame: int = MAX_FRAME,
        ignore_invalid_ids: bool = True,
        rng: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url = checked_url(url, "Hermes")
        self._key = checked_key(key, "Hermes")
        self._feeds = {feed.symbol: feed for feed in feeds.values()}
        self._ids = frozenset(feed.id for feed in self._feeds.values())
        self._on_item = on_item
        self._now_ms = now_ms
        self._frames = self._sse if transport == "sse" else self._ws
        self._timing = timing or LinkTiming()
        self._max_frame = max_frame
        self._ignore_invalid_ids = ignore_invalid_ids
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._sleep = sleep
        self._diagnose = Diagnosis(self._key, self._timing.refused_s, self._timing.limited_s)
        self._http = httpx.AsyncClient(
            auth=_Bearer(self._key),
            headers={"Accept-Encoding": "identity", "User-Agent": "perpdesk"},
            trust_env=False,
            follow_redirects=False,
            timeout=None,  # noqa: S113 - every use sits inside asyncio.timeout
        )
        self._live_at: float | None = None
        self._state = LinkState(LinkPhase.WAITING, "not started", now_ms())
        self.ignored = 0
        """Updates of feeds nobody here asked for."""

    @property
    def state(self) -> LinkState:
        """The connection now."""
        return self._state

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close idle connections. Cancel `run` first."""
        await self._http.aclose()

    async def run(self) -> Never:
        """Connect, deliver, and start again when prices stop, until cancelled."""
        failures = 0
        error: HermesError | None = None
        while True:
            # The last failure stays in sight: "key refused" must not blink away at every attempt.
            after = f", after: {error.reason}" if error else ""
            self._become(LinkPhase.CONNECTING, f"connecting{after}")
            self._live_at = None
            error = await self._session()
            failures = 0 if self._was_stable() else failures + 1
            delay_s = max(error.wait_s, self._backoff(failures))
            self._become(LinkPhase.WAITING, error.reason, delay_s)
            await self._sleep(delay_s)
            self._state = replace(self._state, reconnects=self._state.reconnects + 1)

    async def latest(self, symbols: Iterable[str]) -> list[WireItem]:
        """The newest update of each symbol. Raises `HermesError` without an answer, `KeyError` for a stranger."""
        return await self._get("latest", symbols)

    async def at(self, publish_time: int, symbols: Iterable[str]) -> list[WireItem]:
        """The first update at or after `publish_time` (unix s) of each symbol. Raises as `latest` does."""
        return await self._get(str(publish_time), symbols)

    async def _session(self) -> HermesError:
        """One connection from start to end; why it ended."""
        loop, timing = asyncio.get_running_loop(), self._timing
        watchdog = asyncio.timeout(timing.connect_s)
        try:
            async with watchdog, aclosing(self._batches()) as batches:
                async for items in batches:
                    if self._deliver(items):
                        watchdog.reschedule(loop.time() + timing.silence_s)
        except HermesError as error:
            return error
        except TimeoutError:
            if not watchdog.expired():
                raise
            waited_s = timing.connect_s if self._live_at is None else timing.silence_s
            return HermesError(f"no price for {waited_s:g} s")
        return HermesError("closed by the server")

    async def _batches(self) -> AsyncGenerator[list[WireItem], None]:
        """Whatever the transport, its prices; whatever breaks, a `HermesError`."""
        try:
            async with aclosing(self._frames()) as frames:
                async for items in frames:
                    yield items
        except (NotStrict, ValidationError):
            raise HermesError("malformed data") from None
        except (httpx.HTTPError, httpx.StreamError, WebSocketException, OSError) as broken:
            raise HermesError(f"connection failed: {type(broken).__name__}") from None

    async def _sse(self) -> AsyncGenerator[list[WireItem], None]:
        request = self._request("stream", self._ids)
        request.headers.update({"Accept": "text/event-stream", "Cache-Control": "no-store"})
        async with aclosing(sse_frames(self._http, request, self._max_frame, self._diagnose)) as frames:
            async for payload in frames:
                yield parse_updates(payload)

    async def _ws(self) -> AsyncGenerator[list[WireItem], None]:
        url = self._url.copy_with(scheme="wss" if self._url.scheme == "https" else "ws", path=self._path("ws"))
        request = SocketRequest(
            type="subscribe",
            ids=sorted(self._ids),
            verbose=True,
            ignore_invalid_price_ids=self._ignore_invalid_ids,
        )
        opened = ws_frames(str(url), _bearer(self._key), request, self._max_frame, self._diagnose)
        async with aclosing(opened) as frames:
            async for payload in frames:
                message = parse_socket(payload)
                if not isinstance(message, SocketReply):
                    yield [message.price_feed]
                elif message.status == "error":
                    said = self._diagnose.text(message.error.encode())
                    raise HermesError(f"subscription refused: {said}", wait_s=self._timing.refused_s)

    def _deliver(self, items: list[WireItem]) -> bool:
        """Hand over what was asked for; whether there was any."""
        received_ms = self._now_ms()
        ours = [item for item in items if item.id in self._ids]
        self.ignored += len(items) - len(ours)
        if ours and self._live_at is None:
            self._live_at = asyncio.get_running_loop().time()
            self._become(LinkPhase.LIVE, "live")
        for item in ours:
            self._on_item(item, received_ms)
        return bool(ours)

    async def _get(self, what: str, symbols: Iterable[str]) -> list[WireItem]:
        ids = frozenset(self._feeds[symbol].id for symbol in symbols)
        request = self._request(what, ids)
        try:
            async with asyncio.timeout(self._timing.request_s):
                response = await self._http.send(request, stream=True)
                try:
                    await expect(response, "application/json", self._max_frame, self._diagnose)
                    items = parse_updates(await body(response, self._max_frame))
                    return [item for item in items if item.id in ids]
                finally:
                    await response.aclose()
        except (NotStrict, ValidationError):
            raise HermesError("malformed data") from None
        except TimeoutError:
            raise HermesError(f"no answer in {self._timing.request_s:g} s") from None
        except (httpx.HTTPError, httpx.StreamError, OSError) as broken:
            raise HermesError(f"connection failed: {type(broken).__name__}") from None

    def _request(self, what: str, ids: frozenset[str]) -> httpx.Request:
        params: dict[str, str | list[str]] = {"ids[]": sorted(ids), "parsed": "true", "encoding": "hex"}
        if self._ignore_invalid_ids:
            params["ignore_invalid_price_ids"] = "true"
        url = self._url.copy_with(path=self._path(f"v2/updates/price/{what}"))
        return self._http.build_request("GET", url, params=params)

    def _path(self, tail: str) -> str:
        return f"{self._url.path.rstrip('/')}/{tail}"

    def _was_stable(self) -> bool:
        now = asyncio.get_running_loop().time()
        return self._live_at is not None and now - self._live_at >= self._timing.stable_s

    def _backoff(self, failures: int) -> float:
        low, high = self._timing.backoff_min_s, self._timing.backoff_max_s
        return self._rng.uniform(low, min(high, low * 2.0 ** min(failures + 1, 32)))

    def _become(self, phase: LinkPhase, reason: str, delay_s: float | None = None) -> None:
        now_ms = self._now_ms()
        self._state = replace(
            self._state,
            phase=phase,
            reason=reason,
            since_ms=now_ms,
            retry_at_ms=None if delay_s is None else now_ms + round(delay_s * 1000),
            connected_count=self._state.connected_count + (phase is LinkPhase.LIVE),
        )


def _bearer(key: SecretStr | None) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Bearer {key.get_secret_value()}"}
