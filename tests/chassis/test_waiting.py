"""What waits ends when it is cancelled, whatever happens in the same moment."""

import asyncio

import pytest

from chassis.waiting import happened


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


@pytest.mark.parametrize("later", range(4), ids=lambda turns: f"{turns} turns later")
async def test_who_is_woken_as_it_is_cancelled_does_not_go_on(later: int) -> None:
    awake = asyncio.Event()

    async def sleep_for_ever() -> None:
        while True:
            await happened(awake, 0.1)
            awake.clear()

    sleeping = asyncio.create_task(sleep_for_ever())
    await turns(3)
    awake.set()
    await turns(later)
    sleeping.cancel()
    done, _ = await asyncio.wait([sleeping], timeout=20)
    assert done, "it sleeps on"
    assert sleeping.cancelled()
