"""After a database was put back from a backup: what the log says that it had said, and what it knows of that.

Ids are derived from causes. So what is read again from Kafka is said again under the same id, and readers drop it;
what came by HTTP or from staff after the moment of the backup is not, and is what is missing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from chassis.errors import Stopped
from chassis.postgres import Conn, Database

EARLIER: Final = timedelta(minutes=10)
"""What was said last may have stood in the log before what was said first, and clocks differ."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A record of a service's own in the log. `cause` is what it was said because of."""

    id: str
    topic: str
    key: str
    type: str
    sequence: int
    cause: str
    said_at: datetime
    value: bytes


async def check(database: Database, service: str) -> None:
    """Raises Stopped where the database was restored and nobody compared it with the log since."""
    async with database.acquire() as conn:
        if await is_to_be_compared(conn):
            raise Stopped(f"The database was restored. Compare it with the log first: furthest restored {service}")


async def since(conn: Conn) -> datetime | None:
    """From when on the log may know more than the database; none where that has said nothing."""
    last: datetime | None = await conn.fetchval(
        "select max(said_at) from (select said_at from outbox union all select said_at from said) as own"
    )
    return last - EARLIER if last else None


async def was_restored(conn: Conn) -> bool:
    return bool(await conn.fetchval("select exists (select from restored)"))


async def is_to_be_compared(conn: Conn) -> bool:
    return bool(await conn.fetchval("select exists (select from restored where compared_at is null)"))


async def number(conn: Conn) -> int:
    counted: int = await conn.fetchval("select count(*) from said_before")
    return counted


async def compare(conn: Conn, heard: Iterable[Heard], at: datetime) -> None:
    """Keeps what the database does not know of, and goes on with the versions of the log. May be repeated."""
    async with conn.transaction():
        await conn.execute(
            """create temporary table heard (
                   id uuid, topic text, key text, type text, sequence bigint, cause text, said_at timestamptz,
                   value bytea
               ) on commit drop"""
        )
        rows = ((h.id, h.topic, h.key, h.type, h.sequence, h.cause, h.said_at, h.value) for h in heard)
        await conn.copy_records_to_table("heard", records=list(rows))
        await conn.execute(
            """insert into said_before (id, topic, key, type, cause, said_at, value)
               select distinct on (id) id, topic, key, type, cause, said_at, value from heard
               where id not in (select split_part(headers, E'\\n', 2)::uuid from said
                                union all select split_part(headers, E'\\n', 2)::uuid from outbox)
               on conflict do nothing"""
        )
        await conn.execute(
            """insert into key_version (topic, key, version)
               select topic, key, max(sequence) from heard group by topic, key
               on conflict (topic, key) do update set version = greatest(key_version.version, excluded.version)"""
        )
        await conn.execute("update restored set compared_at = $1 where compared_at is null", at)


async def missing(conn: Conn) -> list[asyncpg.Record]:
    """What was said before and was not said again since, in the order of time."""
    return await conn.fetch(
        """select id::text, topic, key, type, cause, said_at, value from said_before
           where id not in (select split_part(headers, E'\\n', 2)::uuid from said
                            union all select split_part(headers, E'\\n', 2)::uuid from outbox)
           order by said_at, id"""
    )


async def settled(conn: Conn, ids: Iterable[str]) -> None:
    """Nothing is owed for these any more."""
    await conn.execute("delete from said_before where id = any($1::text[]::uuid[])", list(ids))
