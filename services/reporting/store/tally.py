"""The counts of needs, kept as needs change: counting all of them again takes longer with each that is stored."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from chassis.postgres import Conn
from services.reporting.domain.measures import Count, Measure

_COUNT = """
    select case when grouping(status) = 0 then 'needs-by-status' when grouping(kind) = 0 then 'needs-by-kind'
                else 'needs-by-ward' end as measure,
           coalesce(status, kind, area) as code, count(*) as needs, count(distinct referral_id) as people
    from need where status <> 'entered-in-error' {of} group by grouping sets ((status), (kind), (area))
"""
COUNT_ALL: Final = _COUNT.format(of="")
COUNT_OF: Final = _COUNT.format(of="and referral_id = any($1::uuid[])")
"""Two statements: one with a condition for both would be planned to read the whole table."""

Counted = dict[tuple[Measure, str], tuple[int, int]]


def _counted(rows: list[asyncpg.Record]) -> Counted:
    return {(row["measure"], row["code"]): (row["needs"], row["people"]) for row in rows}


@dataclass(frozen=True, slots=True)
class Tally:
    conn: Conn

    @asynccontextmanager
    async def following(self, referrals: Collection[UUID]) -> AsyncIterator[None]:
        """Counts what the needs of these referrals come to before and after the block, and keeps the difference."""
        ids = list(set(referrals))
        before = await self._count(ids)
        yield
        await self._add(before, await self._count(ids))

    async def _count(self, referrals: Collection[UUID]) -> Counted:
        return _counted(await self.conn.fetch(COUNT_OF, referrals))

    async def _add(self, before: Counted, after: Counted) -> None:
        """One transaction at a time, so that two never wait for each other's codes."""
        await self.conn.execute("lock table tally in share row exclusive mode")
        if not await self.conn.fetchval("select exists (select from tally)"):
            before, after = {}, _counted(await self.conn.fetch(COUNT_ALL))
        codes = sorted(code for code in before.keys() | after.keys() if before.get(code) != after.get(code))
        changes = [_less(after.get(code, (0, 0)), before.get(code, (0, 0))) for code in codes]
        await self.conn.execute(
            """insert into tally as t (measure, code, needs, people)
               select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
               on conflict (measure, code) do update
               set needs = t.needs + excluded.needs, people = t.people + excluded.people""",
            [measure for measure, _ in codes],
            [code for _, code in codes],
            [needs for needs, _ in changes],
            [people for _, people in changes],
        )
        await self.conn.execute("delete from tally where needs = 0")

    async def by_measure(self) -> dict[Measure, list[Count]]:
        counts: dict[Measure, list[Count]] = {}
        for row in await self.conn.fetch("select * from tally order by measure, code"):
            counts.setdefault(row["measure"], []).append(Count(row["code"], row["needs"], row["people"]))
        return counts


def _less(after: tuple[int, int], before: tuple[int, int]) -> tuple[int, int]:
    return after[0] - before[0], after[1] - before[1]
