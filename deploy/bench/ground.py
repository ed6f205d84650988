"""What the lines of the benchmark run on: servers of their own, one log of realistic facts, and empty tables."""

import contextlib
import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from chassis.envelope import Event, headers_of
from chassis.facts import Fact
from chassis.ids import uuid7
from chassis.kafka import client_options
from chassis.migrations import migrate
from chassis.outbox import append
from chassis.postgres import Conn, Database, connect_pool, connected
from chassis.sealing import Sealer
from chassis.service import COLLECT_EVERY
from chassis.service import Service as Built
from chassis.settings import DatabaseSettings, KafkaSettings
from contracts.message import Message, Service
from contracts.referrals import ReferralReceived
from deploy import provision
from deploy.embedded import kafka, postgres
from deploy.kafka.admin import Admin, Topic
from deploy.site import ROLES, Roles
from deploy.wiring import build, settings_of

IN: Final = "bench.in"
OUT: Final = "bench.out"
PARTITIONS: Final = 6
SEALING_KEY: Final = SecretStr("be" * 32)
SEALER: Final = Sealer(SEALING_KEY)
AT: Final = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TABLES: Final = """
create table raw_referral (
    position bigint generated always as identity primary key,
    referral_id uuid not null, partner text not null, area text not null, score int not null, at timestamptz not null
);
create table referral (
    referral_id uuid primary key,
    partner text not null, area text not null, score int not null, heard int not null, at timestamptz not null
);
"""
Row = tuple[str, bytes, list[tuple[str, bytes]], bytes]
"""Topic, key, headers and value of a record."""


def unplugged(service: Service, **own: Any) -> Built:
    """A service's own code, to be given a database by hand: its settings name no servers."""
    nowhere: dict[str, Any] = {
        "database_host": "", "database_name": "", "database_user": "", "database_password": SecretStr(""),
        "kafka_bootstrap": "", "kafka_user": "", "kafka_password": SecretStr(""), "http_port": 1,
        "sealing_key": SEALING_KEY,
    }  # fmt: skip
    return build(service, settings_of(service)(**nowhere, **own))


@dataclass(slots=True)
class Watch:
    """The speed from the end of the first step to the end of the last, so that joining a group is not measured."""

    wanted: int
    done: int = 0
    first: tuple[float, int] | None = None
    last: float = 0.0

    def step(self, done: int) -> bool:
        """True when all is done."""
        self.done += done
        self.last = time.perf_counter()
        if self.first is None:
            self.first = self.last, self.done
        return self.done >= self.wanted

    @property
    def per_second(self) -> float:
        began, before = self.first or (0.0, 0)
        return (self.done - before) / (self.last - began)


@dataclass(slots=True)
class Ground:
    """Kafka with `IN` full of facts, and a database with the tables of a service."""

    kafka: KafkaSettings
    admin: Admin
    roles: Roles
    superuser: DatabaseSettings
    rows: list[Row] = field(default_factory=list)
    rounds: int = 0

    def fresh(self, line: str) -> str:
        """A name that no consumer had before."""
        self.rounds += 1
        return f"{line}-{self.rounds}"

    async def clear(self) -> None:
        """Empties every table, and begins with a checkpoint, so that none falls into one line and not another."""
        async with connected(self.roles.owner) as conn:
            await conn.execute("truncate consumer_offset, inbox, outbox, said, key_version, raw_referral, referral")
        async with connected(self.superuser) as conn:
            await conn.execute("checkpoint")

    async def pool(self) -> Database:
        return await connect_pool(self.roles.app)

    def producer(self, **options: Any) -> AIOKafkaProducer:
        return AIOKafkaProducer(**client_options(self.kafka, "bench"), **options)

    async def prepare(self, records: int) -> None:
        """Writes the facts to the log: each referral is heard of twice."""
        await self.clear()
        async with connected(self.roles.app) as conn:
            await fill_outbox(conn, facts(records))
            found = await conn.fetch("select topic, key, headers, value from outbox order by position")
        self.rows = [(IN, row["key"], headers_of(row["headers"]), row["value"]) for row in found]
        gc.collect()
        gc.freeze()  # no service holds so many objects: their collection is none of what is measured
        gc.set_threshold(COLLECT_EVERY)
        async with self.producer(acks="all", enable_idempotence=True, linger_ms=5) as producer:
            for topic, key, headers, value in self.rows:
                await producer.send(topic, value, key=key, headers=headers)
            await producer.flush()


async def fill_outbox(conn: Conn, said: Sequence[Fact]) -> None:
    async with conn.transaction():
        for start in range(0, len(said), 1000):
            await append(conn, said[start : start + 1000], "/furthest/bench", AT)


def facts(records: int) -> list[Fact]:
    return [Fact(received(number % -(-records // 2)), cause(number)) for number in range(records)]


def cause(number: int) -> Event[Any]:
    identity = str(uuid7(AT, "cause", str(number)))
    return Event(identity, "/partners/gp-armley", "", AT, identity, identity, Message.model_construct(), identity)


def received(number: int) -> ReferralReceived:
    """A referral with two needs: about 850 bytes."""
    needs = [
        {"need_id": uuid7(AT, "device", str(number)), "kind": "device", "requirements": ["large-screen"]},
        {
            "need_id": uuid7(AT, "champion", str(number)),
            "kind": "champion",
            "requirements": ["home-visit", "interpreter"],
            "languages": ["ur"],
            "formats": ["in-person"],
        },
    ]
    given = {**ReferralReceived.example, "referral_id": referral_id(number), "needs": needs}
    return ReferralReceived.model_validate(given)


def referral_id(number: int) -> UUID:
    return uuid7(AT, "referral", str(number))


@contextlib.contextmanager
def servers(folder: Path) -> Iterator[Ground]:
    """PostgreSQL and Kafka for the time of a block, with the settings of every embedded deployment."""
    database = postgres.start(folder)
    try:
        broker = kafka.start(folder)
        try:
            superuser = database.database
            yield Ground(broker.kafka, Admin(broker.kafka), _roles(superuser, "bench"), superuser)
        finally:
            kafka.stop(broker.process)
    finally:
        postgres.stop(database.process)


def _roles(superuser: DatabaseSettings, name: str) -> Roles:
    return Roles(*(superuser.model_copy(update={"name": name, "user": f"{name}_{role}"}) for role in ROLES))


async def make_database(superuser: DatabaseSettings, name: str, service: Service) -> Roles:
    """An empty database of a service."""
    roles = _roles(superuser, name)
    await provision.make_database(superuser, roles)
    await migrate(roles.owner, roles.app.user, ["chassis", f"services.{service}"])
    return roles


async def lay(ground: Ground, records: int) -> Ground:
    """Makes the topics, the database and the records."""
    provision.apply_topics(ground.admin)
    ground.admin.apply_topics([Topic(name, PARTITIONS, {"max.message.bytes": "1048576"}) for name in (IN, OUT)])
    await provision.make_database(ground.superuser, ground.roles)
    await migrate(ground.roles.owner, ground.roles.app.user, ["chassis"])
    async with connected(ground.roles.owner) as conn:
        await conn.execute(TABLES)
    await ground.prepare(records)
    return ground
