"""Records that had no effect, as rows: sealed, explained, and holding back the later records of their key."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.envelope import Event, Record
from chassis.postgres import Conn
from chassis.sealing import Sealer
from contracts.topics import partner_of


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that had no effect. `rule` and `field` explain it; neither ever holds a value of it.

    `sealed` is the value, and `envelope` whatever else it takes to run it again, both sealed.
    """

    topic: str
    partition: int
    offset: int
    key: str
    type: str | None
    event_id: str | None
    kind: str
    rule: str
    field: str | None
    sealed: bytes
    envelope: bytes
    attempts: int


@dataclass(slots=True)
class KeptRecord:
    """A record as it was read, opened again."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def unreadable(sealer: Sealer, record: Record, type_: str | None, rule: str, field: str) -> DeadLetter:
    """A partner's key is left out: it may be anything, a name too."""
    key = "" if partner_of(record.topic) else (record.key or b"").decode(errors="replace").replace("\0", "")[:200]
    return DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=key,
        type=type_,
        event_id=None,
        kind="unreadable",
        rule=rule,
        field=field,
        sealed=sealer.seal(record.value or b""),
        envelope=sealer.seal(_envelope_of_record(record)),
        attempts=1,
    )


def dead(sealer: Sealer, event: Event[Any], kind: str, rule: str, attempts: int) -> DeadLetter:
    """An event that failed, or one that waits behind it."""
    record = event.record
    value = (record.value or b"") if record else event.data.model_dump_json().encode()
    return DeadLetter(
        topic=event.topic,
        partition=record.partition if record else -1,
        offset=record.offset if record else -1,
        key=event.key,
        type=event.type,
        event_id=event.id,
        kind=kind,
        rule=rule,
        field=None,
        sealed=sealer.seal(value),
        envelope=sealer.seal(_envelope_of_record(record) if record else _envelope_of_work(event)),
        attempts=attempts,
    )


def _envelope_of_record(record: Record) -> bytes:
    headers = [[name, None if value is None else value.hex()] for name, value in record.headers]
    key = None if record.key is None else record.key.hex()
    return json.dumps({"key": key, "timestamp": record.timestamp, "headers": headers}).encode()


def _envelope_of_work(event: Event[Any]) -> bytes:
    return json.dumps({"time": event.time.isoformat(), "correlation": event.correlation}).encode()


async def bury(conn: Conn, consumer: str, letters: Sequence[DeadLetter], at: datetime) -> None:
    if not letters:
        return
    await conn.execute(
        """insert into dead_letter (consumer, topic, partition, record_offset, key, type, event_id, kind, rule, field,
                                    body, envelope, attempts, dead_at)
           select $1, topic, partition, record_offset, key, type, event_id, kind, rule, field, body, envelope,
                  attempts, $14
           from unnest($2::text[], $3::int[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
                       $9::text[], $10::text[], $11::bytea[], $12::bytea[], $13::int[])
           with ordinality as new (topic, partition, record_offset, key, type, event_id, kind, rule, field, body,
                                   envelope, attempts, nth) order by nth""",
        consumer,
        [letter.topic for letter in letters],
        [letter.partition for letter in letters],
        [letter.offset for letter in letters],
        [letter.key for letter in letters],
        [letter.type for letter in letters],
        [letter.event_id for letter in letters],
        [letter.kind for letter in letters],
        [letter.rule for letter in letters],
        [letter.field for letter in letters],
        [letter.sealed for letter in letters],
        [letter.envelope for letter in letters],
        [letter.attempts for letter in letters],
        at,
    )


async def parked_keys(conn: Conn, consumer: str, events: Iterable[Event[Any]]) -> set[tuple[str, str]]:
    """The (topic, key) that wait behind a dead letter. Asked before any event of the batch takes effect.

    The lock waits for whoever is settling such a key, and keeps everybody from it until the batch commits.
    """
    if not await conn.fetchval(
        """select exists (select from dead_letter
                          where consumer = $1 and settled_at is null and kind <> 'unreadable')""",
        consumer,
    ):
        return set()
    wanted = sorted({(event.topic, event.key) for event in events})
    rows = await conn.fetch(
        """select topic, key from dead_letter
           where consumer = $1 and settled_at is null and kind <> 'unreadable'
             and (topic, key) in (select * from unnest($2::text[], $3::text[]))
           order by topic, key, id for share""",
        consumer,
        [topic for topic, _ in wanted],
        [key for _, key in wanted],
    )
    return {(row["topic"], row["key"]) for row in rows}
