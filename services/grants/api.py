"""The HTTP doors of grants: staff run funds and rounds, organisations apply."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from chassis.access import Caller
from chassis.disclosure import published
from chassis.door import body_of
from chassis.http import NOT_FOUND, IdempotencyKey, Staff, role
from chassis.service import Running
from contracts.grants import ApplicationDeclined, ApplicationSubmitted, FundOpened, GrantAwarded, RoundOpened
from contracts.vocabulary import Code, Kind
from services.grants.domain.awards import Status
from services.grants.domain.organisation import known_as
from services.grants.handlers.acts import ApplyForGrant, AwardGrant, DeclineApplication, PutFund, PutRound
from services.grants.store import views

Applicant = Annotated[Caller, Depends(role("applicant"))]
ApplicantOrStaff = Annotated[Caller, Depends(role("applicant", "staff"))]


class ApplicationView(BaseModel):
    """An application as its organisation and staff see it."""

    application_id: UUID
    round_id: str
    organisation_id: str
    organisation_original: str
    organisation_name: str
    title: str
    amount_pence: int
    kinds: list[Kind]
    wards: list[str]
    status: Status
    awarded_pence: int | None
    decline_reason: str | None
    submitted_at: datetime
    decided_at: datetime | None


class GapView(BaseModel):
    """How many people need this here and no place can give it: to the nearest 5; null hides 1 to 7."""

    kind: Kind
    area: str
    people: int | None


class RoundView(BaseModel):
    """A round, what is left of it, who applied, and the gaps that it may fill."""

    round_id: str
    fund_id: str
    budget_pence: int
    maximum_pence: int
    minimum_pence: int
    opens_at: datetime
    closes_at: datetime
    awarded_pence: int
    remaining_pence: int
    applications: list[ApplicationView]
    gaps: list[GapView]


def _round_view(rows: views.RoundRows) -> RoundView:
    return RoundView(
        **rows.round,
        remaining_pence=rows.round["budget_pence"] - rows.round["awarded_pence"],
        applications=[ApplicationView(**row) for row in rows.applications],
        gaps=[GapView(kind=row["kind"], area=row["area"], people=published(row["people"])) for row in rows.gaps],
    )


def routes(running: Running) -> APIRouter:
    router = APIRouter(prefix="/v1")
    _for_staff(router, running)
    _for_applicants(router, running)
    return router


def _for_staff(router: APIRouter, running: Running) -> None:
    door = running.door

    @router.put("/funds/{fund_id}", response_model=FundOpened, openapi_extra=body_of(PutFund, "fund_id"))
    async def put_fund(request: Request, fund_id: Code, staff: Staff, key: IdempotencyKey = None) -> BaseModel | None:
        """Opens a fund, or names it anew."""
        return await door.accept(request, PutFund, staff.principal, key, fund_id=fund_id)

    @router.put("/rounds/{round_id}", response_model=RoundOpened, openapi_extra=body_of(PutRound, "round_id"))
    async def put_round(request: Request, round_id: Code, staff: Staff, key: IdempotencyKey = None) -> BaseModel | None:
        """Opens a round or changes it."""
        return await door.accept(request, PutRound, staff.principal, key, round_id=round_id)

    @router.get("/rounds/{round_id}")
    async def get_round(round_id: Code, _staff: Staff) -> RoundView:
        """A round, its applications, what is left of its budget, and the gaps beside it."""
        async with running.database.acquire() as conn:
            rows = await views.round_rows(conn, round_id)
        if rows is None:
            raise NOT_FOUND
        return _round_view(rows)

    @router.post(
        "/applications/{application_id}/award",
        response_model=GrantAwarded,
        openapi_extra=body_of(AwardGrant, "application_id", "by"),
    )
    async def award(
        request: Request, application_id: UUID, staff: Staff, key: IdempotencyKey = None
    ) -> BaseModel | None:
        """Promises money within what was asked and what the round has left."""
        return await door.accept(
            request, AwardGrant, staff.principal, key, application_id=application_id, by=staff.principal
        )

    @router.post(
        "/applications/{application_id}/decline",
        response_model=ApplicationDeclined,
        openapi_extra=body_of(DeclineApplication, "application_id", "by"),
    )
    async def decline(
        request: Request, application_id: UUID, staff: Staff, key: IdempotencyKey = None
    ) -> BaseModel | None:
        """Turns an application down."""
        return await door.accept(
            request, DeclineApplication, staff.principal, key, application_id=application_id, by=staff.principal
        )


def _for_applicants(router: APIRouter, running: Running) -> None:
    @router.post(
        "/applications",
        status_code=201,
        response_model=ApplicationSubmitted,
        openapi_extra=body_of(ApplyForGrant, "applicant"),
    )
    async def apply(
        request: Request, response: Response, applicant: Applicant, key: IdempotencyKey = None
    ) -> BaseModel | None:
        """Asks for money.

        Sent again with the same Idempotency-Key, it is done once and answered the same.
        """
        told = await running.door.accept(
            request, ApplyForGrant, applicant.principal, key, applicant=applicant.principal
        )
        if isinstance(told, ApplicationSubmitted):
            response.headers["Location"] = f"/v1/applications/{told.application_id}"
        return told

    @router.get("/applications/{application_id}")
    async def get_application(application_id: UUID, caller: ApplicantOrStaff) -> ApplicationView:
        """An application: an organisation sees its own, staff see all."""
        async with running.database.acquire() as conn:
            found = await views.application(conn, application_id)
        if found is None or (caller.role == "applicant" and found["organisation_id"] != known_as(caller.principal)):
            raise NOT_FOUND
        return ApplicationView(**found)
