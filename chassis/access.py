"""Who may open the HTTP doors: the compacted topic `access`, read from its start into memory."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import ValidationError

from chassis.envelope import Record, read
from chassis.kafka import client_options
from chassis.logs import logger
from chassis.metrics import DEGRADED
from chassis.settings import KafkaSettings
from chassis.waiting import unbroken
from contracts.access import KeyAdded, KeyRevoked
from contracts.topics import ACCESS

log = logger("access")

STALE_AFTER: Final = 15.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a key belongs to: a partner, a member of staff, an organisation or a service."""

    key_id: str
    role: str
    principal: str


@dataclass(slots=True)
class Access:
    """Every key that is live, by the SHA-256 of its bits.

    After a lost connection all is read again, from the start: one that was `revoked` stays so from the first record on.
    """

    kafka: KafkaSettings
    service: str
    clock: Callable[[], datetime]
    keys: dict[str, KeyAdded] = field(default_factory=dict)
    hashes: dict[UUID, str] = field(default_factory=dict)
    revoked: set[UUID] = field(default_factory=set)
    read_to_the_end: bool = False
    heard_at: float = 0.0

    def caller(self, key: str) -> Caller | None:
        """Who presents this key, or none where it is unknown, revoked or expired."""
        added = self.keys.get(hashlib.sha256(key.encode()).hexdigest())
        if added is None or added.expires_at <= self.clock():
            return None
        return Caller(str(added.key_id), added.role, added.principal)

    @property
    def fresh(self) -> bool:
        """False until all keys were read, and when Kafka was silent so long that a revocation may be missed."""
        return self.read_to_the_end and time.monotonic() - self.heard_at < STALE_AFTER

    async def run(self) -> None:
        while True:
            try:
                await self._follow()
            except Exception as error:
                DEGRADED.labels(part="access").set(1)
                log.warning("access_unavailable", exc_info=error)
                await asyncio.sleep(1)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(**client_options(self.kafka, f"{self.service}-access"), fetch_max_wait_ms=500)
        try:
            await unbroken(consumer.start())
            partition = TopicPartition(ACCESS, 0)
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            while True:
                polled = await consumer.getmany(partition, timeout_ms=500)
                for record in polled.get(partition, ()):
                    self.take(record)
                await self._heard(consumer, partition)
        finally:
            await consumer.stop()

    async def _heard(self, consumer: AIOKafkaConsumer, partition: TopicPartition) -> None:
        polled_at = consumer.last_poll_timestamp(partition)
        if polled_at is None:
            return
        self.heard_at = time.monotonic() - max(0.0, time.time() - polled_at / 1000)
        if not self.read_to_the_end:
            self.read_to_the_end = await consumer.position(partition) >= (consumer.highwater(partition) or 0)
        DEGRADED.labels(part="access").set(0 if self.fresh else 1)

    def take(self, record: Record) -> None:
        try:
            envelope = read(record)
            if envelope.type in KeyAdded.types():
                self._add(KeyAdded.read(envelope.type, envelope.data, extra="ignore"))
            elif envelope.type in KeyRevoked.types():
                self._revoke(KeyRevoked.read(envelope.type, envelope.data, extra="ignore"))
        except (ValueError, ValidationError) as error:
            log.error("access_unreadable", offset=record.offset, exc_info=error)

    def _add(self, added: KeyAdded) -> None:
        if added.key_id not in self.revoked and added.expires_at > self.clock():
            self.keys[added.sha256] = added
            self.hashes[added.key_id] = added.sha256

    def _revoke(self, revoked: KeyRevoked) -> None:
        self.revoked.add(revoked.key_id)
        self.keys.pop(self.hashes.pop(revoked.key_id, ""), None)
