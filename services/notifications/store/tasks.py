"""The call tasks: what a human being has to tell, who took it, and how it went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

import asyncpg

from contracts.vocabulary import PersonsAnswer
from services.notifications.domain.ladder import CLAIM_LASTS, Outcome, TaskChannel
from services.notifications.domain.telling import Telling
from services.notifications.store.connection import OnConnection

TASK: Final = "select t.*, m.audience, m.application_id from call_task t join message m on m.id = t.message_id"


@dataclass(frozen=True, slots=True)
class Task:
    """A call task to be made. `reason` is why staff are to look."""

    id: UUID
    tell: Telling
    channel: TaskChannel
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """How a task went. `who` is none where nobody had taken it."""

    task_id: UUID
    outcome: Outcome | str
    who: str | None


class Tasks(OnConnection):
    __slots__ = ()

    async def add_tasks(self, tasks: Sequence[Task], at: datetime) -> None:
        await self.conn.execute(
            """insert into call_task (id, referral_id, need_id, message_id, rung, channel, about, reason, created_at)
               select id, referral_id, need_id, message_id, rung, channel, about, reason, $9
               from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::text[], $7::text[],
                           $8::text[])
               as new (id, referral_id, need_id, message_id, rung, channel, about, reason)""",
            [task.id for task in tasks],
            [task.tell.referral_id for task in tasks],
            [task.tell.need_id for task in tasks],
            [task.tell.message_id for task in tasks],
            [task.tell.rung for task in tasks],
            [task.channel for task in tasks],
            [task.tell.about for task in tasks],
            [task.reason for task in tasks],
            at,
        )

    async def open_tasks(self, after: UUID | None, limit: int) -> list[asyncpg.Record]:
        """Those for staff; what the referrer was asked to do is not among them."""
        return await self.conn.fetch(
            f"""{TASK} where t.closed_at is null and t.channel <> 'via-referrer' and ($1::uuid is null or t.id > $1)
                order by t.id limit $2""",
            after,
            limit,
        )

    async def task(self, task_id: UUID) -> asyncpg.Record | None:
        return await self.conn.fetchrow(f"{TASK} where t.id = $1", task_id)

    async def lock_tasks(self, ids: Sequence[UUID]) -> dict[UUID, asyncpg.Record]:
        rows = await self.conn.fetch(
            "select * from call_task where id = any($1::uuid[]) order by id for update", list(ids)
        )
        return {row["id"]: row for row in rows}

    async def open_of(self, messages: Sequence[UUID]) -> list[asyncpg.Record]:
        """The open tasks of these messages, locked."""
        return await self.conn.fetch(
            "select * from call_task where message_id = any($1::uuid[]) and closed_at is null order by id for update",
            list(messages),
        )

    async def claim_task(self, task_id: UUID, who: str, at: datetime) -> asyncpg.Record | None:
        """The task, now theirs; none where it is not there, closed, not due yet, or another's who still has time."""
        return await self.conn.fetchrow(
            """update call_task set claimed_by = $2, claimed_at = case when claimed_by = $2 then claimed_at else $3 end
               from message m
               where call_task.id = $1 and m.id = message_id and closed_at is null
                   and (coalesce(claimed_by, $2) = $2 or claimed_at <= $4) and coalesce(not_before, $3) <= $3
                   and call_task.channel <> 'via-referrer'
               returning call_task.*, m.audience, m.application_id""",
            task_id,
            who,
            at,
            at - CLAIM_LASTS,
        )

    async def close_tasks(self, closings: Sequence[Closing], at: datetime) -> None:
        """Whoever closes a task tried it, but for one that is taken away."""
        await self.conn.execute(
            """update call_task set outcome = new.outcome, closed_at = $4,
                   tries = tries + (new.outcome <> 'superseded')::int,
                   claimed_by = coalesce(claimed_by, new.who),
                   claimed_at = case when claimed_by is null and new.who is not null then $4 else claimed_at end
               from unnest($1::uuid[], $2::text[], $3::text[]) as new (id, outcome, who)
               where call_task.id = new.id and closed_at is null""",
            [closing.task_id for closing in closings],
            [closing.outcome for closing in closings],
            [closing.who for closing in closings],
            at,
        )

    async def correct_outcome(self, task: UUID, outcome: Outcome) -> None:
        """What was told of a task that is closed has turned out otherwise."""
        await self.conn.execute("update call_task set outcome = $2 where id = $1", task, outcome)

    async def keep_answer(self, task: UUID, answer: PersonsAnswer, until: date | None) -> None:
        """What the person said when they were reached."""
        await self.conn.execute(
            "update call_task set answer = $2, answer_until = $3 where id = $1", task, answer, until
        )

    async def release_tasks(self, tasks: Sequence[tuple[UUID, datetime]]) -> None:
        """They are for anybody again, from a time on, with one try more."""
        await self.conn.execute(
            """update call_task set claimed_by = null, claimed_at = null, tries = tries + 1, not_before = new.at
               from unnest($1::uuid[], $2::timestamptz[]) as new (id, at)
               where call_task.id = new.id and closed_at is null""",
            [task for task, _ in tasks],
            [at for _, at in tasks],
        )
