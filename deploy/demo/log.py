"""The log as a witness: everything that topics hold, and whether every consumer has read it all."""

import json
from dataclasses import dataclass
from typing import Any

import asyncpg
from confluent_kafka import Consumer, TopicPartition

from contracts.catalogue import TOPICS
from deploy.kafka.client import QUIET, settings


@dataclass(frozen=True, slots=True)
class Line:
    """A fact in the log. `id` is the CloudEvents id."""

    id: str
    type: str
    key: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Log:
    """Reads Kafka as its administrator."""

    bootstrap: str
    user: str
    password: str

    def _consumer(self) -> Consumer:
        options = settings(self.bootstrap, self.user, self.password)
        group = {"group.id": "furthest-witness", "enable.auto.commit": False, "enable.partition.eof": True}
        return Consumer({**options, **group}, logger=QUIET)

    def read(self, topic: str) -> list[Line]:
        partitions = next(t.partitions for t in TOPICS if t.name == topic)
        consumer = self._consumer()
        try:
            consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
            lines: list[Line] = []
            ended = 0
            while ended < partitions:
                for message in consumer.consume(1000, 0.2):
                    if message.error():
                        ended += 1
                    else:
                        lines.append(_line(message))
            return lines
        finally:
            consumer.close()

    def ends(self) -> dict[tuple[str, int], int]:
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


def _line(message: Any) -> Line:
    headers = {name: value.decode() for name, value in message.headers() or ()}
    key = (message.key() or b"").decode()
    return Line(headers["ce_id"], headers["ce_type"].split(".")[2], key, json.loads(message.value()))


async def left_to_do(database: str, ends: dict[tuple[str, int], int]) -> int:
    """Records not read, facts not sent, and work that is due: 0 where a service is at rest."""
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
    return int(waiting) + int(unread)
