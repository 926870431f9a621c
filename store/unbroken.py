"""What is opened on another thread belongs to nobody while its caller is cancelled: it is waited for, and closed."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


async def unbroken(opening: Coroutine[Any, Any, T], close: Callable[[T], Awaitable[None]]) -> T:
    """What `opening` returns, or raises. Cancelled, however often, it waits for that and has it closed first."""
    task = asyncio.create_task(opening)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait((task,))
        if not task.cancelled() and task.exception() is None:
            await close(task.result())
        raise
