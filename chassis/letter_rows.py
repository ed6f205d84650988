"""The SQL of settling dead letters: found, held against the consumer, settled, written down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import asyncpg

from chassis.postgres import Conn

Place = tuple[str, str, str]
"""Where order is kept: consumer, topic and key."""

Done = Literal["replayed", "discarded", "failed"]

SHOWN: Final = (
    "id, consumer, topic, partition, record_offset, key, type, kind, rule, field, attempts, "
    "dead_at, settled, settled_at"
)


@dataclass(frozen=True, slots=True)
class Which:
    """Picks letters: those that agree with all that is given. `rule` is any part of theirs."""

    topic: str | None = None
    kind: str | None = None
    rule: str | None = None
    key: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    settled: bool = False


async def find(conn: Conn, which: Which, limit: int) -> list[asyncpg.Record]:
    """The newest first."""
    return await conn.fetch(
        f"""select {SHOWN} from dead_letter
            where ($1 or settled_at is null)
              and ($2::text is null or topic = $2) and ($3::text is null or kind = $3)
              and ($4::text is null or position($4 in rule) > 0) and ($5::text is null or key = $5)
              and ($6::timestamptz is null or dead_at >= $6) and ($7::timestamptz is null or dead_at < $7)
            order by id desc limit $8""",  # noqa: S608 - a constant
        which.settled,
        which.topic,
        which.kind,
        which.rule,
        which.key,
        which.since,
        which.until,
        limit,
    )


async def named(conn: Conn, ids: Sequence[int]) -> list[asyncpg.Record]:
    return await conn.fetch(f"select {SHOWN} from dead_letter where id = any($1::bigint[]) order by id", ids)  # noqa: S608 - a constant


async def behind(conn: Conn, letter: asyncpg.Record) -> list[asyncpg.Record]:
    return await conn.fetch(
        f"""select {SHOWN} from dead_letter
            where consumer = $1 and topic = $2 and key = $3 and kind = 'parked' and id > $4 and settled_at is null
            order by id""",  # noqa: S608 - a constant
        letter["consumer"],
        letter["topic"],
        letter["key"],
        letter["id"],
    )


async def held(conn: Conn, place: Place, ids: Sequence[int]) -> list[asyncpg.Record]:
    """The unsettled letters that park a key, and these of it that do not, in their order.

    They are locked against the consumer. One that it parked while we waited for the lock is seen by the next look
    only; the list is whole when a look brings nothing new.
    """
    rows: list[asyncpg.Record] = []
    while True:
        found = await conn.fetch(
            """select id, consumer, topic, partition, record_offset, key, type, event_id, kind, body, envelope
               from dead_letter
               where consumer = $1 and topic = $2 and key = $3 and settled_at is null
                 and (kind <> 'unreadable' or id = any($4::bigint[]))
               order by id for update""",
            *place,
            ids,
        )
        if len(found) == len(rows):
            return found
        rows = found


async def settle(conn: Conn, ids: Sequence[int], how: Done, at: datetime) -> None:
    await conn.execute(
        "update dead_letter set settled = $2, settled_at = $3 where id = any($1::bigint[])", ids, how, at
    )


async def fails_again(conn: Conn, letter: int, rule: str, field: str | None) -> None:
    """One that was parked is now known to fail itself."""
    await conn.execute(
        """update dead_letter
           set attempts = attempts + 1, rule = $2, field = $3,
               kind = case kind when 'parked' then 'unexpected' else kind end
           where id = $1 and settled_at is null""",
        letter,
        rule,
        field,
    )


@dataclass(frozen=True, slots=True)
class Warrant:
    """By whom letters are settled, and why."""

    who: str
    why: str


async def record(conn: Conn, warrant: Warrant, done: Done, place: Place, ids: Sequence[int], at: datetime) -> None:
    """Writes down what was done to which letters of a key."""
    await conn.execute(
        """insert into dead_letter_audit (at, who, why, done, consumer, topic, key, letters)
           values ($1, $2, $3, $4, $5, $6, $7, $8)""",
        at,
        warrant.who,
        warrant.why,
        done,
        *place,
        ids,
    )


async def history(conn: Conn, letter: asyncpg.Record) -> list[asyncpg.Record]:
    return await conn.fetch(
        """select at, who, why, done from dead_letter_audit
           where consumer = $1 and topic = $2 and key = $3 and $4 = any(letters) order by id""",
        letter["consumer"],
        letter["topic"],
        letter["key"],
        letter["id"],
    )


async def expire(conn: Conn, before: datetime, limit: int, at: datetime) -> list[asyncpg.Record]:
    """Takes out letters that are too old, and returns them. For those that nobody settled an audit row is left."""
    return await conn.fetch(
        """with gone as (
               delete from dead_letter where id in (select id from dead_letter where dead_at < $1
                                                          order by dead_at limit $2)
               returning id, consumer, topic, key, settled_at
           ), written as (
               insert into dead_letter_audit (at, who, why, done, consumer, topic, key, letters)
               select $3, 'the service', 'not settled in time', 'expired', consumer, topic, key,
                      array_agg(id order by id)
               from gone where settled_at is null group by consumer, topic, key
           )
           select id, consumer, topic, settled_at from gone""",
        before,
        limit,
        at,
    )
