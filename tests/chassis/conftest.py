"""A toy service on real Kafka and PostgreSQL: what it does with an event is up to the test."""

import contextlib
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest_asyncio
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr
from structlog.testing import capture_logs

from chassis import kafka
from chassis.consume import Consumer
from chassis.decode import Decoder
from chassis.errors import Stopped
from chassis.kafka import client_options
from chassis.postgres import Database, connect_pool
from chassis.quota import Quota
from chassis.relay import LOCK
from chassis.sealing import Sealer
from chassis.service import Service, serving
from chassis.settings import DatabaseSettings, Settings
from chassis.work import Worker
from contracts.message import Message
from deploy.embedded.ports import free_port
from deploy.embedded.processes import Process, spawn, stop
from deploy.kafka.admin import Topic
from deploy.provision import apply_topics
from tests.chassis.letters import INBOX, TOPIC, Line
from tests.chassis.toy import Handlers, build
from tests.support import SEALING_KEY, Clock, Servers, read_topic


def headers(kind: str, event_id: str) -> list[tuple[str, bytes]]:
    fields = {"specversion": "1.0", "id": event_id, "source": "/furthest/referrals", "type": kind}
    return [(f"ce_{name}", text.encode()) for name, text in fields.items()]


@dataclass
class Toy:
    """The toy service with a topic and a database of its own."""

    servers: Servers
    settings: Settings
    database: Database
    topic: str
    folder: Path
    handlers: Handlers = field(default_factory=Handlers)
    clock: Clock = field(default_factory=Clock)
    stopped: list[Stopped] = field(default_factory=list)
    """Why it said that it must not go on."""

    @property
    def service(self) -> Service:
        return build(self.topic, self.handlers)

    @property
    def environment(self) -> dict[str, str]:
        given = self.settings.model_dump(mode="json", exclude_none=True)
        hidden = {n: v.get_secret_value() for n, v in dict(self.settings).items() if isinstance(v, SecretStr)}
        return {f"FURTHEST_{name.upper()}": str(value) for name, value in {**given, **hidden}.items()}

    @contextlib.contextmanager
    def process(self, name: str = "toy", **environment: str) -> Iterator[Process]:
        """The toy as a process of its own."""
        argv = [sys.executable, "-m", "tests.chassis.toy", self.topic]
        process = spawn(name, argv, dir=self.folder, env={**self.environment, **environment})
        try:
            yield process
        finally:
            stop(process, 60)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with serving(self.service, self.settings, self.database, self.clock, self.stopped.append):
            yield

    @contextlib.asynccontextmanager
    async def consuming(self, quota: int | None = None) -> AsyncIterator[Consumer]:
        """Its consumer alone."""
        service = self.service
        worker = Worker(
            service.name,
            self.database,
            service.handlers_by_type,
            service.store,
            Sealer(SEALING_KEY),
            self.clock,
            lambda: None,
        )
        decoder = Decoder(service.fact_models, worker.sealer)
        limit = Quota(quota, self.clock) if quota else None
        consumer = Consumer(worker, service.name, decoder, list(service.reads), self.stopped.append, limit)
        broker = kafka.broker(self.servers.kafka, "toy")
        consumer.subscribe(broker)
        await broker.start()
        try:
            yield consumer
        finally:
            await broker.stop()

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

    async def said_ids(self, keys: set[str]) -> list[str]:
        """The CloudEvents ids of what was said of these keys."""
        records = await read_topic(self.servers.kafka, "matching", 6)
        return [dict(r.headers)["ce_id"].decode() for r in records if r.key.decode() in keys]

    async def relay_holds_its_turn(self) -> bool:
        return bool(
            await self.database.fetchval(
                """select exists (select from pg_locks join pg_database on database = pg_database.oid
                               where objid = $1 and datname = current_database())""",
                LOCK,
            )
        )

    async def unsent(self) -> int:
        return int(await self.database.fetchval("select count(*) from outbox"))


@pytest_asyncio.fixture
async def toy(
    servers: Servers, new_database: Callable[[str], Awaitable[DatabaseSettings]], tmp_path: Path
) -> AsyncIterator[Toy]:
    apply_topics(servers.admin)
    topic = f"toy-{secrets.token_hex(4)}"
    servers.admin.apply_topics([Topic(topic, 2, {})])
    settings = await new_database("toy")
    owner = settings.model_copy(update={"user": "toy_owner"})
    async with await connect_pool(owner) as as_owner:
        await as_owner.execute("create table effect (n bigint generated always as identity, key text, type text)")
    async with await connect_pool(settings) as database:
        yield Toy(servers, service_settings(settings, servers), database, topic, tmp_path)


@pytest_asyncio.fixture
async def line(new_database: Callable[[str], Awaitable[DatabaseSettings]]) -> AsyncIterator[Line]:
    settings = await new_database("toy")
    async with await connect_pool(settings.model_copy(update={"user": "toy_owner"})) as as_owner:
        await as_owner.execute("create table effect (n bigint generated always as identity, key text, number int)")
    async with await connect_pool(settings) as database:
        for consumer, topic in (("toy", TOPIC), ("toy.inbox", INBOX)):
            await database.execute(
                "insert into consumer_offset (consumer, topic, partition, next_offset) values ($1, $2, 0, 0)",
                consumer,
                topic,
            )
        line = Line(database)
        with capture_logs():
            yield line
        line.toy.may_go.set()


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
