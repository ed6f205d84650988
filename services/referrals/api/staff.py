"""What staff do to referrals, and what waits for them."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from chassis.access import Caller
from chassis.door import body_of
from chassis.http import IdempotencyKey, Staff
from chassis.service import Running
from contracts.door import ReferralAcknowledged
from services.referrals.domain.lifecycle import ENDS, LATE
from services.referrals.handlers.duplicates import SettleDuplicate
from services.referrals.handlers.importing import ImportReferral
from services.referrals.handlers.policies import AdoptPolicy
from services.referrals.handlers.reviews import AnswerReview
from services.referrals.handlers.staff import (
    AnswerForPerson,
    BarProvider,
    ClearHomeVisit,
    MarkError,
    PauseNeed,
    RejectNeed,
    ResumeNeed,
    SetLane,
    StaffAct,
)
from services.referrals.store import Store

NEED_ACTS: dict[str, type[StaffAct]] = {
    "pause": PauseNeed,
    "resumption": ResumeNeed,
    "answer": AnswerForPerson,
    "barred-provider": BarProvider,
    "home-visit-clearance": ClearHomeVisit,
    "rejection": RejectNeed,
    "review-answer": AnswerReview,
}
REFERRAL_ACTS: dict[str, type[StaffAct]] = {"lane": SetLane, "error": MarkError, "duplicate": SettleDuplicate}


def for_staff(running: Running) -> APIRouter:
    router = APIRouter(prefix="/v1/staff", tags=["staff"])
    for name, model in NEED_ACTS.items():
        _need_act(router, running, name, model)
    for name, model in REFERRAL_ACTS.items():
        _referral_act(router, running, name, model)

    @router.post(
        "/imports",
        status_code=202,
        openapi_extra=body_of(ImportReferral, "by"),
    )
    async def take_over(request: Request, staff: Staff, idempotency_key: IdempotencyKey = None) -> JSONResponse:
        """Take over a person of an existing waiting list, with the day since which they wait."""
        told = await running.door.accept(request, ImportReferral, staff.principal, idempotency_key, by=staff.principal)
        assert isinstance(told, ReferralAcknowledged)  # noqa: S101 - a referral is acknowledged or refused
        return JSONResponse(told.model_dump(mode="json"), 202)

    @router.post("/priority-policies", status_code=202, openapi_extra=body_of(AdoptPolicy, "by"))
    async def adopt(request: Request, staff: Staff, idempotency_key: IdempotencyKey = None) -> dict[str, str]:
        """Adopt a version of the priority policy, for what comes from now on."""
        await running.door.accept(request, AdoptPolicy, staff.principal, idempotency_key, by=staff.principal)
        return {"status": "accepted"}

    @router.get("/priority-policy/scores")
    async def scores(_staff: Staff) -> dict[str, list[dict[str, Any]]]:
        """How many referrals of each partner got which score, by policy."""
        async with running.database.acquire() as conn:
            rows = await Store(conn).policies.scores()
        return {"scores": [dict(row) for row in rows]}

    _to_do(router, running)
    return router


def _to_do(router: APIRouter, running: Running) -> None:
    @router.get("/late")
    async def late(_staff: Staff) -> dict[str, list[dict[str, Any]]]:
        """Needs whose day went by, and that you have taken on: the next to fall due first."""
        async with running.database.acquire() as conn:
            rows = await Store(conn).changes.next_is(LATE[-1])
        return {"late": [dict(row) for row in rows]}

    @router.get("/agreements")
    async def agreements(_staff: Staff) -> dict[str, list[dict[str, Any]]]:
        """Needs that wait and whose agreement ends soon, the next first. The referrer was told to ask again."""
        async with running.database.acquire() as conn:
            rows = await Store(conn).changes.next_is(ENDS)
        return {"agreements": [dict(row) for row in rows]}

    @router.get("/duplicates")
    async def duplicates(_staff: Staff) -> dict[str, list[dict[str, Any]]]:
        """Referrals that may be of one person, and what they have in common. Look at both before you settle it."""
        async with running.database.acquire() as conn:
            rows = await Store(conn).duplicates.unsettled()
        return {"duplicates": [dict(row) for row in rows]}


def _need_act(router: APIRouter, running: Running, name: str, model: type[StaffAct]) -> None:
    @router.post(f"/needs/{{need_id}}/{name}", **_described(model, "need_id"))
    async def done(
        need_id: UUID, request: Request, staff: Staff, idempotency_key: IdempotencyKey = None
    ) -> dict[str, str]:
        return await _take(running, request, model, staff, idempotency_key, need_id=need_id)


def _referral_act(router: APIRouter, running: Running, name: str, model: type[StaffAct]) -> None:
    @router.post(f"/referrals/{{referral_id}}/{name}", **_described(model, "referral_id"))
    async def done(
        referral_id: UUID, request: Request, staff: Staff, idempotency_key: IdempotencyKey = None
    ) -> dict[str, str]:
        return await _take(running, request, model, staff, idempotency_key, referral_id=referral_id)


def _described(model: type[StaffAct], of_what: str) -> dict[str, Any]:
    return {
        "status_code": 202,
        "name": model.__name__,
        "description": model.__doc__,
        "openapi_extra": body_of(model, "by", of_what),
    }


async def _take(
    running: Running, request: Request, model: type[StaffAct], staff: Caller, key: str | None, **of: UUID
) -> dict[str, str]:
    await running.door.accept(request, model, staff.principal, key, by=staff.principal, **of)
    return {"status": "accepted"}
