"""Where a person stands and why, and who wants it looked at again."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from chassis.postgres import Conn


@dataclass(frozen=True, slots=True)
class Reviews:
    """SQL of reviews, in the transaction of a batch."""

    conn: Conn

    async def standing(self, need_id: UUID, partner: str | None) -> asyncpg.Record | None:
        """A need with what its place in the list comes from. Of `partner` alone, where one is given."""
        return await self.conn.fetchrow(
            """select n.id as need_id, n.kind, n.status, n.reason, n.next_by, n.next_on, n.next_what,
                      r.id as referral_id, r.received_at, r.score, r.groups, r.area_step, r.policy, r.lane,
                      p.wrapped_key, p.sealed
               from need n join referral r on r.id = n.referral_id left join person p using (person_ref)
               where n.id = $1 and ($2::text is null or r.partner = $2)""",
            need_id,
            partner,
        )

    async def of_need(self, need_id: UUID) -> list[asyncpg.Record]:
        return await self.conn.fetch(
            "select asked_at, answer, answered_at from review where need_id = $1 order by id", need_id
        )

    async def ask(self, need_id: UUID, referral_id: UUID, by: str, why: str, at: datetime) -> bool:
        """False where one is open already."""
        done = await self.conn.execute(
            """insert into review (need_id, referral_id, asked_by, why, asked_at) values ($1, $2, $3, $4, $5)
               on conflict do nothing""",
            need_id,
            referral_id,
            by,
            why,
            at,
        )
        return str(done) == "INSERT 0 1"

    async def answer(self, need_id: UUID, by: str, answer: str, at: datetime) -> bool:
        """False where none is open."""
        done = await self.conn.execute(
            """update review set answer = $3, answered_by = $2, answered_at = $4
               where need_id = $1 and answered_at is null""",
            need_id,
            by,
            answer,
            at,
        )
        return str(done) == "UPDATE 1"

    async def open(self) -> list[asyncpg.Record]:
        """For staff, the oldest first."""
        return await self.conn.fetch(
            """select need_id, referral_id, asked_by, why, asked_at from review
               where answered_at is null order by id limit 500"""
        )

    async def forget(self, referral_ids: Collection[UUID]) -> None:
        await self.conn.execute("delete from review where referral_id = any($1::uuid[])", list(referral_ids))
