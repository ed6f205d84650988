"""The HTTP doors of matching: partners say what help there is and answer offers, staff see the queue."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from chassis.access import Caller
from chassis.door import body_of
from chassis.http import IdempotencyKey, Partner, Staff
from chassis.service import Running
from contracts.door import OfferAnswered, PlaceUpdated, ProviderUpdated, SupportReported
from contracts.message import Message
from contracts.vocabulary import Code, Kind, Lane, Ward
from services.matching.store import views

Limit = Annotated[int, Query(ge=1, le=200)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


class Accepted(BaseModel):
    """The message took effect."""

    status: str = "accepted"


class OfferView(BaseModel):
    """A place that is held for a person until it expires. It waits for an answer."""

    offer_id: UUID
    need_id: UUID
    place_id: str
    kind: Kind
    ward: str | None
    languages: list[str]
    requirements: list[str]
    expires_at: datetime


class WaitingView(BaseModel):
    """Somebody who waits. The position counts everybody who waits for the kind; the lowest rank key is next."""

    position: int
    need_id: UUID
    kind: Kind
    ward: str | None
    lane: Lane
    rank_key: datetime
    score: int
    groups: int
    area_step: int


class OffersView(BaseModel):
    offers: list[OfferView]


class QueueView(BaseModel):
    queue: list[WaitingView]


def routes(running: Running) -> APIRouter:
    router = APIRouter(prefix="/v1")
    _supply(router, running)
    _offers(router, running)
    _queue(router, running)
    return router


async def _take(
    running: Running, request: Request, model: type[Message], caller: Caller, key: str | None, **from_path: str | UUID
) -> Accepted:
    await running.door.accept(request, model, caller.principal, key, **from_path)
    return Accepted()


def _supply(router: APIRouter, running: Running) -> None:
    @router.put("/providers/{provider_id}", status_code=202, openapi_extra=body_of(ProviderUpdated, "provider_id"))
    async def put_provider(
        request: Request, provider_id: Code, partner: Partner, key: IdempotencyKey = None
    ) -> Accepted:
        """Describes an organisation that gives help. The id is your own."""
        return await _take(running, request, ProviderUpdated, partner, key, provider_id=provider_id)

    @router.put("/places/{place_id}", status_code=202, openapi_extra=body_of(PlaceUpdated, "place_id"))
    async def put_place(request: Request, place_id: Code, partner: Partner, key: IdempotencyKey = None) -> Accepted:
        """Says what a provider of yours can give. Replaces all that was said of this place before."""
        return await _take(running, request, PlaceUpdated, partner, key, place_id=place_id)


def _offers(router: APIRouter, running: Running) -> None:
    @router.get("/offers")
    async def get_offers(partner: Partner, limit: Limit = 50, offset: Offset = 0) -> OffersView:
        """Your offers that wait for an answer, the next to expire first."""
        async with running.database.acquire() as conn:
            rows = await views.open_offers(conn, partner.principal, limit, offset)
        return OffersView(offers=[OfferView(**row) for row in rows])

    @router.post("/offers/{offer_id}/answer", status_code=202, openapi_extra=body_of(OfferAnswered, "offer_id"))
    async def answer(request: Request, offer_id: UUID, partner: Partner, key: IdempotencyKey = None) -> Accepted:
        """Accepts an offer, or declines it with a reason."""
        return await _take(running, request, OfferAnswered, partner, key, offer_id=offer_id)

    @router.post("/needs/{need_id}/support", status_code=202, openapi_extra=body_of(SupportReported, "need_id"))
    async def support(request: Request, need_id: UUID, partner: Partner, key: IdempotencyKey = None) -> Accepted:
        """Reports that help started, ended with an outcome or a reason, or is handed back to the queue."""
        return await _take(running, request, SupportReported, partner, key, need_id=need_id)


def _queue(router: APIRouter, running: Running) -> None:
    @router.get("/queue")
    async def get_queue(
        _staff: Staff, kind: Kind | None = None, ward: Ward | None = None, limit: Limit = 50, offset: Offset = 0
    ) -> QueueView:
        """Who waits, in order: by kind, then lane, rank key and need id."""
        async with running.database.acquire() as conn:
            rows = await views.queue(conn, kind, ward, limit, offset)
        return QueueView(queue=[WaitingView(**row) for row in rows])
