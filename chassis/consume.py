"""From Kafka records to a batch: FastStream polls, we decode, `work` commits, and the stored offset decides."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber
from pydantic import ValidationError

from chassis import delivery
from chassis.delivery import Advance, DeadLetter, Partition
from chassis.envelope import Envelope, Event, Record, read, record_time
from chassis.errors import Fenced, Refused, Stopped, field_errors, is_unavailable, refuse
from chassis.facts import Fact, refusal
from chassis.failpoints import failpoint
from chassis.ids import uuid7
from chassis.logs import logger
from chassis.metrics import DEGRADED, LAG
from chassis.work import Batch, Worker
from contracts.message import MESSAGES, Message
from contracts.topics import INBOX_PATTERN, partner_of

log = logger("consume")

POLL_RECORDS = 1000
LONGEST_WAIT = 30.0
SUBMISSION_ID = refuse(
    "id",
    "id-form",
    "The id of a message is 1 to 64 letters, digits, dots, dashes, colons or underscores.",
    "Use a UUID, or a number of your own system; never a name.",
)

Prepare = Callable[[Message], Message]
"""Opens and checks one partner's message outside the transaction. Raises Refused."""


def is_submission_id(text: str) -> bool:
    return 0 < len(text) <= 64 and all(c.isascii() and (c.isalnum() or c in "._:-") for c in text)


def partner_event(
    partner: str, submission_id: str, data: Message, type_: str, time: Any, record: Record | None = None
) -> Event[Message]:
    """A partner's message as an event. Its correlation is ours, so that no text of the partner travels on."""
    source = f"/partners/{partner}"
    correlation = str(uuid7(time, source, submission_id))
    return Event(submission_id, source, type_, time, data.key(), source, data, correlation, partner, record)


@dataclass(slots=True)
class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """One consumer group of a service: facts on named topics, or every partner's inbox.

    `models` are the types it handles, by CloudEvents type. `answers_unknown` marks the one service that
    refuses what no service knows; the others pass over it.
    """

    worker: Worker
    name: str
    models: Mapping[str, type[Message]]
    topics: Sequence[str] = ()
    prepare: Mapping[str, Prepare] = field(default_factory=dict)
    answers_unknown: bool = False
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
            await self._seek_stored([(p.topic, p.partition) for p in assigned])

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
                batch = self._batch([r for r in records if self._is_next(r)])
                if batch.advances:
                    await self.worker.run(batch)
                    self.positions.update({p: move.next for p, move in batch.advances.items()})
                self._went_well()
            except Stopped as why:
                self.stop(why)
            except Fenced:
                log.warning("fenced", consumer=self.name)
                await self._back()
            except Exception as error:
                if not is_unavailable(error):
                    log.error("poll_failed", consumer=self.name, exc_info=error)
                await self._back()
                await self._wait(error)
        failpoint("before-offset-commit")

    def _is_next(self, record: Record) -> bool:
        return record.offset >= self.positions.get((record.topic, record.partition), record.offset + 1)

    async def _back(self) -> None:
        """Whatever was fetched is read again from the stored offset. Without the database, wait for it."""
        held = list(self.positions)
        self.positions.clear()
        try:
            await self._seek_stored(held)
        except Exception as error:  # noqa: BLE001 - the assignment is asked for again by the next poll
            log.warning("offsets_unavailable", consumer=self.name, error=type(error).__name__)
            self.positions.update(dict.fromkeys(held, -1))

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
            result = self._decode(record)
            match result:
                case Event():
                    events.append(result)
                case Fact():
                    refused.append(result)
                case DeadLetter():
                    unreadable.append(result)
        return Batch(self.name, events, refused, unreadable, advances)

    def _decode(self, record: Record) -> Event[Any] | Fact | DeadLetter | None:
        partner = partner_of(record.topic)
        try:
            envelope = read(record)
        except ValueError as rule:
            return self._bad_envelope(record, partner, str(rule))
        model = self.models.get(envelope.type)
        if model is None:
            return self._unknown(record, partner, envelope) if self.answers_unknown and partner else None
        if partner:
            return self._submission(record, partner, envelope, model)
        return self._fact(record, envelope, model)

    def _fact(self, record: Record, envelope: Envelope, model: type[Message]) -> Event[Any] | DeadLetter:
        try:
            data = model.model_validate_json(envelope.data, extra="ignore")
            event_id = str(UUID(envelope.id))
        except ValidationError as error:
            first = field_errors(error)[0]
            return self._letter(record, envelope, first.rule, first.field)
        except ValueError:
            return self._letter(record, envelope, "id-is-no-uuid", "id")
        key = (record.key or b"").decode(errors="replace")
        return Event(
            event_id,
            envelope.source,
            envelope.type,
            record_time(record),
            key,
            key,
            data,
            envelope.correlation,
            None,
            record,
        )

    def _submission(self, record: Record, partner: str, envelope: Envelope, model: type[Message]) -> Event[Any] | Fact:
        time = record_time(record)
        bare = Event(envelope.id, f"/partners/{partner}", envelope.type, time, "", "", model.model_construct(), "")
        if not is_submission_id(envelope.id):
            return _refused_unread(record, partner, SUBMISSION_ID)
        try:
            data = model.model_validate_json(envelope.data)
            prepare = self.prepare.get(envelope.type)
            data = prepare(data) if prepare else data
        except ValidationError as error:
            return _refused_unread(record, partner, *field_errors(error), submission_id=bare.id)
        except Refused as error:
            return _refused_unread(record, partner, *error.errors, submission_id=bare.id)
        return partner_event(partner, envelope.id, data, envelope.type, time, record)

    def _bad_envelope(self, record: Record, partner: str | None, rule: str) -> Fact | DeadLetter | None:
        if partner and not self.answers_unknown:
            return None
        if not partner:
            return self._letter(record, None, rule, "headers")
        mend = "Send a CloudEvent: headers ce_specversion 1.0, ce_id, ce_source and ce_type, in UTF-8; data as JSON."
        return _refused_unread(record, partner, refuse("headers", rule, "The record is no CloudEvent.", mend))

    def _unknown(self, record: Record, partner: str, envelope: Envelope) -> Fact | None:
        known = MESSAGES.get(envelope.type)
        if known is not None and known.spec.consumers and known.spec.topic.startswith("partners."):
            return None
        mend = "Use a type from the list of messages for partners."
        error = refuse("type", "unknown-type", "There is no message of this type.", mend)
        named = envelope.id if is_submission_id(envelope.id) else None
        return _refused_unread(record, partner, error, submission_id=named)

    def _letter(self, record: Record, envelope: Envelope | None, rule: str, name: str) -> DeadLetter:
        return DeadLetter(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            key=(record.key or b"").decode(errors="replace")[:200],
            type=envelope.type if envelope and envelope.type in MESSAGES else None,
            event_id=None,
            kind="unreadable",
            rule=rule,
            field=name,
            sealed=self.worker.sealer.seal(record.value or b""),
            attempts=1,
        )


def _refused_unread(record: Record, partner: str, *errors: Any, submission_id: str | None = None) -> Fact:
    """The answer to a message of which not more than its place and perhaps its id is known."""
    source = f"/partners/{partner}"
    time = record_time(record)
    place = f"{record.topic}/{record.partition}/{record.offset}"
    correlation = str(uuid7(time, source, place))
    cause: Event[Any] = Event(
        submission_id or "", source, "", time, place, source, Message.model_construct(), correlation, partner, record
    )
    return refusal(cause, *errors)


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
