"""The HTTP doors: partners refer and look up, services ask how to reach a person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field

from chassis.door import body_of
from chassis.errors import refuse
from chassis.http import NOT_FOUND, IdempotencyKey, Partner, Problem, peer
from chassis.records import BeyondTheEnd
from chassis.service import Running
from chassis.tokens import Tokens
from contracts import asyncapi
from contracts.door import ReferralAcknowledged, ReferralPosted, ReferralWithdrawalRequested
from contracts.person import Person
from services.referrals.clients.outbox import Outbox, OutboxPage
from services.referrals.domain.contact import Contact, Rule, choose
from services.referrals.handlers.submission import Programme, person_of
from services.referrals.pages import messages
from services.referrals.store import Store
from services.referrals.store.referrals import Referrals


class Lookup(BaseModel):
    """Who is to be told what; `purpose` is the status of a need, `tried` the channels that failed."""

    referral_id: UUID
    need_id: UUID
    purpose: Annotated[str, Field(max_length=40)]
    tried: list[Annotated[str, Field(max_length=20)]] = Field(default=[], max_length=10)


class Lookups(BaseModel):
    lookups: list[Lookup] = Field(min_length=1, max_length=500)


Tried = Annotated[
    tuple[Annotated[str, Field(max_length=20)], ...], Query(max_length=10, description="Channels that failed.")
]


def _bad_offset() -> Problem:
    mend = "Use the `next` of the answer before, or leave `after` out to begin with the oldest message."
    error = refuse("after", "unknown-offset", "Your outbox has no such offset.", mend)
    return Problem(400, "There is nothing to go on from.", [error])


def _offset(after: Annotated[str | None, Query(description="The `next` of the answer before.")] = None) -> int:
    if after in {None, "-1"}:
        return -1
    if not after.isascii() or not after.isdecimal() or len(after) > 18:
        raise _bad_offset()
    return int(after)


def routes(running: Running, programme: Programme, outbox: Outbox) -> APIRouter:
    router = APIRouter()
    _messages(router, outbox)
    _catalogue(router)
    _contact(router, running, programme)

    @router.post("/v1/referrals", status_code=202, tags=["partners"], openapi_extra=body_of(ReferralPosted))
    async def refer(request: Request, caller: Partner, idempotency_key: IdempotencyKey = None) -> JSONResponse:
        """Refer a person. Send the same Idempotency-Key again to hear the same answer."""
        if idempotency_key is None:
            raise Problem(400, "Send an Idempotency-Key, so that a repeated request is not a second referral.")
        told = await running.door.accept(request, ReferralPosted, caller.principal, idempotency_key)
        assert isinstance(told, ReferralAcknowledged)  # noqa: S101 - a referral is acknowledged or refused
        return JSONResponse(told.model_dump(mode="json"), 202)

    @router.get("/v1/referrals/{referral_id}", tags=["partners"])
    async def referral(referral_id: UUID, caller: Partner) -> dict[str, Any]:
        """How each need stands, what comes next, and how it came to this."""
        async with running.database.acquire() as conn:
            store = Store(conn).referrals
            needs = await store.of_partner(caller.principal, referral_id)
            history = await store.history([need["need_id"] for need in needs])
        if not needs:
            raise NOT_FOUND
        return _view(needs, history)

    @router.post(
        "/v1/referrals/{referral_id}/withdrawal",
        status_code=202,
        tags=["partners"],
        openapi_extra=body_of(ReferralWithdrawalRequested, "referral_id"),
    )
    async def withdraw(
        referral_id: UUID, request: Request, caller: Partner, idempotency_key: IdempotencyKey = None
    ) -> dict[str, str]:
        """Take back a referral, or one need of it."""
        model = ReferralWithdrawalRequested
        await running.door.accept(request, model, caller.principal, idempotency_key, referral_id=referral_id)
        return {"status": "accepted"}

    @router.get("/v1/priority-policy", tags=["public"])
    async def policy() -> dict[str, Any]:
        """How far a person is from being online, in points: published, and the same for everyone."""
        p = programme.policy
        return {
            "version": p.version,
            "points_for_each_group_that_applies": p.points_a_group,
            "groups": {name: sorted(codes) for name, codes in p.groups.items()},
            "area_points": [{"decile_up_to": decile, "points": points} for decile, points in p.area_steps],
        }

    return router


def internal(running: Running, programme: Programme, tokens: Tokens) -> APIRouter:
    """What other services ask."""
    router = APIRouter()

    @router.post("/v1/contacts")
    async def contacts(
        asked: Lookups, who: Annotated[str, Depends(peer(running.name, tokens, running.clock))]
    ) -> dict[str, list[dict[str, Any]]]:
        """How each person may be told now. Every answer is audited; none is stored by who asks."""
        async with running.database.acquire() as conn, conn.transaction():
            store = Store(conn).referrals
            return {"contacts": await _contacts(programme, store, asked.lookups, who, running.clock())}

    return router


def _contact(router: APIRouter, running: Running, programme: Programme) -> None:
    @router.get("/v1/needs/{need_id}/contact", tags=["partners"])
    async def contact(need_id: UUID, caller: Partner, tried: Tried = ()) -> dict[str, Any]:
        """How to reach somebody whom you help, by the next channel that is safe for them. Every look is kept."""
        async with running.database.acquire() as conn, conn.transaction():
            store = Store(conn).referrals
            need = await store.helped_by(caller.principal, need_id)
            if need is None:
                raise NOT_FOUND
            lookup = Lookup(referral_id=need["referral_id"], need_id=need_id, purpose=need["status"], tried=list(tried))
            (answer,) = await _contacts(programme, store, [lookup], caller.principal, running.clock())
        return answer


async def _contacts(
    programme: Programme, store: Referrals, lookups: Sequence[Lookup], who: str, at: datetime
) -> list[dict[str, Any]]:
    rows = await store.sealed_persons([lookup.referral_id for lookup in lookups])
    held = await store.contact_is_held()
    chosen = [_choose(programme, lookup, rows.get(lookup.referral_id), at, held=held) for lookup in lookups]
    await store.audit(
        [
            (lookup.referral_id, who, lookup.purpose, contact.decision, contact.channel, at)
            for lookup, (contact, _) in zip(lookups, chosen, strict=True)
        ]
    )
    return [_answer(lookup, *each) for lookup, each in zip(lookups, chosen, strict=True)]


def _messages(router: APIRouter, outbox: Outbox) -> None:
    @router.get("/v1/outbox", tags=["partners"])
    async def messages(
        caller: Partner, after: Annotated[int, Depends(_offset)], limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> OutboxPage:
        """What you were told over Kafka, the oldest first, and where to go on. Messages are kept for 7 days."""
        try:
            return await outbox.page(caller.principal, after, limit)
        except BeyondTheEnd:
            raise _bad_offset() from None


def _catalogue(router: APIRouter) -> None:
    @router.get("/messages", response_class=HTMLResponse, tags=["public"])
    async def page() -> HTMLResponse:
        """Every topic and message, for people."""
        return HTMLResponse(messages.render(), headers=messages.HEADERS)

    @router.get("/asyncapi.json", tags=["public"])
    async def document() -> JSONResponse:
        """Every topic and message, as an AsyncAPI document."""
        return JSONResponse(asyncapi.document())


def _view(needs: list[Any], history: list[Any]) -> dict[str, Any]:
    return {
        "referral_id": needs[0]["referral_id"],
        "reference": needs[0]["reference"],
        "received_at": needs[0]["received_at"],
        "needs": [
            {
                **{name: need[name] for name in ("need_id", "kind", "status", "reason", "outcome")},
                "at": need["changed_at"],
                "next": {"by": need["next_by"], "on": need["next_on"], "what": need["next_what"]}
                if need["next_by"]
                else None,
                "history": [
                    {"status": line["status"], "reason": line["reason"], "at": line["at"]}
                    for line in history
                    if line["need_id"] == need["need_id"]
                ],
            }
            for need in needs
        ],
    }


def _choose(
    programme: Programme, lookup: Lookup, row: Any, at: datetime, *, held: bool
) -> tuple[Contact, Person | None]:
    if row is None:
        return Contact("withheld", "not-known"), None
    person = person_of(programme.vault, row)
    addresses = {"email": person.email, "sms": person.phone, "phone": person.phone, "via-referrer": row["partner"]}
    rule = Rule(
        tuple(person.safe_contact.channels),
        {channel: address for channel, address in addresses.items() if address},
        person.safe_contact.neutral,
        person.safe_contact.voicemail,
        person.safe_contact.hours,
        person.safe_contact.until,
        row["agreement_until"],
    )
    return choose(rule, lookup.purpose, lookup.tried, at, held=held), person


def _answer(lookup: Lookup, contact: Contact, person: Person | None) -> dict[str, Any]:
    formats = person.accessible_information if person else []
    return {
        "referral_id": lookup.referral_id,
        "need_id": lookup.need_id,
        "decision": contact.decision,
        "reason": contact.reason,
        "channel": contact.channel,
        "address": contact.address,
        "language": "en",
        "format": formats[0] if formats else None,
        "neutral": contact.neutral,
        "voicemail": contact.voicemail,
        "not_before": contact.not_before,
    }
