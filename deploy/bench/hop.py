"""From Kafka to committed rows, three ways: the raw line, the naive line, and our hop."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from faststream.kafka import KafkaBroker
from faststream.security import SASLScram512

from chassis import kafka
from chassis.consume import Consumer
from chassis.decode import Decoder
from chassis.envelope import Event
from chassis.facts import Fact, Said
from chassis.kafka import client_options
from chassis.postgres import Conn, Database
from chassis.subscription import POLL_RECORDS
from chassis.work import Worker
from contracts.referrals import NeedStatusChanged, ReferralReceived
from deploy.bench.ground import IN, OUT, SEALER, Ground, Watch

PATIENCE = 300.0

INSERT_RAW = """
insert into raw_referral (referral_id, partner, area, score, at)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::timestamptz[])
"""


async def raw(ground: Ground, records: int) -> float:
    """The least that keeps every record: a poll is validated, inserted by one statement, and then committed."""
    watch = Watch(records)
    consumer = AIOKafkaConsumer(
        IN,
        **client_options(ground.kafka, "bench"),
        group_id=ground.fresh("raw"),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=100,
    )
    async with await ground.pool() as pool, consumer, asyncio.timeout(PATIENCE):
        done = False
        while not done:
            polled = await consumer.getmany(timeout_ms=15, max_records=POLL_RECORDS)
            taken = [record for of_partition in polled.values() for record in of_partition]
            if taken:
                await _insert(pool, taken)
                await consumer.commit()
                done = watch.step(len(taken))
    return watch.per_second


async def _insert(pool: Database, records: Sequence[ConsumerRecord]) -> None:
    read = [ReferralReceived.model_validate_json(record.value) for record in records]
    await pool.execute(
        INSERT_RAW,
        [one.referral_id for one in read],
        [one.partner for one in read],
        [one.area for one in read],
        [one.priority.score for one in read],
        [one.received_at for one in read],
    )


async def naive(ground: Ground, records: int) -> float:
    """What most people write: FastStream as it comes, one message, one insert, one publish. Its log is off."""
    watch, finished = Watch(records), asyncio.Event()
    settings = ground.kafka
    broker = KafkaBroker(
        settings.bootstrap,
        security=SASLScram512(settings.user, settings.password.get_secret_value(), use_ssl=False),
        logger=None,
    )
    async with await ground.pool() as pool:

        @broker.subscriber(IN, group_id=ground.fresh("naive"), auto_offset_reset="earliest")
        async def handle(fact: ReferralReceived) -> None:
            if finished.is_set():
                return
            row = fact.referral_id, fact.partner, fact.area, fact.priority.score, fact.received_at
            await pool.execute(
                "insert into raw_referral (referral_id, partner, area, score, at) values ($1, $2, $3, $4, $5)", *row
            )
            await broker.publish(changed(fact), OUT, key=str(fact.referral_id).encode())
            if watch.step(1):
                finished.set()

        await until(broker, finished)
    return watch.per_second


async def until(broker: KafkaBroker, finished: asyncio.Event) -> None:
    await broker.start()
    try:
        await asyncio.wait_for(finished.wait(), PATIENCE)
    finally:
        await broker.stop()


async def hop(ground: Ground, records: int) -> float:
    """The whole of our consumer: offsets, ids, parked keys, a service's handler, its facts in the outbox."""
    watch, finished, store = Watch(records), asyncio.Event(), Heard()
    async with await ground.pool() as pool:

        def committed() -> None:
            if store.heard and watch.step(store.take()):
                finished.set()

        kinds = {ReferralReceived.spec.type: ReferralReceived}
        handlers = {ReferralReceived.spec.type: store.on_referrals_received}
        worker = Worker("bench", pool, handlers, State, SEALER, lambda: datetime.now(UTC), committed)
        consumer = Consumer(worker, ground.fresh("hop"), Decoder(kinds, SEALER), [IN], stop=fail)
        broker = kafka.broker(ground.kafka, "bench")
        consumer.subscribe(broker)
        await until(broker, finished)
    return watch.per_second


def fail(why: BaseException) -> None:
    raise why


@dataclass(slots=True)
class Heard:
    """Counts what the handler was given."""

    heard: int = 0

    def take(self) -> int:
        heard, self.heard = self.heard, 0
        return heard

    async def on_referrals_received(
        self, events: Sequence[Event[ReferralReceived]], state: "State", at: datetime
    ) -> list[Said]:
        """As services do: load and lock by key, decide, save, say."""
        self.heard += len(events)
        known = await state.lock([event.data.referral_id for event in events])
        latest = {event.data.referral_id: event.data for event in events}
        await state.save([(fact, known.get(id_, 0) + 1) for id_, fact in latest.items()], at)
        return [Fact(changed(event.data), event) for event in events]


@dataclass(frozen=True, slots=True)
class State:
    conn: Conn

    async def lock(self, ids: Sequence[UUID]) -> dict[UUID, int]:
        rows = await self.conn.fetch(
            "select referral_id, heard from referral where referral_id = any($1::uuid[]) order by 1 for update",
            list(set(ids)),
        )
        return {row["referral_id"]: row["heard"] for row in rows}

    async def save(self, rows: Sequence[tuple[ReferralReceived, int]], at: datetime) -> None:
        await self.conn.execute(
            """insert into referral (referral_id, partner, area, score, heard, at)
               select referral_id, partner, area, score, heard, $6
               from unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::int[])
                   as new (referral_id, partner, area, score, heard)
               order by referral_id
               on conflict (referral_id) do update set partner = excluded.partner, area = excluded.area,
                   score = excluded.score, heard = excluded.heard, at = excluded.at""",
            [fact.referral_id for fact, _ in rows],
            [fact.partner for fact, _ in rows],
            [fact.area for fact, _ in rows],
            [fact.priority.score for fact, _ in rows],
            [heard for _, heard in rows],
            at,
        )


def changed(fact: ReferralReceived) -> NeedStatusChanged:
    """One fact out for one fact in."""
    need = fact.needs[0]
    given: dict[str, Any] = {"referral_id": fact.referral_id, "need_id": need.need_id, "kind": need.kind}
    return NeedStatusChanged(
        **given,
        partner=fact.partner,
        area=fact.area,
        status="on-hold",
        previous="requested",
        reason="waiting-for-place",
        at=fact.received_at,
    )
