"""What must be true before one record is read, what a consumer does that falls silent, and how it ends."""

import asyncio
import itertools
from collections.abc import Awaitable
from uuid import uuid4

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.metadata import MetadataRequest
from pydantic import SecretStr

from chassis import cluster, kafka
from chassis.consume import Consumer
from chassis.errors import Stopped
from chassis.service import stop_consuming
from chassis.settings import KafkaSettings
from chassis.watch import SILENT_AFTER, Watch
from contracts.referrals import ReferralClosed
from deploy.embedded.ports import free_port
from tests.chassis.conftest import Toy
from tests.support import NOON, eventually


def closed() -> ReferralClosed:
    return ReferralClosed(referral_id=uuid4(), at=NOON)


async def test_offsets_of_another_cluster_are_not_used(toy: Toy) -> None:
    await toy.database.execute("insert into kafka_cluster values ('another', now())")
    await toy.write(closed())
    async with toy.running():
        (why,) = await eventually(lambda: _seen(toy), bool)
    assert "the stored offsets are of cluster another" in str(why)
    assert await toy.effects() == []


async def test_the_first_start_keeps_which_cluster_it_is_and_the_next_agrees(toy: Toy) -> None:
    for _ in range(2):
        await cluster.check(toy.servers.kafka, "test", {toy.topic: 2}, toy.database, NOON)
    assert await toy.database.fetchval("select count(*) from kafka_cluster") == 1


async def test_a_topic_with_another_number_of_partitions_is_not_read(toy: Toy) -> None:
    with pytest.raises(Stopped, match="has 2 partitions and should have 3"):
        await cluster.check(toy.servers.kafka, "test", {toy.topic: 3}, toy.database, NOON)


async def test_records_deleted_before_they_were_read_stop_the_consumer_with_a_reason(toy: Toy) -> None:
    async with toy.consuming():
        await toy.write(closed())
        await eventually(toy.effects, lambda seen: len(seen) == 1)
    await toy.database.execute("update consumer_offset set next_offset = 0")
    await toy.write(*(closed() for _ in range(20)))
    for partition in range(2):
        toy.servers.admin.delete_records(toy.topic, partition, 2)
    async with toy.consuming():
        (why,) = await eventually(lambda: _seen(toy), bool)
    assert "records were deleted before they were read" in str(why)


async def _seen(toy: Toy) -> list[Stopped]:
    return list(toy.stopped)


async def test_a_group_that_kafka_has_forgotten_goes_on_from_the_stored_offset(toy: Toy) -> None:
    """Kafka forgets the offsets of a group that is empty for a week, and would read everything again."""
    async with toy.consuming():
        await toy.write(closed(), closed(), closed())
        await eventually(toy.effects, lambda seen: len(seen) == 3)
    toy.servers.admin.delete_group("toy")
    async with toy.consuming():
        await toy.write(closed())
        await eventually(toy.effects, lambda seen: len(seen) == 4)


async def test_a_consumer_that_fell_silent_is_started_again(toy: Toy) -> None:
    async with toy.consuming() as consumer:
        await toy.write(closed())
        await eventually(toy.effects, lambda seen: len(seen) == 1)
        watch = Watch([consumer], silent_after=0.2, again_after=0.5)
        await _silence(consumer)
        await toy.write(closed())

        async def looked() -> bool:
            await watch.once()
            return _polls(consumer)

        await eventually(looked, bool)
        await eventually(toy.effects, lambda seen: len(seen) == 2)


def _polls(consumer: Consumer) -> bool:
    return consumer.subscriber is not None and not all(task.done() for task in consumer.subscriber.tasks)


async def _silence(consumer: Consumer) -> None:
    """Its loop ends as by a bug of a library: without an error, and without anybody to see it."""
    assert consumer.subscriber
    for task in consumer.subscriber.tasks:
        task.cancel()
    await asyncio.wait(consumer.subscriber.tasks)


async def test_a_consumer_that_has_nothing_to_read_is_not_silent(toy: Toy) -> None:
    async with toy.consuming() as consumer:
        await toy.write(closed())
        await eventually(toy.effects, lambda seen: len(seen) == 1)

        async def alive() -> bool:
            return consumer.is_alive()

        for _ in range(3):
            await eventually(alive, bool, within=SILENT_AFTER)


async def test_any_of_several_addresses_of_kafka_will_do(toy: Toy) -> None:
    nobody_there = f"127.0.0.1:{free_port()}"
    several = {"kafka_bootstrap": f"{nobody_there},{toy.settings.kafka_bootstrap}"}
    toy.settings = toy.settings.model_copy(update=several)
    await toy.write(closed())
    async with toy.running():
        await eventually(toy.effects, lambda seen: len(seen) == 1)


async def test_a_service_ends_also_where_kafka_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.service.LEAVE_WITHIN", 0.05)
    broker = kafka.broker(KafkaSettings(bootstrap="", user="", password=SecretStr("")), "test")
    monkeypatch.setattr(broker, "stop", asyncio.Event().wait)
    await asyncio.wait_for(stop_consuming(broker, []), 5)


@pytest.mark.parametrize("asked", range(1, 6))
async def test_whoever_is_told_to_end_while_it_starts_leaves_no_connection_open(
    asked: int, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiokafka forgets the connection that it asks for the cluster over when a start is broken off there."""
    opened: list[AIOKafkaConnection] = []
    there, answer = asyncio.Event(), asyncio.Event()
    send = AIOKafkaConnection.send

    async def late(self: AIOKafkaConnection, request: MetadataRequest) -> object:
        await answer.wait()
        return await send(self, request)

    def ask(self: AIOKafkaConnection, request: object, *more: bool, **options: bool) -> Awaitable[object]:
        opened.append(self)
        if not isinstance(request, MetadataRequest) or there.is_set() or next(questions) < asked:
            answered: Awaitable[object] = send(self, request, *more, **options)
            return answered
        there.set()
        return asyncio.ensure_future(late(self, request))

    questions = itertools.count(1)
    monkeypatch.setattr(AIOKafkaConnection, "send", ask)
    async with toy.running():
        await asyncio.wait_for(there.wait(), 60)
        asyncio.get_running_loop().call_later(0.1, answer.set)
    assert [str(connection) for connection in opened if connection.connected()] == []
