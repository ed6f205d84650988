"""Organisations draft, check, submit, withdraw and report; staff ask for changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from chassis.access import Caller
from chassis.door import body_of
from chassis.http import NOT_FOUND, IdempotencyKey, Staff
from chassis.postgres import Conn
from chassis.service import Running
from contracts.grants import (
    ApplicationSubmitted,
    ApplicationWithdrawn,
    ChangesRequested,
    GrantReported,
)
from contracts.refusal import FieldError
from services.grants.api.shapes import (
    Answers,
    Anybody,
    Applicant,
    ApplicantOrStaff,
    ApplicationView,
    BriefLine,
    Decider,
    DraftView,
    HistoryLine,
)
from services.grants.domain.organisation import known_as
from services.grants.domain.scoring import feedback
from services.grants.handlers.asking import (
    ApplyForGrant,
    RequestChanges,
    SaveDraft,
    SubmitDraft,
    WithdrawApplication,
)
from services.grants.handlers.considering import Moment, complete, consider
from services.grants.handlers.judging import ReportGrant
from services.grants.store import Store, views
from services.grants.store.applications import Draft
from services.grants.store.rows import Submission

Ending = Annotated[str, Query(pattern=r"^[0-9a-f-]{0,36}$", description="The end of the id, such as 4f1c09ab.")]
DECIDED = {"awarded", "reserve", "declined", "withdrawn"}


def add(router: APIRouter, running: Running) -> None:
    _drafting(router, running)
    _submitting(router, running)
    _acts(router, running)
    _views(router, running)


def _drafting(router: APIRouter, running: Running) -> None:
    @router.put("/applications/{application_id}", openapi_extra=body_of(SaveDraft, "application_id", "applicant"))
    async def save_draft(
        request: Request, application_id: UUID, applicant: Applicant, key: IdempotencyKey = None
    ) -> Answers:
        """Keeps a draft, under an id (a UUID) of the organisation's own choice. Any part may lack yet.

        Answers whether it could be submitted as it is, and if not, every reason.
        """
        who = applicant.principal
        await running.door.accept(request, SaveDraft, who, key, application_id=application_id, applicant=who)
        return await _check(running, applicant, application_id)

    @router.get("/applications/{application_id}/check")
    async def check_answers(application_id: UUID, applicant: Applicant) -> Answers:
        """Whether the draft could be submitted now as it is, and if not, every reason."""
        return await _check(running, applicant, application_id)


def _submitting(router: APIRouter, running: Running) -> None:
    @router.post(
        "/applications",
        status_code=201,
        response_model=ApplicationSubmitted,
        openapi_extra=body_of(ApplyForGrant, "applicant"),
    )
    async def apply(
        request: Request, response: Response, applicant: Applicant, key: IdempotencyKey = None
    ) -> BaseModel | None:
        """Asks for money, without a draft before.

        Sent again with the same Idempotency-Key, it is done once and answered the same.
        """
        told = await running.door.accept(
            request, ApplyForGrant, applicant.principal, key, applicant=applicant.principal
        )
        if isinstance(told, ApplicationSubmitted):
            response.headers["Location"] = f"/v1/applications/{told.application_id}"
        return told

    @router.post("/applications/{application_id}/submission", response_model=ApplicationSubmitted)
    async def submit(
        request: Request, application_id: UUID, applicant: Applicant, key: IdempotencyKey = None
    ) -> BaseModel | None:
        """Submits the draft, or submits again after changes."""
        who = applicant.principal
        return await running.door.accept(request, SubmitDraft, who, key, application_id=application_id, applicant=who)


def _acts(router: APIRouter, running: Running) -> None:
    door = running.door

    @router.post(
        "/applications/{application_id}/withdrawal",
        response_model=ApplicationWithdrawn,
        openapi_extra=body_of(WithdrawApplication, "application_id", "applicant", "by"),
    )
    async def withdraw(
        request: Request, application_id: UUID, caller: ApplicantOrStaff, key: IdempotencyKey = None
    ) -> BaseModel | None:
        """Gives up an application, or an award of which nothing is paid. The reserve list moves up."""
        who = caller.principal
        own = {"applicant": who} if caller.role == "applicant" else {}
        return await door.accept(request, WithdrawApplication, who, key, application_id=application_id, by=who, **own)

    @router.post(
        "/applications/{application_id}/changes",
        response_model=ChangesRequested,
        openapi_extra=body_of(RequestChanges, "application_id", "by"),
    )
    async def request_changes(
        request: Request, application_id: UUID, staff: Staff, key: IdempotencyKey = None
    ) -> BaseModel | None:
        """Asks the organisation for changes, until a moment. What was submitted stands if none come."""
        who = staff.principal
        return await door.accept(request, RequestChanges, who, key, application_id=application_id, by=who)

    @router.post(
        "/applications/{application_id}/reports",
        response_model=GrantReported,
        openapi_extra=body_of(ReportGrant, "application_id", "applicant"),
    )
    async def report(
        request: Request, application_id: UUID, applicant: Applicant, key: IdempotencyKey = None
    ) -> BaseModel | None:
        """Reports what was done with the money."""
        who = applicant.principal
        return await door.accept(request, ReportGrant, who, key, application_id=application_id, applicant=who)


def _views(router: APIRouter, running: Running) -> None:
    @router.get("/applications")
    async def list_applications(caller: ApplicantOrStaff, ends_with: Ending = "") -> list[BriefLine]:
        """The newest 500: an organisation's own applications and drafts, or for staff everybody's applications."""
        own = known_as(caller.principal) if caller.role == "applicant" else None
        async with running.database.acquire() as conn:
            return [BriefLine(**row) for row in await views.applications(conn, own, ends_with)]

    @router.get("/applications/{application_id}")
    async def get_application(application_id: UUID, caller: Anybody) -> ApplicationView | DraftView:
        """An application: organisations see their own, assessors what they have to score, staff and approvers all."""
        async with running.database.acquire() as conn:
            found = await views.application(conn, application_id)
            if caller.role == "applicant" and (found is None or found["status"] == "changes-requested"):
                return await _draft_view(conn, caller, application_id)
            if found is None or not await _may_see(conn, caller, found):
                raise NOT_FOUND
            return await _view(conn, caller, found)

    @router.get("/applications/{application_id}/history")
    async def get_history(application_id: UUID, _caller: Decider) -> list[HistoryLine]:
        """Every decision about an application: who, when, why."""
        async with running.database.acquire() as conn:
            return [HistoryLine(**row) for row in await views.history(conn, application_id=application_id)]


async def _check(running: Running, applicant: Caller, application_id: UUID) -> Answers:
    async with running.database.acquire() as conn:
        row = await views.draft(conn, application_id)
        if row is None or row["organisation_id"] != known_as(applicant.principal):
            raise NOT_FOUND
        found = await views.application(conn, application_id)
        return await _answers(conn, row, found["changes_until"] if found else None, running.clock())


async def _draft_view(conn: Conn, applicant: Caller, application_id: UUID) -> DraftView:
    row = await views.draft(conn, application_id)
    if row is None or row["organisation_id"] != known_as(applicant.principal):
        raise NOT_FOUND
    files = await views.attached(conn, application_id)
    return DraftView(**row, asked=_shown(row["body"]), attachments=files, status="draft")  # type: ignore[arg-type]  # rows are checked by the model


async def _may_see(conn: Conn, caller: Caller, found: dict[str, Any]) -> bool:
    if caller.role == "applicant":
        return bool(found["organisation_id"] == known_as(caller.principal))
    if caller.role == "assessor":
        return bool(await views.assigned_to(conn, caller.principal, found["application_id"]))
    return True


async def _view(conn: Conn, caller: Caller, found: dict[str, Any]) -> ApplicationView:
    """Points are not shown to the organisation before it is decided, nor to assessors, who judge independently."""
    application_id = found["application_id"]
    is_decided = found["status"] in DECIDED
    sees_points = caller.role in {"approver", "staff"} or (caller.role == "applicant" and is_decided)
    scores = [row["scores"] for row in await views.scores(conn, application_id=application_id) if row["scores"]]
    rounds = await Store(conn).rounds.known([found["round_id"]])
    words = feedback(rounds[found["round_id"]].rules.criteria, scores) if sees_points else []
    shown = found if sees_points else {**found, "points": None, "needs_moderation": False}
    money = await views.money(conn, application_id) if caller.role != "assessor" else {}
    return ApplicationView(
        **{**shown, "asked": _shown(found["body"])},
        attachments=await views.attached(conn, application_id),  # type: ignore[arg-type]  # rows are checked by the model
        feedback=words,
        past_awards=await views.past_awards(conn, found["organisation_id"]),  # type: ignore[arg-type]  # as above
        schedule=money.get("schedule", []),  # type: ignore[arg-type]  # as above
        payments=money.get("payments", []),  # type: ignore[arg-type]  # as above
        reports=money.get("reports", []),  # type: ignore[arg-type]  # as above
    )


async def _answers(conn: Conn, row: dict[str, Any], changes_until: datetime | None, at: datetime) -> Answers:
    draft = Draft(**{name: row[name] for name in Draft.__dataclass_fields__})
    asked = complete(draft)
    rounds = await Store(conn).rounds.known([draft.round_id])
    moment = Moment(at, draft.started_at, changes_until)
    found: Submission | Sequence[FieldError] = (
        consider(asked, rounds.get(draft.round_id), draft.application_id, moment)
        if isinstance(asked, ApplyForGrant)
        else asked
    )
    reasons = [] if isinstance(found, Submission) else list(found)
    return Answers(may_be_submitted=not reasons, reasons=reasons)


def _shown(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "applicant"}
