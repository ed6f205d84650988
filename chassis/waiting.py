"""Waiting for something, but not for ever."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

BROKEN_OFF_AFTER: Final = 5.0


async def happened(event: asyncio.Event, within: float) -> bool:
    """Whether it was set within so many seconds.

    Not by `wait_for`: before Python 3.12 that passes over a cancellation that comes as it is woken.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    return event.is_set()


async def unbroken(work: Coroutine[Any, Any, T]) -> T:
    """What it returns. Whoever is cancelled meanwhile goes only when it has ended too, or after a few seconds.

    For the start of a client of Kafka: broken off, it leaves a connection open that nobody can close any more.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    finally:
        await asyncio.wait([task], timeout=BROKEN_OFF_AFTER)
        task.cancel()
