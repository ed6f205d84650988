"""What persons told for counting alone, and which months were counted."""

import json
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

import asyncpg

from chassis.postgres import Conn
from contracts.person import Monitoring

HELD: Final = {
    "monitoring": """select * from monitoring
                     where person_ref in (select person_ref from referral where id = any($1::text[]::uuid[]))"""
}

_PEOPLE: Final = "referral r join person p using (person_ref)"
_REFERRED: Final = """received_at >= $1 and received_at < $2
    and exists (select from need n where n.referral_id = r.id and status <> 'entered-in-error')"""


@dataclass(frozen=True, slots=True)
class People:
    """SQL of counting people, in the transaction of a batch."""

    conn: Conn

    async def replace(self, told: Mapping[UUID, Monitoring | None]) -> None:
        await self.conn.execute("delete from monitoring where person_ref = any($1::uuid[])", list(told))
        await self.add(told)

    async def add(self, told: Mapping[UUID, Monitoring | None]) -> None:
        rows = [{"person_ref": str(ref), **each.model_dump()} for ref, each in told.items() if each]
        if rows:
            await self.conn.execute(
                """insert into monitoring select * from json_populate_recordset(null::monitoring, $1::json)
                   on conflict do nothing""",
                json.dumps(rows),
            )

    async def begin(self, before: datetime, at: datetime) -> list[date]:
        """The months before a time that were not counted yet; they are, from now on."""
        rows = await self.conn.fetch(
            """insert into people_counted (month, counted_at)
               select distinct date_trunc('month', received_at at time zone 'Europe/London')::date, $2::timestamptz
               from referral join person using (person_ref) where received_at < $1
               on conflict do nothing returning month""",
            before,
            at,
        )
        return sorted(row["month"] for row in rows)

    async def by_monitoring(self, words: Collection[str], begins: datetime, ends: datetime) -> list[asyncpg.Record]:
        """For each of these words, how many people told which code of it, or none."""
        return await self.conn.fetch(
            f"""select word, to_jsonb(m) ->> word as code, count(*)::int as people
                from {_PEOPLE} left join monitoring m using (person_ref) cross join unnest($3::text[]) as word
                where {_REFERRED} group by 1, 2""",  # noqa: S608 - our own words
            begins,
            ends,
            list(words),
        )

    async def sealed(self, begins: datetime, ends: datetime) -> AsyncIterator[asyncpg.Record]:
        """Each person with what their score came from, one after another."""
        query = f"select r.policy, r.groups, p.wrapped_key, p.sealed from {_PEOPLE} where {_REFERRED}"  # noqa: S608 - the same
        async for row in self.conn.cursor(query, begins, ends, prefetch=1000):
            yield row
