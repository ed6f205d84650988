"""The call tasks, for staff: list, claim, tell how it went. No name and no address passes here."""

from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict

from chassis.door import body_of, read
from chassis.http import NOT_FOUND, Problem, Staff
from chassis.service import Running
from contracts.vocabulary import Channel, NeedStatus
from services.notifications.store import Store
from services.notifications.store.tasks import Outcome


class CallTask(BaseModel):
    """Somebody is to be told, by `channel`, that their need is now `about`."""

    id: UUID
    referral_id: UUID
    need_id: UUID
    message_id: UUID
    channel: Channel
    about: NeedStatus
    created_at: AwareDatetime
    claimed_by: str | None
    claimed_at: AwareDatetime | None
    outcome: Outcome | None
    closed_at: AwareDatetime | None


class CallTasks(BaseModel):
    """One page; `next` is the `after` of the next one, none on the last."""

    tasks: list[CallTask]
    next: UUID | None


class Told(BaseModel):
    """How it went: a code and nothing else, so that no note about a person is kept here."""

    model_config = ConfigDict(extra="forbid")

    outcome: Outcome


def routes(running: Running) -> APIRouter:
    router = APIRouter(prefix="/v1/call-tasks", tags=["call tasks"])

    @router.get("")
    async def list_open(
        _staff: Staff, limit: Annotated[int, Query(ge=1, le=200)] = 50, after: UUID | None = None
    ) -> CallTasks:
        """The tasks that nobody has closed, oldest first."""
        async with running.database.acquire() as conn:
            rows = await Store(conn).open_tasks(after, limit)
        tasks = [_task(row) for row in rows]
        return CallTasks(tasks=tasks, next=tasks[-1].id if len(tasks) == limit else None)

    @router.post("/{task_id}/claim")
    async def claim(task_id: UUID, staff: Staff) -> CallTask:
        """Makes the task yours, so that nobody else rings too. Claiming it again changes nothing."""
        async with running.database.acquire() as conn, conn.transaction():
            store = Store(conn)
            row = await store.claim_task(task_id, staff.principal, running.clock())
            return _task(row or _refused(await store.task(task_id), "Claim another: this one is closed, or not yours."))

    @router.post("/{task_id}/outcome", openapi_extra=body_of(Told))
    async def close(task_id: UUID, request: Request, staff: Staff) -> CallTask:
        """Closes a task that you claimed."""
        told = await read(request, Told)
        async with running.database.acquire() as conn, conn.transaction():
            store = Store(conn)
            row = await store.close_task(task_id, staff.principal, told.outcome, running.clock())
            return _task(row or _refused(await store.task(task_id), "Claim it first; an outcome is told once."))

    return router


def _task(row: asyncpg.Record) -> CallTask:
    return CallTask.model_validate(dict(row))


def _refused(task: asyncpg.Record | None, mend: str) -> asyncpg.Record:
    """Raises Problem: 404 where there is no such task, else 409."""
    raise Problem(409, mend) if task else NOT_FOUND
