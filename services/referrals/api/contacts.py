"""How a person may be reached now, for services and providers; and what comes back of reaching them."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from chassis.door import body_of, read
from chassis.http import NOT_FOUND, IdempotencyKey, Partner, Problem, Staff, peer
from chassis.pace import Pace
from chassis.service import Running
from chassis.tokens import Tokens
from contracts.contacting import Asked, ContactReported, GoalMet, Online
from contracts.person import Email
from contracts.vocabulary import Channel, PartnerId
from services.referrals.handlers.contacting import GiveFeedback, SetMail
from services.referrals.handlers.gate import Gate, Lookup, Lookups
from services.referrals.store import Store

Tried = Annotated[tuple[Channel, ...], Query(max_length=10, description="Channels that failed.")]

A_MINUTE: Final = 6_000
"""Twice what GOV.UK Notify takes of a service in a minute."""
TOO_FAST: Final = Problem(429, "Too many people were asked for in this minute. Ask again in the next.")


class WorkLookups(BaseModel):
    whom: list[PartnerId] = Field(min_length=1, max_length=500)


class Mail(BaseModel):
    """Where to write to you of your referrals; none for not at all."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    email: Email | None


class Answers(BaseModel):
    """How it went, as the person told you."""

    model_config = ConfigDict(extra="forbid")

    need_id: UUID
    asked: Asked
    goal_met: GoalMet
    online: Online


def for_services(running: Running, gate: Gate, tokens: Tokens) -> APIRouter:
    router = APIRouter()
    pace = Pace(A_MINUTE, running.clock)

    @router.post("/v1/contacts")
    async def contacts(
        asked: Lookups, who: Annotated[str, Depends(peer(running.name, tokens, running.clock))]
    ) -> dict[str, list[dict[str, Any]]]:
        """How each person may be told now. Every answer is audited; none is stored by who asks."""
        if not pace.allows(who, len(asked.lookups)):
            raise TOO_FAST
        async with running.database.acquire() as conn, conn.transaction():
            return {"contacts": await gate.contacts(Store(conn), asked.lookups, who, running.clock())}

    @router.post("/v1/work-contacts")
    async def work_contacts(
        asked: WorkLookups, _who: Annotated[str, Depends(peer(running.name, tokens, running.clock))]
    ) -> dict[str, dict[str, str]]:
        """Where partners are written to at work, of those that want that."""
        async with running.database.acquire() as conn:
            return {"mails": await Store(conn).contacting.mails(asked.whom)}

    return router


def for_providers(running: Running, gate: Gate) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/needs/{need_id}/contact", tags=["partners"])
    async def contact(need_id: UUID, caller: Partner, tried: Tried = ()) -> dict[str, Any]:
        """How to reach somebody whom you help, by the next channel that is safe for them. Every look is kept."""
        async with running.database.acquire() as conn, conn.transaction():
            store = Store(conn)
            need = await store.referrals.helped_by(caller.principal, need_id)
            if need is None:
                raise NOT_FOUND
            lookup = Lookup(referral_id=need["referral_id"], need_id=need_id, purpose=need["status"], tried=list(tried))
            (answer,) = await gate.contacts(store, [lookup], caller.principal, running.clock())
        return answer

    return router


def for_contacting(running: Running) -> APIRouter:
    router = APIRouter()
    _from_partners(router, running)

    @router.post(
        "/v1/staff/referrals/{referral_id}/feedback",
        status_code=202,
        tags=["staff"],
        openapi_extra=body_of(Answers),
    )
    async def feedback(referral_id: UUID, request: Request, _staff: Staff) -> dict[str, str]:
        """Keeps what a person answered when you asked how it went. The first answer counts."""
        sent = await read(request, Answers)
        async with running.database.acquire() as conn:
            if not await Store(conn).contacting.has_need(referral_id, sent.need_id):
                raise NOT_FOUND
        await running.act(GiveFeedback(referral_id=referral_id, **sent.model_dump()))
        return {"status": "accepted"}

    return router


def _from_partners(router: APIRouter, running: Running) -> None:
    @router.post(
        "/v1/contact-requests/{task_id}/report",
        status_code=202,
        tags=["partners"],
        openapi_extra=body_of(ContactReported, "task_id"),
    )
    async def report(
        task_id: UUID, request: Request, caller: Partner, idempotency_key: IdempotencyKey = None
    ) -> dict[str, str]:
        """Tell how it went when you told somebody for us."""
        await running.door.accept(request, ContactReported, caller.principal, idempotency_key, task_id=task_id)
        return {"status": "accepted"}

    @router.put("/v1/mail", status_code=202, tags=["partners"], openapi_extra=body_of(Mail))
    async def set_mail(request: Request, caller: Partner) -> dict[str, str]:
        """Says where you are written to of your referrals, for those without a system of their own."""
        sent = await read(request, Mail)
        await running.act(SetMail(partner=caller.principal, email=sent.email))
        return {"status": "accepted"}
