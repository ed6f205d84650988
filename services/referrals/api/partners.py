"""Partners refer people, look up how it stands, change what they said, and read what they were told."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from chassis.door import body_of
from chassis.errors import refuse
from chassis.http import NOT_FOUND, IdempotencyKey, Partner, Problem
from chassis.records import BeyondTheEnd
from chassis.service import Running
from contracts.changes import AmendmentPosted, GroupPosted, GroupReferralAcknowledged, PersonAnswered
from contracts.door import ReferralAcknowledged, ReferralPosted, ReferralWithdrawalRequested
from services.referrals.clients.outbox import Outbox, OutboxPage
from services.referrals.store import Store


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


def for_partners(running: Running, outbox: Outbox) -> APIRouter:
    router = APIRouter()
    _messages(router, outbox)
    _look_up(router, running)
    _changes(router, running)

    @router.post("/v1/referrals", status_code=202, tags=["partners"], openapi_extra=body_of(ReferralPosted))
    async def refer(request: Request, caller: Partner, idempotency_key: IdempotencyKey = None) -> JSONResponse:
        """Refer a person. Send the same Idempotency-Key again to hear the same answer."""
        if idempotency_key is None:
            raise Problem(400, "Send an Idempotency-Key, so that a repeated request is not a second referral.")
        told = await running.door.accept(request, ReferralPosted, caller.principal, idempotency_key)
        assert isinstance(told, ReferralAcknowledged)  # noqa: S101 - a referral is acknowledged or refused
        return JSONResponse(told.model_dump(mode="json"), 202)

    @router.post("/v1/groups", status_code=202, tags=["partners"], openapi_extra=body_of(GroupPosted))
    async def refer_group(request: Request, caller: Partner, idempotency_key: IdempotencyKey = None) -> JSONResponse:
        """Refer up to 50 people. Each is answered for itself: those that are refused are mended and sent again."""
        if idempotency_key is None:
            raise Problem(400, "Send an Idempotency-Key, so that a repeated request is not a second referral.")
        told = await running.door.accept(request, GroupPosted, caller.principal, idempotency_key)
        assert isinstance(told, GroupReferralAcknowledged)  # noqa: S101 - a group is acknowledged or refused
        return JSONResponse(told.model_dump(mode="json"), 202)

    return router


def _look_up(router: APIRouter, running: Running) -> None:
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


def _changes(router: APIRouter, running: Running) -> None:
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

    @router.post(
        "/v1/referrals/{referral_id}/amendment",
        status_code=202,
        tags=["partners"],
        openapi_extra=body_of(AmendmentPosted, "referral_id"),
    )
    async def amend(
        referral_id: UUID, request: Request, caller: Partner, idempotency_key: IdempotencyKey = None
    ) -> JSONResponse:
        """Correct a referral, or add a need. What is left out stays as it is, and so does the time waited."""
        model = AmendmentPosted
        told = await running.door.accept(request, model, caller.principal, idempotency_key, referral_id=referral_id)
        assert isinstance(told, ReferralAcknowledged)  # noqa: S101 - an amendment is acknowledged or refused
        return JSONResponse(told.model_dump(mode="json"), 202)

    @router.post(
        "/v1/needs/{need_id}/answer",
        status_code=202,
        tags=["partners"],
        openapi_extra=body_of(PersonAnswered, "need_id"),
    )
    async def answer(
        need_id: UUID, request: Request, caller: Partner, idempotency_key: IdempotencyKey = None
    ) -> dict[str, str]:
        """Tell what the person says to the help that was found: yes, no or not now."""
        await running.door.accept(request, PersonAnswered, caller.principal, idempotency_key, need_id=need_id)
        return {"status": "accepted"}


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
