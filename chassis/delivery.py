"""The SQL of delivery: offsets, claims, doors, due work and errands. Set-based throughout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg

from chassis.envelope import Event
from chassis.errors import Fenced
from chassis.facts import Fact
from chassis.failpoints import off
from chassis.postgres import Conn

Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Advance:
    """How far a batch moves a partition: from the offset we expect to be stored to the next one to read."""

    expected: int
    next: int


@dataclass(frozen=True, slots=True)
class Position:
    """The next offset of a partition, and the one it had when the day (UTC) began."""

    next: int
    day_began: int


async def stored_positions(
    conn: Conn, consumer: str, begins: Mapping[Partition, int], at: datetime
) -> dict[Partition, Position]:
    """Where each partition stands; one never read before stands where its log begins."""
    topics, numbers = [topic for topic, _ in begins], [number for _, number in begins]
    await conn.execute(
        """insert into consumer_offset (consumer, topic, partition, next_offset)
           select $1, * from unnest($2::text[], $3::int[], $4::bigint[]) on conflict do nothing""",
        consumer,
        topics,
        numbers,
        list(begins.values()),
    )
    rows = await conn.fetch(
        """select topic, partition, next_offset, day, day_began from consumer_offset
           where consumer = $1 and (topic, partition) in (select * from unnest($2::text[], $3::int[]))""",
        consumer,
        topics,
        numbers,
    )
    return {
        (row["topic"], row["partition"]): Position(
            row["next_offset"], row["day_began"] if row["day"] == at.date() else row["next_offset"]
        )
        for row in rows
    }


async def advance(conn: Conn, consumer: str, advances: Mapping[Partition, Advance], at: datetime) -> None:
    """Compares and sets the offset rows, in order. Raises Fenced where one is not as expected."""
    if not advances:
        return
    moves = sorted(advances.items())
    moved = await conn.fetch(
        """with move as (
               select * from unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[])
               as move (topic, partition, expected, next)
           ), locked as (
               select o.topic, o.partition, move.next from consumer_offset o join move using (topic, partition)
               where o.consumer = $1 and (o.next_offset = move.expected or $7)
               order by o.topic, o.partition for update of o
           )
           update consumer_offset o
           set next_offset = locked.next, day = $6,
               day_began = case when o.day = $6 then o.day_began else o.next_offset end
           from locked
           where o.consumer = $1 and o.topic = locked.topic and o.partition = locked.partition
           returning 1""",
        consumer,
        [topic for (topic, _), _ in moves],
        [number for (_, number), _ in moves],
        [move.expected for _, move in moves],
        [move.next for _, move in moves],
        at.date(),
        off("offset-row"),
    )
    if len(moved) != len(moves):
        raise Fenced(consumer)


async def claim(conn: Conn, consumer: str, events: Sequence[Event[Any]], at: datetime) -> list[Event[Any]]:
    """The events not taken before. A partner's record is claimed by its offset alone."""
    facts = sorted({event.id for event in events if not event.partner})
    if not facts or off("id-claim"):
        return list(events)
    rows = await conn.fetch(
        """insert into inbox (event_id, consumer, taken_at)
           select event_id, $2, $3 from unnest($1::uuid[]) as new (event_id)
           on conflict do nothing returning event_id::text""",
        facts,
        consumer,
        at,
    )
    fresh = {row["event_id"] for row in rows}
    taken: list[Event[Any]] = []
    for event in events:
        if event.partner:
            taken.append(event)
        elif event.id in fresh:
            fresh.discard(event.id)
            taken.append(event)
    return taken


@dataclass(frozen=True, slots=True)
class Claim:
    """What the door knows of a submission: new, or accepted before with the same body or another."""

    event: Event[Any]
    known: bool
    is_same: bool = False
    is_erased: bool = False
    answer_type: str | None = None
    answer: bytes | None = None


async def claim_submissions(
    conn: Conn, submissions: Sequence[tuple[Event[Any], Sequence[bytes]]], at: datetime
) -> list[Claim]:
    """Claims (partner, submission id) for each event. Its first fingerprint is kept; those by older keys are known too.

    No identity may stand twice.
    """
    wanted = sorted((event.partner or "", event.id, prints[0]) for event, prints in submissions)
    rows = await conn.fetch(
        """insert into door (partner, submission_id, fingerprint, accepted_at)
           select partner, id, fingerprint, $4
           from unnest($1::text[], $2::text[], $3::bytea[]) as new (partner, id, fingerprint)
           on conflict do nothing returning partner, submission_id""",
        [partner for partner, _, _ in wanted],
        [submission for _, submission, _ in wanted],
        [fingerprint for _, _, fingerprint in wanted],
        at,
    )
    new = {(row["partner"], row["submission_id"]) for row in rows}
    known = await _known_submissions(conn, [(partner, id_) for partner, id_, _ in wanted if (partner, id_) not in new])
    claims: list[Claim] = []
    for event, prints in submissions:
        before = known.get((event.partner or "", event.id))
        if before is None:
            claims.append(Claim(event, known=False))
        else:
            kept, answer_type, answer = before
            claims.append(
                Claim(
                    event,
                    known=True,
                    is_same=kept in prints,
                    is_erased=not kept,
                    answer_type=answer_type,
                    answer=answer,
                )
            )
    return claims


async def _known_submissions(
    conn: Conn, identities: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[bytes, str | None, bytes | None]]:
    if not identities:
        return {}
    rows = await conn.fetch(
        """select partner, submission_id, fingerprint, answer_type, answer from door
           where (partner, submission_id) in (select * from unnest($1::text[], $2::text[]))""",
        [partner for partner, _ in identities],
        [submission for _, submission in identities],
    )
    return {
        (row["partner"], row["submission_id"]): (row["fingerprint"], row["answer_type"], row["answer"]) for row in rows
    }


async def keep_answers(conn: Conn, answers: Sequence[Fact]) -> None:
    await conn.execute(
        """update door set answer_type = new.type, answer = new.value
           from unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) as new (partner, id, type, value)
           where door.partner = new.partner and door.submission_id = new.id""",
        [fact.cause.partner for fact in answers],
        [fact.cause.id for fact in answers],
        [fact.data.spec.type for fact in answers],
        [fact.value for fact in answers],
    )


async def release_submissions(conn: Conn, events: Sequence[Event[Any]]) -> None:
    """A refused message does not use up its id."""
    await conn.execute(
        "delete from door where (partner, submission_id) in (select * from unnest($1::text[], $2::text[]))",
        [event.partner for event in events],
        [event.id for event in events],
    )


Rows = Literal["due", "errand"]
_TAKE: dict[Rows, str] = {
    "due": "delete from due where id = any($1::text[]::bigint[]) returning id::text",
    "errand": "delete from errand where id = any($1::text[]::uuid[]) returning id::text",
}


async def take(conn: Conn, rows: Rows, ids: Sequence[str]) -> set[str]:
    """Deletes rows and returns the ids of those that were there: what another replica took is not ours."""
    return {row["id"] for row in await conn.fetch(_TAKE[rows], list(ids))}


async def due_rows(conn: Conn, at: datetime, limit: int) -> list[asyncpg.Record]:
    return await conn.fetch(
        "select id::text, type, key, value, correlation, due_at as at from due where due_at <= $1 "
        "order by due_at, id limit $2",
        at,
        limit,
    )


async def begin_errands(conn: Conn, at: datetime, replica: str, limit: int) -> list[asyncpg.Record]:
    """Commits the attempt: what is returned here is called now, and by nobody else."""
    return await conn.fetch(
        """update errand set attempted_at = $1, attempted_by = $2, attempts = attempts + 1
           where id in (select id from errand where attempted_at is null and not_before <= $1
                            and id::text not in (select cause from said_before)
                        order by not_before, id limit $3 for update skip locked)
           returning id::text, type, key, value, correlation, $1 as at""",
        at,
        replica,
        limit,
    )


async def lost_errands(conn: Conn, before: datetime, replica: str, began: datetime, limit: int) -> list[asyncpg.Record]:
    """Attempts whose result never came: made before a time, by this replica before it began, or before a restore."""
    return await conn.fetch(
        """select id::text, type, key, value, correlation, coalesce(attempted_at, not_before) as at from errand
           where attempted_at < $1 or (attempted_by = $2 and attempted_at < $3)
               or id::text in (select cause from said_before)
           order by attempted_at limit $4""",
        before,
        replica,
        began,
        limit,
    )


async def put_back(conn: Conn, errands: Sequence[str], not_before: datetime) -> None:
    """For calls that certainly did not happen."""
    await conn.execute(
        "update errand set attempted_at = null, not_before = $2 where id = any($1::text[]::uuid[])",
        list(errands),
        not_before,
    )
