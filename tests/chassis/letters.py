"""A toy service and the consumer in front of it, without Kafka: a poll is what a test says it is."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from pydantic import BaseModel

from chassis import letter_rows
from chassis.dead_letters import KeptRecord
from chassis.delivery import Advance
from chassis.envelope import Event
from chassis.facts import Fact, Forget, Said, answer
from chassis.letter_rows import Warrant, Which
from chassis.postgres import Conn, Database
from chassis.service import Service, decoders
from chassis.settle import Act, Order, Settled, settler
from chassis.work import Batch, Worker
from contracts.door import ReferralAcknowledged, ReferralWithdrawalRequested
from contracts.matching import GapClosed
from contracts.message import Message
from contracts.referrals import PersonErased, ReferralClosed
from tests.support import NOON, SEALING_KEY, Clock

TOPIC = "referrals"
INBOX = "partners.gp.inbox"
ALL = Which()
WARRANT = Warrant("ann", "mended in 1.2")
ERASED = 99
"""The number of what ends a key."""


class Ending(BaseModel):
    """An act that ends a key."""

    forgets: ClassVar = True

    key: str


class Reminder(BaseModel):
    """Due work of the toy's own."""

    number: int


@dataclass(slots=True)
class Toy:
    """Keeps what it hears as effects, of a key and a number, and says a fact for each; fails on `poison`.

    At the number `waits_at` it tells that it `waits`, and goes on when it `may_go`.
    """

    poison: set[tuple[str, int]] = field(default_factory=set)
    waits_at: int | None = None
    waits: asyncio.Event = field(default_factory=asyncio.Event)
    may_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def closed(self, events: Sequence[Event[ReferralClosed]], conn: Conn, at: datetime) -> list[Said]:
        await self._keep(conn, [(event.key, number_of(event.data)) for event in events])
        return [
            Fact(GapClosed(referral_id=e.data.referral_id, need_id=e.data.referral_id, kind="device", area="x"), e)
            for e in events
        ]

    async def asked(self, events: Sequence[Event[ReferralWithdrawalRequested]], conn: Conn, at: datetime) -> list[Said]:
        await self._keep(conn, [(event.key, 1) for event in events])
        return [
            answer(
                event,
                ReferralAcknowledged(
                    submission_id=event.id, reference="GP-1", referral_id=event.data.referral_id, needs=[]
                ),
            )
            for event in events
        ]

    async def erased(self, events: Sequence[Event[PersonErased]], conn: Conn, at: datetime) -> list[Said]:
        return await self._forget([event.key for event in events], conn)

    async def ending(self, events: Sequence[Event[Ending]], conn: Conn, at: datetime) -> list[Said]:
        return await self._forget([event.data.key for event in events], conn)

    async def _forget(self, keys: Sequence[str], conn: Conn) -> list[Said]:
        await self._keep(conn, [(key, ERASED) for key in keys])
        await conn.execute("delete from effect where key = any($1::text[])", keys)
        return [Forget(key) for key in keys]

    async def reminded(self, events: Sequence[Event[Reminder]], conn: Conn, at: datetime) -> list[Said]:
        await self._keep(conn, [(event.key, event.data.number) for event in events])
        return []

    async def _keep(self, conn: Conn, those: Sequence[tuple[str, int]]) -> None:
        for key, number in those:
            if number == self.waits_at:
                self.waits_at = None
                self.waits.set()
                await self.may_go.wait()
            if (key, number) in self.poison:
                raise ValueError("a bug")
            await conn.execute("insert into effect (key, number) values ($1, $2)", key, number)

    @property
    def service(self) -> Service:
        handlers: dict[type[Message], Any] = {
            ReferralClosed: self.closed,
            PersonErased: self.erased,
            ReferralWithdrawalRequested: self.asked,
        }
        work: dict[type[BaseModel], Any] = {Reminder: self.reminded}
        acts: dict[type[BaseModel], Any] = {Ending: self.ending}
        return Service("toy", {TOPIC: 1}, lambda conn: conn, handlers, due=work, results=acts)


def closed(key: UUID, number: int) -> ReferralClosed:
    return ReferralClosed(referral_id=key, at=NOON + timedelta(seconds=number))


def number_of(data: ReferralClosed) -> int:
    return int((data.at - NOON).total_seconds())


@dataclass(slots=True)
class Line:
    """One partition of each topic, the toy that reads it, and who settles its dead letters."""

    database: Database
    toy: Toy = field(default_factory=Toy)
    clock: Clock = field(default_factory=Clock)
    next: dict[str, int] = field(default_factory=lambda: {TOPIC: 0, INBOX: 0})

    async def poll(self, *messages: Message, ids: Sequence[str] = ()) -> None:
        """What one poll brings: facts of referrals."""
        await self.records(
            TOPIC,
            *(
                (m.key().encode(), m.model_dump_json().encode(), m.spec.type, event_id)
                for m, event_id in zip(messages, ids or [str(uuid4()) for _ in messages], strict=True)
            ),
        )

    async def records(self, topic: str, *records: tuple[bytes, bytes, str, str]) -> None:
        """Records as (key, value, type, id)."""
        consumer = "toy" if topic == TOPIC else "toy.inbox"
        expected = self.next[topic]
        batch: dict[str, list[Any]] = {"Event": [], "Fact": [], "DeadLetter": []}
        worker = self.worker
        for key, value, type_, event_id in records:
            fields = {"specversion": "1.0", "id": event_id, "source": "/furthest/referrals", "type": type_}
            headers = tuple((f"ce_{name}", text.encode()) for name, text in fields.items())
            time = int(self.clock().timestamp() * 1000)
            record = KeptRecord(topic, 0, self.next[topic], time, key, value, headers)
            read = decoders(self.toy.service, worker.sealer)[consumer].decode(record)
            batch[type(read).__name__].append(read)
            self.next[topic] += 1
        advances = {(topic, 0): Advance(expected, self.next[topic])}
        await worker.run(Batch(consumer, batch["Event"], batch["Fact"], batch["DeadLetter"], advances))

    @property
    def worker(self) -> Worker:
        return settler(self.toy.service, self.database, SEALING_KEY, self.clock).worker

    async def settle(self, act: Act, *ids: int, with_parked: bool = False, rehearse: bool = False) -> list[Settled]:
        order = Order(act, WARRANT, with_parked, rehearse)
        return await settler(self.toy.service, self.database, SEALING_KEY, self.clock).run(order, ids)

    async def letters(self, which: Which = ALL) -> list[dict[str, Any]]:
        """Those not settled, the oldest first."""
        async with self.database.acquire() as conn:
            return [dict(row) for row in reversed(await letter_rows.find(conn, which, 10_000))]

    async def ids(self, which: Which = ALL) -> list[int]:
        return [letter["id"] for letter in await self.letters(which)]

    async def effects(self) -> list[tuple[str, int]]:
        rows = await self.database.fetch("select key, number from effect order by n")
        return [(row["key"], row["number"]) for row in rows]

    async def of(self, key: UUID) -> list[int]:
        return [number for its, number in await self.effects() if its == str(key)]

    async def said(self) -> int:
        return int(await self.database.fetchval("select count(*) from outbox"))

    async def audit(self) -> list[tuple[str, str, str, list[int]]]:
        rows = await self.database.fetch("select who, why, done, letters from dead_letter_audit order by id")
        return [(row["who"], row["why"], row["done"], row["letters"]) for row in rows]

    async def waiting_for_a_lock(self) -> int:
        return int(
            await self.database.fetchval(
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
            )
        )
