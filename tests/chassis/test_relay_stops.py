"""A relay ends when its service does, whatever happens in the same moment."""

import asyncio

import pytest
from pydantic import SecretStr

from chassis.relay import Relay
from chassis.settings import DatabaseSettings, KafkaSettings

NOWHERE = DatabaseSettings(host="nowhere", name="x", user="x", password=SecretStr("x"))
NO_KAFKA = KafkaSettings(bootstrap="nowhere:1", user="x", password=SecretStr("x"))


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


@pytest.mark.parametrize("later", range(4), ids=lambda turns: f"{turns} turns later")
async def test_a_relay_that_is_woken_as_it_is_cancelled_does_not_go_on(later: int) -> None:
    relay = Relay(NOWHERE, NO_KAFKA, "toy")

    async def sleep_for_ever() -> None:
        while True:
            await relay._sleep()
            relay._awake.clear()

    sleeping = asyncio.create_task(sleep_for_ever())
    await turns(3)
    relay.wake()
    await turns(later)
    sleeping.cancel()
    done, _ = await asyncio.wait([sleeping], timeout=1)
    assert done, "it sleeps on"
    assert sleeping.cancelled()
