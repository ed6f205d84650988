"""Where applicants are written to: they say it, and notifications asks for it when it writes."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict

from chassis.door import body_of, read
from chassis.http import peer
from chassis.service import Running
from chassis.tokens import Tokens
from contracts.applicants import ApplicantContact, ApplicantLookup, ApplicantLookups, Mark, Standing
from contracts.person import Email
from services.grants.api.shapes import Applicant
from services.grants.domain.letters import withheld
from services.grants.domain.organisation import known_as
from services.grants.domain.scoring import feedback
from services.grants.store import Store
from services.grants.store.letters import Addressed

UNKNOWN = "not-known"


class Mail(BaseModel):
    """Where to write to you of your applications; none for not at all."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    email: Email | None


def add(router: APIRouter, running: Running) -> None:
    @router.put("/applicant/mail", status_code=204, openapi_extra=body_of(Mail))
    async def set_mail(request: Request, applicant: Applicant) -> None:
        """Says where you are written to of your applications. Without it, staff tell you."""
        sent = await read(request, Mail)
        async with running.database.acquire() as conn, conn.transaction():
            await Store(conn).letters.keep_mail(known_as(applicant.principal), sent.email, running.clock())

    @router.get("/applicant/mail")
    async def get_mail(applicant: Applicant) -> Mail:
        """Where you are written to."""
        async with running.database.acquire() as conn:
            return Mail(email=await Store(conn).letters.mail(known_as(applicant.principal)))


def for_services(running: Running, tokens: Tokens) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/applicant-contacts")
    async def contacts(
        asked: ApplicantLookups, _who: Annotated[str, Depends(peer(running.name, tokens, running.clock))]
    ) -> dict[str, list[dict[str, Any]]]:
        """Where each applicant is written to now, and how its application stands. None is stored by who asks."""
        async with running.database.acquire() as conn:
            known = await Store(conn).letters.addressed({lookup.application_id for lookup in asked.lookups})
        return {"contacts": [_contact(lookup, known.get(lookup.application_id)) for lookup in asked.lookups]}

    return router


def _contact(lookup: ApplicantLookup, known: Addressed | None) -> dict[str, Any]:
    why = withheld(lookup.about, known.status, lookup.day, known.owed) if known else UNKNOWN
    told = ApplicantContact(
        application_id=lookup.application_id,
        about=lookup.about,
        withheld=why,
        standing=_standing(known) if known and not why else None,
    )
    return {**told.model_dump(mode="json"), "email": known.email if known and not why else None}


def _standing(known: Addressed) -> Standing:
    titles = {criterion.code: criterion.title for criterion in known.rules.criteria}
    marks = feedback(known.rules.criteria, known.scores)
    given = {name: value for name, value in known.row.items() if name != "application_id"}
    return Standing(
        **given,
        marks=tuple(Mark(criterion=titles[m.criterion], points=m.points, most=m.most) for m in marks),
        schedule=tuple(known.schedule),  # type: ignore[arg-type]  # rows are checked by the model
        reports_due=tuple(known.reports_due),
    )
