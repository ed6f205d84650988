"""From Kafka records to a batch: FastStream polls, we decode, `work` commits, and the stored offset decides."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber

from chassis import delivery
from chassis.dead_letters import DeadLetter
from chassis.decode import Decoder
from chassis.delivery import Advance, Partition
from chassis.envelope import Event
from chassis.errors import Fenced, Stopped, is_unavailable
from chassis.facts import Fact
from chassis.failpoints import failpoint, off
from chassis.logs import logger
from chassis.metrics import DEGRADED, LAG
from chassis.quota import Quota
from chassis.subscription import subscribe
from chassis.waiting import happened
from chassis.work import Batch, Worker

log = logger("consume")

LONGEST_WAIT: Final = 30.0
SEEK_WITHIN: Final = 5.0
BETWEEN_LOOKS: Final = 20
"""Records decoded before the poll in hand may go on."""


@dataclass(slots=True)
class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """One consumer group of a service: facts on named topics, or every partner's inbox where none is named.

    While one poll is committed, the next is fetched and decoded. Nothing rests on that: a batch names the offsets
    that it goes on from, and the database compares them with those it has stored.
    """

    worker: Worker
    name: str
    decoder: Decoder
    topics: Sequence[str] = ()
    stop: Callable[[Stopped], None] = lambda why: None
    quota: Quota | None = None
    positions: dict[Partition, int] = field(default_factory=dict)
    subscriber: BatchSubscriber | None = None
    failures: int = 0
    brakes: int = 0
    _in_hand: "asyncio.Task[None] | None" = None
    _answered: int = 0
    _seeks: int = 0
    _give_up: asyncio.Event = field(default_factory=asyncio.Event)

    def subscribe(self, broker: KafkaBroker) -> None:
        self.subscriber = subscribe(broker, self.name, self.topics, self)
        self.subscriber(self.poll)

    @property
    def kafka(self) -> AIOKafkaConsumer | None:
        return self.subscriber.consumer if self.subscriber else None

    def is_alive(self) -> bool:
        """Whether it polls, and since the last time it was asked, Kafka answered; an empty answer will do."""
        if self.kafka is None or self.subscriber is None or all(task.done() for task in self.subscriber.tasks):
            return False
        if self._in_hand and not self._in_hand.done():
            return True
        reads = self.kafka.assignment() - {TopicPartition(*p) for p in (self.quota.resting if self.quota else ())}
        before, self._answered = self._answered, max((self.kafka.last_poll_timestamp(p) or 0 for p in reads), default=0)
        return not reads or self._answered != before

    async def restart(self) -> None:
        if self.subscriber:
            await self.drain()
            await self.subscriber.stop()
            await self.subscriber.start()

    async def poll(self, records: Sequence[ConsumerRecord]) -> None:
        """Decodes one poll while the one before is committed, and then has it committed.

        What was fetched before the last seek is read again from there.
        """
        seeks = self._seeks
        try:
            batch = await self._decode(self._within_quota(records))
        except Stopped as why:
            self.stop(why)
            return
        await self.settled()
        if seeks == self._seeks:
            self._in_hand = asyncio.create_task(self._commit(batch))
        failpoint("before-offset-commit")

    async def settled(self) -> None:
        """Waits for the poll that is being committed."""
        if self._in_hand:
            await self._in_hand

    async def drain(self) -> None:
        """Waits for the poll in hand, but not for servers that are away: what is not committed is read again."""
        self._give_up.set()
        await self.settled()
        self._give_up.clear()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        failpoint("during-rebalance")
        await self.drain()
        for partition in revoked:
            self.positions.pop((partition.topic, partition.partition), None)
            LAG.remove(self.name, *partition)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        failpoint("during-rebalance")
        await self.settled()
        self._in_hand = asyncio.create_task(self._back())
        await asyncio.wait([self._in_hand], timeout=SEEK_WITHIN)

    async def _commit(self, batch: Batch) -> None:
        """Commits a batch, however long servers are away; one that does not follow on what is stored is dropped."""
        while batch.advances and not await self._committed(batch):
            pass

    async def _committed(self, batch: Batch) -> bool:
        """Tries once; false where it is to be tried again."""
        try:
            await self.worker.run(batch)
        except Fenced:
            log.warning("fenced", consumer=self.name)
            await self._back()
        except Exception as error:  # noqa: BLE001 - both kinds are waited for and told
            if is_unavailable(error):
                return not await self._wait(error)
            await self._brake(error)
            await self._back()
        else:
            self._went_well(batch)
        return True

    async def _back(self) -> None:
        """Goes on from the offsets that are stored."""
        while True:
            try:
                await self._seek_stored()
                self._is_back()
                return
            except Stopped as why:
                self.stop(why)
                return
            except Exception as error:  # noqa: BLE001 - asked again until there is an answer
                log.warning("offsets_unavailable", consumer=self.name, error=type(error).__name__)
                if not await self._wait(error):
                    return

    async def _seek_stored(self) -> None:
        kafka = self.kafka
        assigned = sorted(kafka.assignment()) if kafka else []
        if not kafka or not assigned:
            return
        begins, ends = await kafka.beginning_offsets(assigned), await kafka.end_offsets(assigned)
        offered = {(p.topic, p.partition): begins[p] for p in assigned}
        async with self.worker.database.acquire() as conn:
            stored = await delivery.stored_positions(conn, self.name, offered, self.worker.clock())
        for partition, position in stored.items():
            at = TopicPartition(*partition)
            if not begins[at] <= position.next <= ends[at]:
                raise Stopped(_outside_the_log(self.name, partition, position.next, begins[at], ends[at]))
        if off("offset-row"):
            return
        self._seeks += 1
        for partition in stored.keys() & {(p.topic, p.partition) for p in kafka.assignment()}:
            self.positions[partition] = stored[partition].next
            if self.quota:
                self.quota.begin(partition, stored[partition].day_began)
                kafka.resume(TopicPartition(*partition))
            kafka.seek(TopicPartition(*partition), stored[partition].next)

    async def _brake(self, error: Exception) -> None:
        """Everything fails on our own code: that is no poison, and to bury it all would help nobody."""
        self.brakes += 1
        DEGRADED.labels(part=f"{self.name}-brake").set(1)
        log.error("braked", consumer=self.name, exc_info=error)
        await self._pause(self.brakes)

    async def _wait(self, error: BaseException) -> bool:
        """Pauses, longer each time; false where the partitions are wanted back meanwhile."""
        self.failures += 1
        DEGRADED.labels(part=self.name).set(1)
        log.warning("unavailable", consumer=self.name, error=type(error).__name__, times=self.failures)
        return await self._pause(self.failures)

    async def _pause(self, times: int) -> bool:
        pause = min(LONGEST_WAIT, 0.1 * 2 ** min(times, 9)) * random.uniform(0.5, 1)  # noqa: S311 - jitter
        return not await happened(self._give_up, pause)

    def _is_back(self) -> None:
        if self.failures:
            DEGRADED.labels(part=self.name).set(0)
        self.failures = 0

    def _went_well(self, batch: Batch) -> None:
        self._is_back()
        if self.brakes:
            DEGRADED.labels(part=f"{self.name}-brake").set(0)
        self.brakes = 0
        self.positions.update({partition: move.next for partition, move in batch.advances.items()})

    def _within_quota(self, records: Sequence[ConsumerRecord]) -> Sequence[ConsumerRecord]:
        if self.quota is None or self.kafka is None:
            return records
        kept, rest = self.quota.cut(records)
        for partition, offset in rest.items():
            log.warning("quota_reached", consumer=self.name, topic=partition[0], quota=self.quota.records)
            self.kafka.pause(TopicPartition(*partition))
            self.kafka.seek(TopicPartition(*partition), offset)
        return kept

    def look(self) -> None:
        """What is due every second: inboxes go on whose quota is of a day that is over, and lag is measured."""
        if self.kafka is None:
            return
        assigned = self.kafka.assignment()
        for partition in self.quota.rested() if self.quota else ():
            if TopicPartition(*partition) in assigned:
                self.kafka.resume(TopicPartition(*partition))
        DEGRADED.labels(part=f"{self.name}-quota").set(bool(self.quota and self.quota.resting))
        for topic, partition in assigned:
            end, at = self.kafka.highwater(TopicPartition(topic, partition)), self.positions.get((topic, partition))
            if end is not None and at is not None:
                LAG.labels(consumer=self.name, topic=topic, partition=partition).set(max(0, end - at))

    async def _decode(self, records: Sequence[ConsumerRecord]) -> Batch:
        events: list[Event[Any]] = []
        refused: list[Fact] = []
        unreadable: list[DeadLetter] = []
        begins: dict[Partition, int] = {}
        ends: dict[Partition, int] = {}
        for nth, record in enumerate(records, 1):
            partition = (record.topic, record.partition)
            begins.setdefault(partition, record.offset)
            ends[partition] = record.offset + 1
            match self.decoder.decode(record):
                case Event() as event:
                    events.append(event)
                case Fact() as answer:
                    refused.append(answer)
                case DeadLetter() as letter:
                    unreadable.append(letter)
            if nth % BETWEEN_LOOKS == 0:
                await asyncio.sleep(0)
        advances = {partition: Advance(begin, ends[partition]) for partition, begin in begins.items()}
        return Batch(self.name, events, refused, unreadable, advances)


def _outside_the_log(consumer: str, partition: Partition, offset: int, begin: int, end: int) -> str:
    why = (
        "the log was lost or this is another cluster. Restore the log"
        if offset > end
        else "records were deleted before they were read. Find out what they were"
    )
    return (
        f"{consumer} has read {partition[0]}/{partition[1]} up to {offset}, but the log goes from {begin} to {end}: "
        f"{why}, or reset the stored offsets on purpose (docs/operations.md)."
    )
