"""Staff name assessors and give out applications; assessors score; approvers moderate."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from chassis.access import Caller
from chassis.door import body_of
from chassis.http import NOT_FOUND, IdempotencyKey, Staff, role
from chassis.service import Running
from contracts.grants import ApplicationAssessed
from contracts.vocabulary import Code
from services.grants.api.shapes import Assessor, Decider, ScoreLine, ToScore
from services.grants.handlers.judging import (
    AssignAssessor,
    AssignAssessors,
    DeclareConflict,
    ModerateApplication,
    PutAssessor,
    ScoreApplication,
)
from services.grants.store import views

Judge = Annotated[Caller, Depends(role("assessor", "approver", "staff"))]


def add(router: APIRouter, running: Running) -> None:
    _staff(router, running)
    _assessors(router, running)
    _views(router, running)


def _staff(router: APIRouter, running: Running) -> None:
    door = running.door

    @router.put("/assessors/{assessor}", status_code=204, openapi_extra=body_of(PutAssessor, "assessor", "by"))
    async def put_assessor(request: Request, assessor: Code, staff: Staff, key: IdempotencyKey = None) -> None:
        """Names an assessor with all their interests: whoever has a key of that name and role may score."""
        await door.accept(request, PutAssessor, staff.principal, key, assessor=assessor, by=staff.principal)

    @router.post("/rounds/{round_id}/assignment")
    async def assign_all(request: Request, round_id: Code, staff: Staff, key: IdempotencyKey = None) -> list[ScoreLine]:
        """Gives every application the assessors it lacks: evenly, and to nobody with an interest in it."""
        await door.accept(request, AssignAssessors, staff.principal, key, round_id=round_id, by=staff.principal)
        async with running.database.acquire() as conn:
            return [ScoreLine(**row) for row in await views.scores(conn, round_id=round_id)]

    @router.post(
        "/applications/{application_id}/assessors",
        status_code=204,
        openapi_extra=body_of(AssignAssessor, "application_id", "by"),
    )
    async def assign_one(request: Request, application_id: UUID, staff: Staff, key: IdempotencyKey = None) -> None:
        """Gives one application to one assessor."""
        who = staff.principal
        await door.accept(request, AssignAssessor, who, key, application_id=application_id, by=who)

    @router.post(
        "/applications/{application_id}/moderation",
        response_model=ApplicationAssessed,
        openapi_extra=body_of(ModerateApplication, "application_id", "by"),
    )
    async def moderate(
        request: Request, application_id: UUID, decider: Decider, key: IdempotencyKey = None
    ) -> BaseModel | None:
        """Settles the points of an application, with the reason."""
        who = decider.principal
        return await door.accept(request, ModerateApplication, who, key, application_id=application_id, by=who)


def _assessors(router: APIRouter, running: Running) -> None:
    door = running.door

    @router.get("/assessments")
    async def to_score(assessor: Assessor) -> list[ToScore]:
        """What this assessor has to score, and did."""
        async with running.database.acquire() as conn:
            return [ToScore(**row) for row in await views.assigned_to(conn, assessor.principal)]

    @router.post(
        "/applications/{application_id}/scores",
        openapi_extra=body_of(ScoreApplication, "application_id", "by"),
    )
    async def score(
        request: Request, application_id: UUID, assessor: Assessor, key: IdempotencyKey = None
    ) -> list[ScoreLine]:
        """Scores an application, once. From then on the scores of the others may be seen."""
        who = assessor.principal
        await door.accept(request, ScoreApplication, who, key, application_id=application_id, by=who)
        async with running.database.acquire() as conn:
            return [ScoreLine(**row) for row in await views.scores(conn, application_id=application_id)]

    @router.post(
        "/applications/{application_id}/conflict",
        status_code=204,
        openapi_extra=body_of(DeclareConflict, "application_id", "by"),
    )
    async def declare(request: Request, application_id: UUID, assessor: Assessor, key: IdempotencyKey = None) -> None:
        """Declares a conflict: the application goes to another."""
        who = assessor.principal
        await door.accept(request, DeclareConflict, who, key, application_id=application_id, by=who)


def _views(router: APIRouter, running: Running) -> None:
    @router.get("/applications/{application_id}/scores")
    async def get_scores(application_id: UUID, caller: Judge) -> list[ScoreLine]:
        """Scores side by side. An assessor sees those of others only beside their own."""
        async with running.database.acquire() as conn:
            rows = await views.scores(conn, application_id=application_id)
        own = [row for row in rows if row["assessor"] == caller.principal and row["points"] is not None]
        if caller.role == "assessor" and not own:
            raise NOT_FOUND
        return [ScoreLine(**row) for row in rows]

    @router.get("/rounds/{round_id}/scores")
    async def round_scores(round_id: Code, _caller: Decider) -> list[ScoreLine]:
        """Every assignment of a round with its score."""
        async with running.database.acquire() as conn:
            return [ScoreLine(**row) for row in await views.scores(conn, round_id=round_id)]
