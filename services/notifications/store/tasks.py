"""The call tasks: what a human being has to tell, who took it, and how it went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg

from contracts.vocabulary import Channel
from services.notifications.domain.telling import Tell
from services.notifications.store.connection import OnConnection

Outcome = Literal["reached", "no-answer", "wrong-number", "declined"]


@dataclass(frozen=True, slots=True)
class Task:
    """A call task to be made."""

    id: UUID
    tell: Tell
    channel: Channel


class Tasks(OnConnection):
    __slots__ = ()

    async def add_tasks(self, tasks: Sequence[Task], at: datetime) -> None:
        await self.conn.execute(
            """insert into call_task (id, referral_id, need_id, message_id, channel, about, created_at)
               select id, referral_id, need_id, message_id, channel, about, $7
               from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[])
               as new (id, referral_id, need_id, message_id, channel, about)""",
            [task.id for task in tasks],
            [task.tell.referral_id for task in tasks],
            [task.tell.need_id for task in tasks],
            [task.tell.message_id for task in tasks],
            [task.channel for task in tasks],
            [task.tell.status for task in tasks],
            at,
        )

    async def open_tasks(self, after: UUID | None, limit: int) -> list[asyncpg.Record]:
        return await self.conn.fetch(
            """select * from call_task where closed_at is null and ($1::uuid is null or id > $1)
               order by id limit $2""",
            after,
            limit,
        )

    async def task(self, task_id: UUID) -> asyncpg.Record | None:
        return await self.conn.fetchrow("select * from call_task where id = $1", task_id)

    async def claim_task(self, task_id: UUID, who: str, at: datetime) -> asyncpg.Record | None:
        """The task, now theirs; none where it is not there, closed, or another's."""
        return await self.conn.fetchrow(
            """update call_task set claimed_by = $2, claimed_at = coalesce(claimed_at, $3)
               where id = $1 and closed_at is null and coalesce(claimed_by, $2) = $2
               returning *""",
            task_id,
            who,
            at,
        )

    async def close_task(self, task_id: UUID, who: str, outcome: Outcome, at: datetime) -> asyncpg.Record | None:
        """The task, closed; none where it is not there, not theirs, or closed with another outcome."""
        return await self.conn.fetchrow(
            """update call_task set outcome = $3, closed_at = coalesce(closed_at, $4)
               where id = $1 and claimed_by = $2 and coalesce(outcome, $3) = $3
               returning *""",
            task_id,
            who,
            outcome,
            at,
        )
