"""Sends what was committed: one relay per database, in order, again and again until Kafka has it."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaProducer

from chassis.envelope import headers_of
from chassis.failpoints import failpoint, off
from chassis.kafka import client_options
from chassis.logs import logger
from chassis.metrics import DEGRADED, UNSENT, UNSENT_AGE
from chassis.postgres import Conn, connect
from chassis.settings import DatabaseSettings, KafkaSettings
from chassis.waiting import happened, unbroken
from contracts.topics import HEADROOM, MAX_RECORD_BYTES

log = logger("relay")

BATCH: Final = 1000
IDLE_POLL: Final = 0.1
RESCAN: Final = 1.0
ACK_WITHIN: Final = 30.0
STOP_WITHIN: Final = 5.0
LOCK: Final = 0x46757274
LARGEST_BATCH: Final = MAX_RECORD_BYTES - HEADROOM
"""Kafka's limit for a topic holds for a batch as a whole, and partners' outboxes have the smallest."""
OLD_AFTER: Final = 15.0
NEXT: Final = """
    select position, topic, key, headers, value, pg_snapshot_xmin(now)::text::bigint as oldest,
           pg_snapshot_xmax(now)::text::bigint as newest
    from outbox, pg_current_snapshot() as now
    where position > $1 and position not in (select unnest($2::bigint[])) order by position limit $3
"""


async def measure(conn: Conn) -> None:
    """Counts what is not sent. A relay that waits for Kafka cannot do it, so whoever asks for health does too."""
    row = await conn.fetchrow(
        """select count(*) as unsent, coalesce(extract(epoch from now() - min(said_at)), 0)::float8 as age
           from (select said_at from outbox order by position limit 10000) as oldest""",
        timeout=2,
    )
    if row is not None:
        UNSENT.set(row["unsent"])
        UNSENT_AGE.set(max(0.0, row["age"]))
        DEGRADED.labels(part="outbox").set(row["age"] > OLD_AFTER)


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch on its way to Kafka: the rows, and what tells that they arrived."""

    positions: Sequence[int] = ()
    acknowledged: "Sequence[asyncio.Future[Any]]" = ()


@dataclass(slots=True)
class Floor:
    """The position `at` which, and below, nothing can come any more. It spares the relay what is gone already.

    Positions are committed out of order: one that was passed over may belong to a transaction that still runs. So
    the floor rises to what was `seen` only when every transaction that had begun by then, before `newest`, has ended.
    """

    at: int = 0
    seen: int = 0
    newest: int = 0

    def rise(self, rows: Sequence[asyncpg.Record]) -> None:
        """`rows` are all, or the first, that stand above it, with the oldest transaction that runs, and the next."""
        if rows and rows[-1]["oldest"] >= self.newest:
            self.at = min(self.seen, rows[-1]["position"])
            self.seen, self.newest = rows[-1]["position"], rows[-1]["newest"]


@dataclass(slots=True)
class Relay:
    """Reads the outbox above a floor in memory, rescans all of it every second, and never keeps a cursor: only a
    row that is gone was sent."""

    database: DatabaseSettings
    kafka: KafkaSettings
    service: str
    floor: Floor = field(default_factory=Floor)
    rescanned_at: float = 0.0
    _awake: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        self._awake.set()

    async def run(self) -> None:
        """Runs until cancelled. Whatever breaks is torn down, told, and built again."""
        pause = 0.5
        while True:
            try:
                await self._serve()
                pause = 0.5
            except Exception as error:  # noqa: BLE001 - whatever it is, the relay is built again
                DEGRADED.labels(part="relay").set(1)
                log.warning("relay_rebuilt", error=type(error).__name__, pause=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 10.0)

    async def _serve(self) -> None:
        self.floor, self.rescanned_at = Floor(), -RESCAN
        conn = await connect(self.database)
        try:
            await self._take_turn(conn)
            producer = AIOKafkaProducer(
                **client_options(self.kafka, f"{self.service}-relay"),
                acks="all",
                enable_idempotence=True,
                linger_ms=2,
                max_batch_size=LARGEST_BATCH,
                max_request_size=2_097_152,
            )
            try:
                await unbroken(producer.start())
                DEGRADED.labels(part="relay").set(0)
                await self._send_for_ever(conn, producer)
            finally:
                # An end that has to wait for Kafka is not broken off, and does not hide that we are cancelled.
                await asyncio.wait([asyncio.create_task(producer.stop())], timeout=STOP_WITHIN)
        finally:
            with contextlib.suppress(TimeoutError):
                await conn.close(timeout=STOP_WITHIN)

    async def _take_turn(self, conn: Conn) -> None:
        """The lock goes with its connection, so a relay that died or lost Postgres holds no other back."""
        while not await conn.fetchval("select pg_try_advisory_lock($1)", LOCK):
            DEGRADED.labels(part="relay").set(0)
            await asyncio.sleep(RESCAN)

    async def _send_for_ever(self, conn: Conn, producer: AIOKafkaProducer) -> None:
        """While Kafka has one batch, the next is read and sent behind it."""
        on_the_way = Sent()
        while True:
            self._awake.clear()
            if self._now() - self.rescanned_at >= RESCAN:
                self.floor.at, self.rescanned_at = 0, self._now()
                await measure(conn)
            sent = await self._send(producer, await self._next(conn, on_the_way.positions))
            await self._settle(conn, on_the_way)
            on_the_way = sent
            if not sent.positions:
                await happened(self._awake, IDLE_POLL)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _next(self, conn: Conn, on_the_way: Sequence[int]) -> list[asyncpg.Record]:
        rows = await conn.fetch(NEXT, self.floor.at, on_the_way, BATCH)
        self.floor.rise(rows)
        if off("outbox") and rows:
            await self._settle(conn, Sent([row["position"] for row in rows]))
            failpoint("after-outbox-delete")
        return rows[::-1] if off("ordering") else rows

    async def _send(self, producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]) -> "Sent":
        """Sends in order. Idempotent sends of a partition keep their order, also those of two batches."""
        return Sent(
            [row["position"] for row in rows],
            [
                await producer.send(row["topic"], row["value"], key=row["key"], headers=headers_of(row["headers"]))
                for row in rows
            ],
        )

    async def _settle(self, conn: Conn, sent: "Sent") -> None:
        """Waits until Kafka has all of a batch, and only then takes its rows out."""
        if not sent.positions:
            return
        async with asyncio.timeout(ACK_WITHIN):
            await asyncio.gather(*sent.acknowledged)
        failpoint("after-kafka-acknowledgement")
        await conn.execute(
            """with gone as (delete from outbox where position = any($1::bigint[]) returning *)
               insert into said select * from gone""",
            sent.positions,
        )
