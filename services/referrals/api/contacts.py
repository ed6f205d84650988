"""How a person may be reached now: for services that tell them, and for providers who help them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from chassis.http import NOT_FOUND, Partner, peer
from chassis.service import Running
from chassis.tokens import Tokens
from contracts.person import Person
from services.referrals.domain.contact import Contact, Rule, choose
from services.referrals.handlers.asking import person_of
from services.referrals.handlers.submission import Programme
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


def for_services(running: Running, programme: Programme, tokens: Tokens) -> APIRouter:
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


def for_providers(running: Running, programme: Programme) -> APIRouter:
    router = APIRouter()

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

    return router


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
