"""Makes a projection anew from the log beside the live one, compares the two, and puts the new one in its place.

The new one stands in a schema of its own, with offsets and an inbox of its own, and what its handlers say goes
nowhere. The live service reads and serves all the while; its consumer waits twice, for as long as the new one needs
to read the last few records. A rebuild that was cut off leaves nothing but that schema, and the next one begins anew.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis import delivery, projection
from chassis.dead_letters import DeadLetter
from chassis.decode import Decoder
from chassis.delivery import Advance, Partition
from chassis.envelope import Event, Record
from chassis.errors import Braked, Stopped
from chassis.kafka import client_options
from chassis.postgres import Conn, connect, connect_pool
from chassis.projection import SHADOW, Compared, Table
from chassis.sealing import Sealer
from chassis.service import Service, decoders, now
from chassis.settings import DatabaseSettings, Settings
from chassis.subscription import POLL_RECORDS
from chassis.waiting import unbroken
from chassis.work import Batch, Worker

T = TypeVar("T")

_LOCK: Final = 0x52656275
LOCK_TRIES: Final = 60
LOCKED_OUT: Final = (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError, asyncpg.DeadlockDetectedError)
SILENCE: Final = 60.0

Progress = Callable[[int, int], None]
"""Is told how many records were read, of how many."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it. `dead_letters` are records that have no effect in the new tables."""

    service: str
    records: int
    tables: Mapping[str, Compared]
    dead_letters: int
    switched: bool = False

    @property
    def same(self) -> bool:
        return all(table.same for table in self.tables.values())

    def document(self) -> dict[str, Any]:
        tables = {name: {"same": table.same, **asdict(table)} for name, table in self.tables.items()}
        return {**asdict(self), "tables": tables}


@dataclass(slots=True)
class Shadow:
    """The projection that is being made. It reads without a consumer group, by the offsets it is told."""

    worker: Worker
    name: str
    decoder: Decoder
    kafka: AIOKafkaConsumer
    discarded: frozenset[tuple[str, int, int]]
    progress: Progress
    positions: dict[Partition, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        return sum(self.positions.values())

    async def read_to(self, ends: Mapping[Partition, int]) -> int:
        """Reads up to exactly these offsets and no further; returns how many records that were."""
        before = self.records
        if ends.keys() - self.positions.keys():
            await self._assign(ends)
        while behind := [partition for partition, end in ends.items() if self.positions[partition] < end]:
            records = await self._poll(behind)
            await self._run(self._batch([r for r in records if r.offset < ends[r.topic, r.partition]]))
            for partition in {(r.topic, r.partition) for r in records if r.offset >= ends[r.topic, r.partition]}:
                self.kafka.seek(TopicPartition(*partition), ends[partition])
            self.progress(self.records, sum(ends.values()))
        return self.records - before

    async def _assign(self, ends: Mapping[Partition, int]) -> None:
        """Begins at the beginning. Raises Stopped where the log does not hold all that the live service read."""
        partitions = [TopicPartition(*partition) for partition in ends]
        self.kafka.assign(partitions)
        begins, logs = await self.kafka.beginning_offsets(partitions), await self.kafka.end_offsets(partitions)
        for partition in partitions:
            end = ends[partition.topic, partition.partition]
            if begins[partition] > 0 or logs[partition] < end:
                raise Stopped(
                    f"the live service has read {partition.topic}/{partition.partition} from 0 to {end}, but the log "
                    f"goes from {begins[partition]} to {logs[partition]}: what is gone could not be made again"
                )
        async with self.worker.database.acquire() as conn:
            stored = await delivery.stored_positions(conn, self.name, dict.fromkeys(ends, 0), self.worker.clock())
        self.positions = {partition: position.next for partition, position in stored.items()}
        for partition in partitions:
            self.kafka.seek(partition, self.positions[partition.topic, partition.partition])

    async def _run(self, batch: Batch) -> None:
        if not batch.advances:
            raise Stopped("records that the live service has read are gone from the log, and cannot be made again")
        try:
            await self.worker.run(batch)
        except Braked as error:
            raise Stopped(f"this release cannot read the log: {error}. What fails is told above") from error
        self.positions.update({partition: move.next for partition, move in batch.advances.items()})

    async def _poll(self, partitions: Sequence[Partition]) -> list[Record]:
        try:
            async with asyncio.timeout(SILENCE):
                while True:
                    polled = await self.kafka.getmany(
                        *(TopicPartition(*p) for p in partitions), timeout_ms=1000, max_records=POLL_RECORDS
                    )
                    if polled:
                        return [record for records in polled.values() for record in records]
        except TimeoutError:
            raise Stopped(f"Kafka has sent nothing for {SILENCE:.0f} seconds: see furthest status") from None

    def _batch(self, records: Sequence[Record]) -> Batch:
        advances = {
            (r.topic, r.partition): Advance(self.positions[r.topic, r.partition], r.offset + 1) for r in records
        }
        taken = [r for r in records if (r.topic, r.partition, r.offset) not in self.discarded]
        decoded = [self.decoder.decode(record) for record in taken]
        events = [each for each in decoded if isinstance(each, Event)]
        unreadable = [each for each in decoded if isinstance(each, DeadLetter)]
        return Batch(self.name, events, unreadable=unreadable, advances=advances)


async def rebuild(
    service: Service,
    settings: Settings,
    owner: DatabaseSettings,
    package: str,
    *,
    accept: bool,
    progress: Progress = lambda read, total: None,
    clock: Callable[[], datetime] = now,
) -> Rebuilt:
    """Switches where old and new are the same, or where `accept` says that the new one is right.

    Raises Stopped where this cannot be done; nothing was changed then.
    """
    if service.not_from_facts is None:
        raise Stopped(
            f"{service.name} decides what stands in its tables, so the log cannot make them again. "
            "Only a projection can be rebuilt: furthest rebuild reporting"
        )
    async with _alone(owner) as conn:
        tables = await projection.begin(conn, owner, settings.database_user, package, service.not_from_facts)
        async with _shadow(service, settings, conn, progress, clock) as shadow:
            made = _Making(service, owner, conn, tables, shadow)
            await made.catch_up()
            seen = await made.compared()
            if accept or seen.same:
                await made.switch(clock(), changed=not seen.same)
                return Rebuilt(seen.service, seen.records, seen.tables, seen.dead_letters, switched=True)
            return seen


@contextlib.asynccontextmanager
async def _alone(owner: DatabaseSettings) -> AsyncIterator[Conn]:
    """The owner's connection, while no other rebuild has it; what is left of this one goes at the end."""
    conn = await connect(owner)
    try:
        if not await conn.fetchval("select pg_try_advisory_lock($1)", _LOCK):
            raise Stopped("another rebuild of this service is under way: wait until it has ended")
        await conn.execute("set lock_timeout = '2s'")
        try:
            yield conn
        finally:
            if not conn.is_closed():
                await projection.clear(conn)
    finally:
        await conn.close()


@contextlib.asynccontextmanager
async def _shadow(
    service: Service, settings: Settings, conn: Conn, progress: Progress, clock: Callable[[], datetime]
) -> AsyncIterator[Shadow]:
    name = f"{service.name}.{SHADOW}"
    sealer = Sealer(settings.sealing_key)
    inside = settings.database.model_copy(update={"search_path": SHADOW})
    reader = AIOKafkaConsumer(**client_options(settings.kafka, name), auto_offset_reset="none", fetch_max_wait_ms=100)
    async with await connect_pool(inside) as pool:
        worker = service.worker(pool, sealer, clock)
        discarded = await projection.discarded(conn, service.name)
        try:
            await unbroken(reader.start())
            yield Shadow(worker, name, decoders(service, sealer)[service.name], reader, discarded, progress)
        finally:
            await reader.stop()


@dataclass(frozen=True, slots=True)
class _Making:
    service: Service
    owner: DatabaseSettings
    live: Conn
    tables: Sequence[Table]
    shadow: Shadow

    async def catch_up(self) -> None:
        """Reads until little is left for which the live consumer would have to wait."""
        while await self._read_on() > POLL_RECORDS:
            pass

    async def _read_on(self) -> int:
        offsets = await projection.live_offsets(self.live, self.service.name, list(self.service.reads))
        return await self.shadow.read_to(offsets)

    @contextlib.asynccontextmanager
    async def _level(self) -> AsyncIterator[None]:
        """A transaction in which live and new have read exactly the same."""
        async with self.live.transaction():
            await projection.hold(self.live)
            await self._read_on()
            yield

    async def compared(self) -> Rebuilt:
        """Compares what both are at one moment, while the live one goes on."""
        still = await connect(self.owner)
        try:
            snapshot = still.transaction(isolation="repeatable_read", readonly=True)

            async def take() -> tuple[int, int]:
                async with self._level():
                    await snapshot.start()
                    return self.shadow.records, await projection.open_letters(still)

            records, letters = await _retried(take)
            tables = {table.name: await projection.compare(still, table) for table in self.tables}
            await snapshot.rollback()
        finally:
            await still.close()
        return Rebuilt(self.service.name, records, tables, letters)

    async def switch(self, at: datetime, *, changed: bool) -> None:
        await projection.analyze(self.live, self.tables)
        topics = list(self.service.reads)

        async def once() -> None:
            await self.catch_up()
            async with self._level():
                await projection.must_be_of_one_release(self.live)
                await projection.take_over_letters(self.live, self.service.name, topics, at)
                if changed:
                    await projection.take_over_work(self.live)
                await projection.lock(self.live, self.tables)
                await projection.switch(self.live, self.tables)

        await _retried(once)


async def _retried(do: Callable[[], Awaitable[T]]) -> T:
    """Again, where a lock was not to be had in time: readers that take long are left to end."""
    for _ in range(LOCK_TRIES):
        try:
            return await do()
        except LOCKED_OUT:
            await asyncio.sleep(0.3)
    raise Stopped(
        "somebody holds the live tables for long, such as a dump or a report: nothing was switched. Try again later"
    )
