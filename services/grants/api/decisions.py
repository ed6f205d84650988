"""Approvers award, reserve and decline; staff pay, and record what comes back."""

from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel

from chassis.door import body_of
from chassis.http import IdempotencyKey, Staff
from chassis.service import Running
from contracts.grants import ApplicationDeclined, GrantAwarded, GrantReserved, PaymentMade, UnderspendReturned
from services.grants.api.shapes import Decider
from services.grants.handlers.judging import (
    AwardGrant,
    DeclineApplication,
    PayInstalment,
    ReserveGrant,
    ReturnUnderspend,
)


def add(router: APIRouter, running: Running) -> None:
    _decisions(router, running)
    _money(router, running)


def _decisions(router: APIRouter, running: Running) -> None:
    door = running.door

    @router.post(
        "/applications/{application_id}/award",
        response_model=GrantAwarded,
        openapi_extra=body_of(AwardGrant, "application_id", "by"),
    )
    async def award(
        request: Request, application_id: UUID, decider: Decider, key: IdempotencyKey = None
    ) -> BaseModel | None:
        """Promises money within what was asked and what the round has left."""
        who = decider.principal
        return await door.accept(request, AwardGrant, who, key, application_id=application_id, by=who)

    @router.post(
        "/applications/{application_id}/reserve",
        response_model=GrantReserved,
        openapi_extra=body_of(ReserveGrant, "application_id", "by"),
    )
    async def reserve(
        request: Request, application_id: UUID, decider: Decider, key: IdempotencyKey = None
    ) -> BaseModel | None:
        """Puts it on the reserve list, on the terms that it is awarded on when money comes free."""
        who = decider.principal
        return await door.accept(request, ReserveGrant, who, key, application_id=application_id, by=who)

    @router.post(
        "/applications/{application_id}/decline",
        response_model=ApplicationDeclined,
        openapi_extra=body_of(DeclineApplication, "application_id", "by"),
    )
    async def decline(
        request: Request, application_id: UUID, decider: Decider, key: IdempotencyKey = None
    ) -> BaseModel | None:
        """Turns an application down."""
        who = decider.principal
        return await door.accept(request, DeclineApplication, who, key, application_id=application_id, by=who)


def _money(router: APIRouter, running: Running) -> None:
    door = running.door

    @router.post(
        "/applications/{application_id}/payments",
        response_model=PaymentMade,
        openapi_extra=body_of(PayInstalment, "application_id", "by"),
    )
    async def pay(request: Request, application_id: UUID, staff: Staff, key: IdempotencyKey = None) -> BaseModel | None:
        """Records a payment of an instalment, with the evidence that its schedule asks for."""
        who = staff.principal
        return await door.accept(request, PayInstalment, who, key, application_id=application_id, by=who)

    @router.post(
        "/applications/{application_id}/returns",
        response_model=UnderspendReturned,
        openapi_extra=body_of(ReturnUnderspend, "application_id", "by"),
    )
    async def give_back(
        request: Request, application_id: UUID, staff: Staff, key: IdempotencyKey = None
    ) -> BaseModel | None:
        """Records money that came back. The reserve list moves up."""
        who = staff.principal
        return await door.accept(request, ReturnUnderspend, who, key, application_id=application_id, by=who)
