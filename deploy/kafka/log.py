"""The log as a witness: what topics hold, record by record, and whether every consumer has read it all."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg
from confluent_kafka import Consumer, KafkaError, TopicPartition

from chassis.settings import KafkaSettings
from deploy.errors import DeployError
from deploy.kafka.client import QUIET, options

LOOK_EVERY: Final = 0.5

Ends = dict[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Log:
    """Reads Kafka as its administrator."""

    kafka: KafkaSettings

    def _consumer(self) -> Consumer:
        group = {"group.id": "furthest-witness", "enable.auto.commit": False, "enable.partition.eof": True}
        return Consumer({**options(self.kafka), **group}, logger=QUIET)

    def read(self, topic: str, since: datetime | None = None) -> Iterator[Any]:
        """The records of a topic from a time on, or all; those of a partition, and so of a key, in their order."""
        consumer = self._consumer()
        try:
            partitions = len(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
            first = int(since.timestamp() * 1000) if since else 0
            wanted = [TopicPartition(topic, number, first) for number in range(partitions)]
            consumer.assign(consumer.offsets_for_times(wanted, timeout=10))
            ended = 0
            while ended < partitions:
                for message in consumer.consume(1000, 0.2):
                    error = message.error()
                    ended += error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001 - its name
                    if error is None:
                        yield message
        finally:
            consumer.close()

    def ends(self) -> Ends:
        """The end of every partition that is not Kafka's own."""
        consumer = self._consumer()
        try:
            topics = consumer.list_topics(timeout=10).topics
            return {
                (name, number): int(consumer.get_watermark_offsets(TopicPartition(name, number), timeout=10)[1])
                for name, topic in topics.items()
                if not name.startswith("__")
                for number in topic.partitions
            }
        finally:
            consumer.close()


async def left_to_do(database: str, ends: Ends) -> int:
    """Records not read, facts not sent, and work that is due: 0 where a service is at rest, never before it reads."""
    conn = await asyncpg.connect(database)
    try:
        offsets = await conn.fetch("select topic, partition, next_offset from consumer_offset")
        waiting = await conn.fetchval(
            """select (select count(*) from outbox)
                    + (select count(*) from errand where not_before < now() + interval '60 seconds')
                    + (select count(*) from due where due_at < now() + interval '60 seconds')"""
        )
    finally:
        await conn.close()
    unread = sum(max(0, ends.get((row["topic"], row["partition"]), 0) - row["next_offset"]) for row in offsets)
    return int(waiting) + int(unread) + (not offsets)


async def come_to_rest(
    log: Log,
    databases: Iterable[str],
    heard: Callable[[], Mapping[str, int]],
    within: float,
    watch: Callable[[int], None] = lambda left: None,
) -> None:
    """Waits until nothing is left to do anywhere, and meanwhile nothing new was said. Raises DeployError.

    `heard` is how many records of its outbox each partner has read. A look takes its time, and what moves on during
    one look can pass it unseen: three in a row must agree.
    """
    deadline, quiet, left, before = time.monotonic() + within, 0, -1, dict[tuple[str, int], int]()
    while quiet < 3:
        if time.monotonic() > deadline:
            raise DeployError(f"The services did not come to rest: {left} things are left to do. See the logs.")
        ends = await asyncio.to_thread(log.ends)
        left = sum([await left_to_do(database, ends) for database in databases])
        left += sum(max(0, ends[outbox, 0] - number) for outbox, number in heard().items())
        watch(left)
        quiet = quiet + 1 if left == 0 and ends == before else 0
        before = ends
        await asyncio.sleep(LOOK_EVERY)
