"""New blocks by WebSocket: one connection, one subscription, until either is lost."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any, Final, cast

from hexbytes import HexBytes
from web3 import AsyncWeb3, WebSocketProvider
from web3.exceptions import Web3Exception
from web3.types import BlockData, RPCResponse
from web3.utils.subscriptions import NewHeadsSubscription, NewHeadsSubscriptionContext
from websockets.exceptions import WebSocketException

from venue.chain.answers import Head
from venue.chain.heads import WsLost
from venue.net.strict import NotStrict, parse
from venue.net.ws import WAITING_FRAMES, Straight, quiet

CONNECT_S: Final = 10.0
SILENCE_S: Final = 20.0
MAX_FRAME: Final = 2 * 1024 * 1024
_LOST: Final = (Web3Exception, WebSocketException, OSError, TimeoutError, ValueError, TypeError, KeyError)
"""What the library raises for a server that is gone, slow or mad; it has no common class for it."""


class _Provider(WebSocketProvider):
    """The library's, but it follows nothing elsewhere and reads strictly."""

    async def _provider_specific_connect(self) -> None:
        self._ws = await Straight(str(self.endpoint_uri), **self.websocket_kwargs)

    async def socket_recv(self) -> RPCResponse:
        """Raises ValueError for what is not one strict JSON object."""
        if self._ws is None:
            raise ConnectionError("not connected")
        try:
            said = parse(await self._ws.recv())
        except NotStrict as error:
            raise ValueError(str(error)) from None
        if not isinstance(said, dict):
            raise ValueError("not an object")
        return cast(RPCResponse, said)


async def subscribed(url: str, chain_id: int, *, silence_s: float = SILENCE_S) -> AsyncGenerator[Head | None, None]:
    """New blocks of the node at `url` until it is silent for `silence_s` or gone, which raises WsLost.

    None stands for blocks that there may be: from before it stood, or announced and not to be read. Of those that come
    faster than they are taken only the newest is kept. What the path of `url` holds is never repeated.
    """
    announced: asyncio.Queue[Head | None] = asyncio.Queue(maxsize=1)
    serving: asyncio.Task[None] | None = None
    provider = _Provider(
        url,
        websocket_kwargs={
            "max_size": MAX_FRAME,
            "max_queue": WAITING_FRAMES,
            "compression": None,
            "proxy": None,
            "logger": quiet,
        },
        use_text_frames=True,  # gateways refuse the other kind
        max_connection_retries=1,
        request_timeout=CONNECT_S,
    )
    web3 = AsyncWeb3(provider)
    try:
        async with asyncio.timeout(CONNECT_S):
            await provider.connect()
            await _subscribe(web3, chain_id, announced)
        serving = asyncio.create_task(web3.subscription_manager.handle_subscriptions(run_forever=True))
        yield None  # there may have been blocks before it stood
        while True:
            yield await _next(announced, serving, silence_s)
    except _LOST as error:
        raise WsLost(f"subscription lost: {type(error).__name__}") from None
    finally:
        await _end(provider, serving)


async def _subscribe(web3: AsyncWeb3[Any], chain_id: int, announced: asyncio.Queue[Head | None]) -> None:
    if await web3.eth.chain_id != chain_id:
        raise WsLost("subscription refused: the node is on another chain")

    async def arrived(context: NewHeadsSubscriptionContext) -> None:
        if announced.full():
            announced.get_nowait()
        announced.put_nowait(_head(context.result))

    await web3.subscription_manager.subscribe([NewHeadsSubscription(handler=arrived)])


async def _next(announced: asyncio.Queue[Head | None], serving: asyncio.Task[None], silence_s: float) -> Head | None:
    getting = asyncio.create_task(announced.get())
    try:
        done, _ = await asyncio.wait({getting, serving}, timeout=silence_s, return_when=asyncio.FIRST_COMPLETED)
        if getting in done:
            return getting.result()
        if serving in done:
            serving.result()
            raise WsLost("subscription lost: closed")
        raise WsLost(f"subscription lost: silent for {silence_s:g} s")
    finally:
        getting.cancel()


async def _end(provider: WebSocketProvider, serving: asyncio.Task[None] | None) -> None:
    if serving is not None:
        serving.cancel()
        with suppress(asyncio.CancelledError, *_LOST):
            await serving
    with suppress(*_LOST):
        await provider.disconnect()


def _head(block: BlockData) -> Head | None:
    """A block as the library read it, or nothing unless everything is there."""
    said: Mapping[str, object] = dict(block)
    numbers = [said.get(name) for name in ("number", "timestamp", "baseFeePerGas")]
    hashes = [said.get(name) for name in ("hash", "parentHash")]
    match [*numbers, *hashes]:
        case [int(number), int(timestamp), int(fee), HexBytes() as own, HexBytes() as parent]:
            if min(number, timestamp, fee) < 0 or len(own) != 32 or len(parent) != 32:
                return None
            return Head(number, own.to_0x_hex(), parent.to_0x_hex(), timestamp, fee)
        case _:
            return None
