"""The SQL of rebuilding: a schema beside the live one, the comparison of both, and the switch.

Names of tables and columns come quoted from Postgres itself.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from chassis.delivery import Partition
from chassis.errors import Stopped
from chassis.migrations import migrate
from chassis.postgres import Conn
from chassis.settings import DatabaseSettings

SHADOW: Final = "rebuild"
LIVE: Final = "public"
PART: Final = 10_000
"""Rows that are hashed together: a table is never one text in memory."""
COMPARE_WITHIN: Final = 3600.0
LETTER: Final = "key, type, event_id, kind, rule, field, body, envelope, attempts"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the projection, and the columns of its primary key."""

    name: str
    quoted: str
    key: Sequence[str]


@dataclass(frozen=True, slots=True)
class Compared:
    """A table made anew beside the live one: how many rows the live one lacks, has too many, or has otherwise."""

    rows: int
    missing: int = 0
    extra: int = 0
    changed: int = 0

    @property
    def same(self) -> bool:
        return not (self.missing or self.extra or self.changed)


async def clear(conn: Conn) -> None:
    await conn.execute(f"drop schema if exists {SHADOW} cascade")


async def begin(
    conn: Conn, owner: DatabaseSettings, app_role: str, package: str, not_from_facts: Collection[str]
) -> list[Table]:
    """Makes the schema with all tables of chassis and service, empty, and returns those of the projection.

    Raises Stopped where the live schema is of another release.
    """
    await clear(conn)
    role = await conn.fetchval("select quote_ident($1)", app_role)
    await conn.execute(f"create schema {SHADOW}")
    await conn.execute(f"grant usage on schema {SHADOW} to {role}")
    inside = owner.model_copy(update={"search_path": SHADOW})
    await migrate(inside, app_role, ["chassis"])
    others = {*not_from_facts, *(table.name for table in await _tables(conn))}
    await migrate(inside, app_role, ["chassis", package])
    await must_be_of_one_release(conn)
    return [_with_key(table) for table in await _tables(conn) if table.name not in others]


def _with_key(table: Table) -> Table:
    if not table.key:
        raise Stopped(f"the table {table.name} has no primary key, by which it could be compared: give it one")
    return table


async def _tables(conn: Conn) -> list[Table]:
    rows = await conn.fetch(
        """select c.relname::text as name, quote_ident(c.relname) as quoted,
                  array_remove(array_agg(quote_ident(a.attname) order by a.attnum), null) as key
           from pg_class c
           left join pg_index i on i.indrelid = c.oid and i.indisprimary
           left join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey)
           where c.relnamespace = $1::text::regnamespace and c.relkind in ('r', 'p')
           group by c.relname order by c.relname""",
        SHADOW,
    )
    return [Table(row["name"], row["quoted"], row["key"]) for row in rows]


async def must_be_of_one_release(conn: Conn) -> None:
    same = await conn.fetchval(
        f"""select (select array_agg((name, checksum)::text order by name) from {LIVE}.schema_migration)
                 = (select array_agg((name, checksum)::text order by name) from {SHADOW}.schema_migration)"""  # noqa: S608 - constants
    )
    if not same:
        raise Stopped(
            "the live tables are of another release than this one: use the release that the service runs, "
            "or apply the missing migrations first (furthest migrate)"
        )


async def hold(conn: Conn) -> None:
    """Until the transaction ends, no consumer of the live service commits anything."""
    await conn.execute(f"lock table {LIVE}.consumer_offset in exclusive mode")


async def live_offsets(conn: Conn, consumer: str, topics: Sequence[str]) -> dict[Partition, int]:
    rows = await conn.fetch(
        f"""select topic, partition, next_offset from {LIVE}.consumer_offset
            where consumer = $1 and topic = any($2) order by topic, partition""",  # noqa: S608 - a constant
        consumer,
        topics,
    )
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def discarded(conn: Conn, consumer: str) -> frozenset[tuple[str, int, int]]:
    """The records, as (topic, partition, offset), that staff said are to have no effect."""
    rows = await conn.fetch(
        f"""select topic, partition, record_offset from {LIVE}.dead_letter
            where consumer = $1 and settled = 'discarded'""",  # noqa: S608 - a constant
        consumer,
    )
    return frozenset((row["topic"], row["partition"], row["record_offset"]) for row in rows)


async def open_letters(conn: Conn) -> int:
    return int(await conn.fetchval(f"select count(*) from {SHADOW}.dead_letter"))  # noqa: S608 - a constant


async def compare(conn: Conn, table: Table) -> Compared:
    """By checksums of all rows in the order of their keys; where these differ, row by row."""
    rows, live = await _checksum(conn, LIVE, table)
    rows, new = await _checksum(conn, SHADOW, table)
    return Compared(rows) if live == new else Compared(rows, **await _differences(conn, table))


async def _checksum(conn: Conn, schema: str, table: Table) -> tuple[int, str | None]:
    row = await conn.fetchrow(
        f"""select coalesce(sum(n), 0)::bigint as rows, md5(string_agg(part, '' order by nth)) as checksum
            from (select place / {PART} as nth, count(*) as n, md5(string_agg(line, '' order by place)) as part
                  from (select row_number() over (order by {", ".join(table.key)}) as place, (each_row.*)::text as line
                        from {schema}.{table.quoted} each_row) as lines
                  group by 1) as parts""",  # noqa: S608 - quoted by Postgres
        timeout=COMPARE_WITHIN,
    )
    return (row["rows"], row["checksum"]) if row else (0, None)


async def _differences(conn: Conn, table: Table) -> Mapping[str, int]:
    first = table.key[0]
    row = await conn.fetchrow(
        f"""select count(*) filter (where live.{first} is null) as missing,
                   count(*) filter (where made.{first} is null) as extra,
                   count(*) filter (where (live.*)::text <> (made.*)::text) as changed
            from {LIVE}.{table.quoted} live full join {SHADOW}.{table.quoted} made using ({", ".join(table.key)})""",  # noqa: S608 - quoted by Postgres
        timeout=COMPARE_WITHIN,
    )
    return dict(row or {})


async def analyze(conn: Conn, tables: Sequence[Table]) -> None:
    """So that the first queries after the switch are planned well."""
    await conn.execute(f"analyze {_listed(SHADOW, tables)}", timeout=COMPARE_WITHIN)


async def lock(conn: Conn, tables: Sequence[Table]) -> None:
    """Keeps everybody from the live tables. Raises QueryCanceledError where not all are to be had in half a second.

    A reader waits for a second before it asks whether it is in a deadlock, so no reader ever fails because of us.
    """
    await conn.execute("set local statement_timeout = '500ms'")
    await conn.execute(f"lock table {_listed(LIVE, tables)} in access exclusive mode")
    await conn.execute("set local statement_timeout = 0")


async def switch(conn: Conn, tables: Sequence[Table]) -> None:
    """Puts the new tables in the place of the live ones, with their indexes, sequences and rights.

    Raises Stopped where something else rests on a live table, or a new one on what is left behind.
    """
    try:
        await conn.execute(f"drop table {_listed(LIVE, tables)}")
        for table in tables:
            await conn.execute(f"alter table {SHADOW}.{table.quoted} set schema {LIVE}")
        await conn.execute(f"drop table {_listed(SHADOW, await _tables(conn))}")
        await conn.execute(f"drop schema {SHADOW}")
    except asyncpg.DependentObjectsStillExistError as error:
        raise Stopped(f"nothing was switched, because other objects depend on it: {error.detail}") from error


def _listed(schema: str, tables: Sequence[Table]) -> str:
    return ", ".join(f"{schema}.{table.quoted}" for table in tables)


async def take_over_work(conn: Conn) -> None:
    """What the new projection wants done is done by the live service, so that what it publishes is as true."""
    await conn.execute(
        f"""insert into {LIVE}.due (type, key, value, correlation, due_at)
            select type, key, value, correlation, due_at from {SHADOW}.due order by id"""  # noqa: S608 - constants
    )


async def take_over_letters(conn: Conn, consumer: str, topics: Sequence[str], at: datetime) -> None:
    """The open dead letters become those of the new projection: what has its effect there is settled."""
    await conn.execute(
        f"""with done as (
                update {LIVE}.dead_letter live set settled = 'replayed', settled_at = $3
                where consumer = $1 and topic = any($2) and settled_at is null
                  and not exists (select from {SHADOW}.dead_letter made where made.topic = live.topic
                                  and made.partition = live.partition and made.record_offset = live.record_offset)
                returning id, topic, key
            )
            insert into {LIVE}.dead_letter_audit (at, who, why, done, consumer, topic, key, letters)
            select $3, 'rebuild', 'the projection was made anew from the log', 'replayed', $1, topic, key,
                   array_agg(id order by id)
            from done group by topic, key""",  # noqa: S608 - constants
        consumer,
        list(topics),
        at,
    )
    await conn.execute(
        f"""with again as (
                delete from {LIVE}.dead_letter where consumer = $1 and topic = any($2) and settled_at is null
                returning topic, partition, record_offset, dead_at
            )
            insert into {LIVE}.dead_letter (consumer, topic, partition, record_offset, dead_at, {LETTER})
            select $1, topic, partition, record_offset, coalesce(again.dead_at, made.dead_at), {LETTER}
            from {SHADOW}.dead_letter made left join again using (topic, partition, record_offset)
            order by made.id""",  # noqa: S608 - constants
        consumer,
        list(topics),
    )
