"""Postgres or Kafka goes away: nothing is forgotten meanwhile, and who is told to end does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from chassis import relay
from chassis.http import Health
from chassis.metrics import DEGRADED, REGISTRY
from chassis.postgres import connect
from contracts.referrals import ReferralWithdrawn
from tests.chassis.conftest import Toy
from tests.support import eventually


def withdrawn() -> ReferralWithdrawn:
    return ReferralWithdrawn(referral_id=uuid4(), need_ids=[], reason="other")


@contextlib.asynccontextmanager
async def postgres_away(toy: Toy) -> AsyncIterator[None]:
    """The database of the toy takes no connection of the service, and ends those that there are."""
    DEGRADED.labels(part="toy").set(0)
    conn = await connect(toy.servers.postgres)
    try:
        await conn.execute("alter role toy_app connection limit 0")
        await conn.fetch(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", toy.settings.database_name
        )
        yield
    finally:
        await conn.execute("alter role toy_app connection limit -1")
        await conn.close()


async def degraded() -> bool:
    return REGISTRY.get_sample_value("furthest_degraded", {"part": "toy"}) == 1


@pytest.mark.invariant(1)
async def test_what_arrives_while_postgres_is_away_takes_effect_when_it_is_back(toy: Toy) -> None:
    async with toy.running():
        await toy.write(withdrawn())
        await eventually(toy.effects, lambda seen: len(seen) == 1)
        async with postgres_away(toy):
            await toy.write(withdrawn())
            await eventually(degraded, bool, within=60)
        await eventually(toy.effects, lambda seen: len(seen) == 2, within=60)
        await eventually(degraded, lambda it_is: not it_is)


@pytest.mark.invariant(1)
async def test_partitions_assigned_while_postgres_is_away_are_read_when_it_is_back(toy: Toy) -> None:
    await toy.write(withdrawn(), withdrawn(), withdrawn())
    async with contextlib.AsyncExitStack() as stack:
        async with postgres_away(toy):
            await stack.enter_async_context(toy.consuming())
            await eventually(degraded, bool, within=60)
        await eventually(toy.effects, lambda seen: len(seen) == 3, within=60)


async def test_health_counts_what_waits_for_kafka_also_while_the_relay_does(toy: Toy) -> None:
    health = Health("toy", toy.database)
    await toy.database.execute(
        "insert into outbox (topic, key, headers, value, said_at) values ('t', 'k', '', 'v', now() - interval '60 s')"
    )
    _, body = await health.ready()
    assert (body["unsent"], body["unsent_age_seconds"] >= 60, "outbox" in body["degraded"]) == (1, True, True)
    await toy.database.execute("delete from outbox")
    _, body = await health.ready()
    assert (body["unsent"], body["unsent_age_seconds"], "outbox" in body["degraded"]) == (0, 0.0, False)


async def test_a_consumer_that_found_its_place_again_is_well_also_where_nothing_new_comes(toy: Toy) -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with postgres_away(toy):
            await stack.enter_async_context(toy.consuming())
            await eventually(degraded, bool, within=60)
        await eventually(degraded, lambda it_is: not it_is, within=60)


class Unanswered:
    """A producer whose Kafka answers no more: nothing is acknowledged, and the end waits for that."""

    sent: ClassVar[asyncio.Event]
    back: ClassVar[asyncio.Event]

    def __init__(self, **_options: Any) -> None: ...

    async def start(self) -> None: ...

    async def send(self, *_record: Any, **_more: Any) -> "asyncio.Future[None]":
        self.sent.set()
        return asyncio.get_running_loop().create_future()

    async def stop(self) -> None:
        await self.back.wait()


async def test_a_relay_ends_when_it_is_told_to_also_while_kafka_is_away(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    Unanswered.sent, Unanswered.back = asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(relay, "AIOKafkaProducer", Unanswered)
    monkeypatch.setattr(relay, "STOP_WITHIN", 0.1)
    await toy.database.execute(
        "insert into outbox (topic, key, headers, value, said_at) values ('t', 'k', repeat(E'\\n', 8), 'v', now())"
    )
    relaying = asyncio.create_task(relay.Relay(toy.settings.database, toy.settings.kafka, "toy").run())
    await asyncio.wait_for(Unanswered.sent.wait(), 60)
    relaying.cancel()
    done, _ = await asyncio.wait([relaying], timeout=20)
    Unanswered.back.set()
    assert done, "it goes on"
    assert relaying.cancelled()
    assert await toy.unsent() == 1
