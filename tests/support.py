"""What tests share: servers, a service's worker on a database of its own, and waiting for a condition."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import hypothesis
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from pydantic import BaseModel, SecretStr

from chassis.decode import partner_event
from chassis.envelope import Event
from chassis.facts import Fact, Said
from chassis.ids import uuid7
from chassis.kafka import client_options
from chassis.postgres import Database
from chassis.sealing import Sealer
from chassis.service import Service
from chassis.settings import DatabaseSettings, KafkaSettings
from chassis.work import Batch, Outcome, Worker
from contracts.message import Message
from deploy.kafka.admin import Admin

T = TypeVar("T")
M = TypeVar("M", bound=Message)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SEALING_KEY = SecretStr("5e" * 32)
TOKEN_KEY = SecretStr("70" * 32)
USUAL = "same-every-time"
"""The profile of hypothesis where no other is asked for: `fast`, or `thousands`, new ones every time."""
DATA = Path(__file__).parents[1].parent / "shared" / "data"
"""Real data that lies beside the project on some machines; tests that use it skip where it is absent."""


def usual(examples: int) -> int:
    """So many examples, or as many as the profile says that was asked for."""
    asked = hypothesis.settings.get_current_profile_name() != USUAL
    return hypothesis.settings().max_examples if asked else examples


@dataclass(slots=True)
class Clock:
    """A clock that a test moves."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at

    def forward(self, by: timedelta) -> None:
        self.at += by


@dataclass(frozen=True, slots=True)
class Servers:
    """The PostgreSQL and the Kafka of this test run."""

    postgres: DatabaseSettings
    kafka: KafkaSettings
    admin: Admin


def fact_event(data: Message, at: datetime = NOON, *, event_id: UUID | None = None) -> Event[Any]:
    """A fact as a service reads it from another's topic."""
    identity = str(event_id or uuid7(at))
    return Event(identity, f"/furthest/{data.spec.owner}", data.spec.type, at, data.key(), data.key(), data, identity)


@dataclass(slots=True)
class Stage:
    """A service's handlers, real, on a real database of their own; without Kafka."""

    service: Service
    database: Database
    clock: Clock = field(default_factory=Clock)

    @property
    def worker(self) -> Worker:
        return self.service.worker(self.database, Sealer(SEALING_KEY), self.clock)

    async def hear(self, *facts: Message) -> list[Said]:
        """Takes facts of other services, as one poll, and returns what was said."""
        outcome = await self.worker.run(Batch(self.service.name, [fact_event(fact, self.clock()) for fact in facts]))
        return _must_succeed(outcome)

    async def receive(self, partner: str, *messages: Message, submission_id: str | None = None) -> list[Said]:
        """Takes a partner's messages, as one poll of its inbox, and returns what was said."""
        events = [
            partner_event(
                partner,
                submission_id or secrets.token_hex(8),
                prepare(message) if (prepare := self.service.prepare.get(type(message))) else message,
                message.spec.type,
                self.clock(),
            )
            for message in messages
        ]
        return _must_succeed(await self.worker.run(Batch(f"{self.service.name}.inbox", events)))

    async def result(self, *results: BaseModel) -> list[Said]:
        """Takes results of errands or due work straight to their handlers."""
        events: list[Event[Any]] = [
            Event(str(uuid7(self.clock())), "/test", type(r).__name__, self.clock(), str(n), str(n), r, "test")
            for n, r in enumerate(results)
        ]
        return _must_succeed(await self.worker.run(Batch(self.service.name, events)))

    async def rows(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.database.fetch(sql, *args)]


def _must_succeed(outcome: Outcome) -> list[Said]:
    for _, error in outcome.failed:
        raise error
    return outcome.said


def said(those: Sequence[Said], model: type[M]) -> list[M]:
    """The facts of one class among what was said."""
    return [s.data for s in those if isinstance(s, Fact) and isinstance(s.data, model)]


async def eventually(look: Callable[[], Awaitable[T]], until: Callable[[T], bool], within: float = 20.0) -> T:
    """Looks again until the condition holds; fails after `within` seconds with what it saw last."""
    deadline = time.monotonic() + within
    while True:
        seen = await look()
        if until(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"after {within} s still: {seen!r}")
        await asyncio.sleep(0.05)


async def read_topic(kafka: KafkaSettings, topic: str, partitions: int = 1) -> list[ConsumerRecord]:
    """Every record that a topic holds now."""
    consumer = AIOKafkaConsumer(**client_options(kafka, "test-reader"), auto_offset_reset="earliest")
    await consumer.start()
    try:
        parts = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends = await consumer.end_offsets(parts)
        records: list[ConsumerRecord] = []
        for part in parts:
            while await consumer.position(part) < ends[part]:
                records += (await consumer.getmany(part, timeout_ms=200)).get(part, [])
        return records
    finally:
        await consumer.stop()
