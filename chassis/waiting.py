"""Waiting for something, but not for ever."""

import asyncio
import contextlib


async def happened(event: asyncio.Event, within: float) -> bool:
    """Whether it was set within so many seconds.

    Not by `wait_for`: before Python 3.12 that passes over a cancellation that comes as it is woken.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    return event.is_set()
