"""Reads what stands in a topic of one partition, for somebody who asks; no consumer group, nothing is committed."""

import asyncio
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.envelope import Record
from chassis.kafka import client_options
from chassis.settings import KafkaSettings
from chassis.waiting import unbroken

READ_WITHIN: Final = 2.0


class BeyondTheEnd(Exception):
    """The offset was never written."""


@dataclass(frozen=True, slots=True)
class Page:
    """Records in their order, and the offset of the last one looked at: what to ask after next."""

    records: list[Record]
    last: int


async def read_after(settings: KafkaSettings, client_id: str, topic: str, after: int, limit: int) -> Page:
    """At most `limit` records behind the offset `after`; -1 asks for all that are kept.

    Raises BeyondTheEnd, and what `is_unavailable` where Kafka does not answer in time.
    """
    partition = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(**client_options(settings, client_id), fetch_max_wait_ms=100)
    try:
        async with asyncio.timeout(READ_WITHIN):
            await unbroken(consumer.start())
            consumer.assign([partition])
            first = (await consumer.beginning_offsets([partition]))[partition]
            end = (await consumer.end_offsets([partition]))[partition]
            if after >= end and after >= 0:
                raise BeyondTheEnd
            return await _read(consumer, partition, max(first, after + 1), end, limit)
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, partition: TopicPartition, start: int, end: int, limit: int) -> Page:
    records: list[Record] = []
    consumer.seek(partition, start)
    while (position := await consumer.position(partition)) < end and len(records) < limit:
        polled = await consumer.getmany(partition, timeout_ms=200, max_records=limit - len(records))
        records += polled.get(partition, [])
    return Page(records, position - 1)
