"""A toy service on real Kafka and PostgreSQL: what it does with an event is up to the test."""

import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest_asyncio
from aiokafka import AIOKafkaProducer

from chassis.envelope import Event
from chassis.facts import Fact, Handler, Said
from chassis.kafka import client_options
from chassis.postgres import Conn, Database, connect_pool
from chassis.service import Service, serving
from chassis.settings import DatabaseSettings, Settings
from contracts.matching import GapClosed
from contracts.message import Message
from contracts.referrals import ReferralClosed, ReferralWithdrawn
from deploy.embedded.ports import free_port
from deploy.kafka.admin import Topic
from deploy.provision import apply_topics
from tests.support import NOON, SEALING_KEY, Clock, Servers, read_topic


def headers(kind: str, event_id: str) -> list[tuple[str, bytes]]:
    fields = {"specversion": "1.0", "id": event_id, "source": "/furthest/referrals", "type": kind}
    return [(f"ce_{name}", text.encode()) for name, text in fields.items()]


@dataclass
class Toy:
    """Keeps each withdrawn or closed referral in a table, and says a GapClosed for each one withdrawn."""

    servers: Servers
    settings: Settings
    database: Database
    topic: str
    refuse: set[str] = field(default_factory=set)

    @property
    def service(self) -> Service:
        handlers: dict[type[Message], Handler] = {ReferralWithdrawn: self._withdrawn, ReferralClosed: self._closed}
        return Service("toy", [self.topic], lambda conn: conn, handlers)

    async def _withdrawn(self, events: Sequence[Event[ReferralWithdrawn]], conn: Conn, at: datetime) -> list[Said]:
        await self._keep(events, conn)
        return [
            Fact(GapClosed(referral_id=e.data.referral_id, need_id=e.data.referral_id, kind="device", area="x"), e)
            for e in events
        ]

    async def _closed(self, events: Sequence[Event[ReferralClosed]], conn: Conn, at: datetime) -> list[Said]:
        await self._keep(events, conn)
        return []

    async def _keep(self, events: Sequence[Event[Any]], conn: Conn) -> None:
        for event in events:
            if event.key in self.refuse:
                raise ValueError("a bug")
        await conn.executemany(
            "insert into effect (key, type) values ($1, $2)", [(e.key, e.type.split(".")[2]) for e in events]
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with serving(self.service, self.settings, self.database, Clock(NOON), lambda why: None):
            yield

    async def write(self, *messages: Message, ids: Sequence[str] = ()) -> None:
        named = ids or [f"00000000-0000-7000-8000-{secrets.token_hex(6)}" for _ in messages]
        records = [
            (m.key().encode(), m.model_dump_json().encode(), headers(m.spec.type, i))
            for m, i in zip(messages, named, strict=True)
        ]
        await self.write_raw(*records)

    async def write_raw(self, *records: tuple[bytes, bytes | None, list[tuple[str, bytes]]]) -> None:
        producer = AIOKafkaProducer(**client_options(self.servers.kafka, "test"), acks="all")
        await producer.start()
        try:
            for key, value, heads in records:
                await producer.send_and_wait(self.topic, value, key=key, headers=heads)
        finally:
            await producer.stop()

    async def effects(self) -> list[tuple[str, str]]:
        return [(r["key"], r["type"]) for r in await self.database.fetch("select key, type from effect order by n")]

    async def letters(self) -> list[dict[str, Any]]:
        rows = await self.database.fetch("select kind, key, rule, field from dead_letter order by id")
        return [dict(row) for row in rows]

    async def said(self) -> list[str]:
        """The keys of what Kafka holds on the topic that the toy's facts go to."""
        return [record.key.decode() for record in await read_topic(self.servers.kafka, "matching", 6)]


@pytest_asyncio.fixture
async def toy(servers: Servers, new_database: Callable[[str], Awaitable[DatabaseSettings]]) -> AsyncIterator[Toy]:
    apply_topics(servers.admin)
    topic = f"toy-{secrets.token_hex(4)}"
    servers.admin.apply_topics([Topic(topic, 2, {})])
    settings = await new_database("toy")
    owner = settings.model_copy(update={"user": "toy_owner"})
    async with await connect_pool(owner) as as_owner:
        await as_owner.execute("create table effect (n bigint generated always as identity, key text, type text)")
    async with await connect_pool(settings) as database:
        yield Toy(servers, service_settings(settings, servers), database, topic)


def service_settings(database: DatabaseSettings, servers: Servers) -> Settings:
    return Settings(
        database_host=database.host,
        database_port=database.port,
        database_name=database.name,
        database_user=database.user,
        database_password=database.password,
        kafka_bootstrap=servers.kafka.bootstrap,
        kafka_user=servers.kafka.user,
        kafka_password=servers.kafka.password,
        http_port=free_port(),
        replica="0",
        sealing_key=SEALING_KEY,
    )
