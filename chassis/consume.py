"""From Kafka records to a batch: FastStream polls, we decode, `work` commits, and the stored offset decides."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber

from chassis import delivery
from chassis.decode import Decoder
from chassis.delivery import Advance, DeadLetter, Partition
from chassis.envelope import Event, Record
from chassis.errors import Fenced, Stopped, is_unavailable
from chassis.facts import Fact
from chassis.failpoints import failpoint
from chassis.logs import logger
from chassis.metrics import DEGRADED, LAG
from chassis.work import Batch, Worker
from contracts.topics import INBOX_PATTERN

log = logger("consume")

POLL_RECORDS = 1000
LONGEST_WAIT = 30.0


@dataclass(slots=True)
class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """One consumer group of a service: facts on named topics, or every partner's inbox where none is named."""

    worker: Worker
    name: str
    decoder: Decoder
    topics: Sequence[str] = ()
    stop: Callable[[Stopped], None] = lambda why: None
    positions: dict[Partition, int] = field(default_factory=dict)
    subscriber: BatchSubscriber | None = None
    failures: int = 0
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    def subscribe(self, broker: KafkaBroker) -> BatchSubscriber:
        """Declares the FastStream subscriber, by the only settings under which nothing is lost in silence."""
        self.subscriber = broker.subscriber(
            *self.topics,
            pattern=None if self.topics else INBOX_PATTERN,
            group_id=self.name,
            batch=True,
            max_records=POLL_RECORDS,
            batch_timeout_ms=15,
            ack_policy=AckPolicy.NACK_ON_ERROR,
            auto_offset_reset="earliest",
            session_timeout_ms=10_000,
            heartbeat_interval_ms=3_000,
            rebalance_timeout_ms=45_000,
            fetch_max_wait_ms=100,
            listener=self,
            parser=_keep_records,
            decoder=_records,
            no_reply=True,
        )
        self.subscriber(self.poll)
        return self.subscriber

    @property
    def kafka(self) -> AIOKafkaConsumer:
        if self.subscriber is None or self.subscriber.consumer is None:
            raise Stopped(f"consumer {self.name} is not running")
        return self.subscriber.consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        async with self._busy:
            for partition in revoked:
                self.positions.pop((partition.topic, partition.partition), None)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        async with self._busy:
            try:
                await self._seek_stored([(p.topic, p.partition) for p in assigned])
            except Exception as error:  # noqa: BLE001 - the next poll asks again
                log.warning("offsets_unavailable", consumer=self.name, error=type(error).__name__)

    def _unplaced(self) -> list[Partition]:
        """Partitions of ours whose stored offset could not be read yet."""
        assigned = {(p.topic, p.partition) for p in self.kafka.assignment()}
        return sorted(assigned - self.positions.keys())

    async def _seek_stored(self, partitions: Sequence[Partition]) -> None:
        if not partitions:
            return
        async with self.worker.database.acquire() as conn:
            stored = await delivery.stored_offsets(conn, self.name, partitions)
        ends = await self.kafka.end_offsets([TopicPartition(*partition) for partition in partitions])
        for partition, offset in stored.items():
            if offset > ends[TopicPartition(*partition)]:
                self.stop(Stopped(_beyond_the_log(self.name, partition, offset, ends[TopicPartition(*partition)])))
                return
            self.positions[partition] = offset
            self.kafka.seek(TopicPartition(*partition), offset)

    async def poll(self, records: Sequence[ConsumerRecord]) -> None:
        """Takes one poll to its commit, or seeks back to what is stored and waits."""
        async with self._busy:
            try:
                known = set(self.positions)
                await self._seek_stored(self._unplaced())
                batch = self._batch([r for r in records if (r.topic, r.partition) in known and self._is_next(r)])
                if batch.advances:
                    await self.worker.run(batch)
                    self.positions.update({p: move.next for p, move in batch.advances.items()})
                self._went_well()
            except Stopped as why:
                self.stop(why)
            except Fenced:
                log.warning("fenced", consumer=self.name)
                await self._back(records)
            except Exception as error:
                if not is_unavailable(error):
                    log.error("poll_failed", consumer=self.name, exc_info=error)
                await self._back(records)
                await self._wait(error)
        failpoint("before-offset-commit")

    def _is_next(self, record: Record) -> bool:
        return record.offset >= self.positions.get((record.topic, record.partition), record.offset + 1)

    async def _back(self, records: Sequence[ConsumerRecord]) -> None:
        """Whatever was fetched is read again: from the stored offset, or without the database from where it was,
        so that the next poll comes even where nobody sends anything more."""
        self.positions.clear()
        try:
            await self._seek_stored(self._unplaced())
        except Exception as error:  # noqa: BLE001 - the next poll asks again
            log.warning("offsets_unavailable", consumer=self.name, error=type(error).__name__)
            self.positions.clear()
            self._refetch(records)

    def _refetch(self, records: Sequence[ConsumerRecord]) -> None:
        first = {TopicPartition(record.topic, record.partition): record.offset for record in reversed(records)}
        for partition in first.keys() & self.kafka.assignment():
            self.kafka.seek(partition, first[partition])

    async def _wait(self, error: BaseException) -> None:
        self.failures += 1
        DEGRADED.labels(part=self.name).set(1)
        pause = min(LONGEST_WAIT, 0.1 * 2 ** min(self.failures, 9)) * random.uniform(0.5, 1)  # noqa: S311 - jitter
        log.warning("unavailable", consumer=self.name, error=type(error).__name__, pause=round(pause, 2))
        await asyncio.sleep(pause)

    def _went_well(self) -> None:
        if self.failures:
            DEGRADED.labels(part=self.name).set(0)
        self.failures = 0
        for topic, partition in self.positions:
            kafka_partition = TopicPartition(topic, partition)
            end = self.kafka.highwater(kafka_partition)
            if end is not None:
                lag = max(0, end - self.positions[topic, partition])
                LAG.labels(consumer=self.name, topic=topic, partition=partition).set(lag)

    def _batch(self, records: Sequence[ConsumerRecord]) -> Batch:
        events: list[Event[Any]] = []
        refused: list[Fact] = []
        unreadable: list[DeadLetter] = []
        advances: dict[Partition, Advance] = {}
        for record in records:
            partition = (record.topic, record.partition)
            expected = advances[partition].expected if partition in advances else self.positions[partition]
            advances[partition] = Advance(expected, record.offset + 1)
            result = self.decoder.decode(record)
            match result:
                case Event():
                    events.append(result)
                case Fact():
                    refused.append(result)
                case DeadLetter():
                    unreadable.append(result)
        return Batch(self.name, events, refused, unreadable, advances)


def _beyond_the_log(consumer: str, partition: Partition, offset: int, end: int) -> str:
    return (
        f"{consumer} has read {partition[0]}/{partition[1]} up to {offset}, but the log ends at {end}: "
        "the log was lost or this is another cluster. Restore the log, or reset the stored offsets on purpose."
    )


async def _keep_records(records: tuple[ConsumerRecord, ...], original: Any) -> Any:
    """FastStream's parser would drop a batch for one header that is no UTF-8: it gets to see none."""
    first = records[0]
    parsed = await original((_bare(first),))
    parsed.raw_message = records
    return parsed


def _bare(record: ConsumerRecord) -> ConsumerRecord:
    return ConsumerRecord(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.timestamp_type,
        None,
        b"",
        None,
        0,
        0,
        (),
    )


async def _records(message: Any) -> Any:
    return message.raw_message
