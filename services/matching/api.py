"""The HTTP doors of matching: partners say what help there is and answer offers, staff see who waits and why."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from chassis.access import Caller
from chassis.door import body_of
from chassis.http import NOT_FOUND, IdempotencyKey, Partner, Staff
from chassis.service import Running
from contracts.calendar import day_of
from contracts.door import PlaceUpdated, ProviderUpdated
from contracts.message import Message
from contracts.offers import OfferAnswered, SupportReported
from contracts.stock import DirectHelpReported, LoanReported
from contracts.vocabulary import Code, GapReason, Kind, Lane, Ward
from services.matching.domain.offers import OfferState
from services.matching.handlers.offers import ConfirmOffer
from services.matching.store import explained, views

Limit = Annotated[int, Query(ge=1, le=200)]
Declines = Annotated[int, Query(ge=0, le=100)]
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
    days: list[str]
    expires_at: datetime


class LoanView(BaseModel):
    """Something that was lent and is not back, or not wiped. It has a serial where its place names its units."""

    need_id: UUID
    place_id: str
    kind: Kind
    until: date
    overdue: bool
    unwiped: bool
    serial: str | None


class Ranked(BaseModel):
    """Why somebody stands where they do: the lowest rank key is next, and it never changes.

    It is when they were referred, less a day for each point of the score.
    """

    lane: Lane
    rank_key: datetime
    score: int
    groups: int
    area_step: int
    policy: str
    days_waited: int


class GapOfNeed(BaseModel):
    """Why no place can meet a need, and which codes and languages the nearest places lack."""

    since: datetime | None
    reasons: list[GapReason]
    lacks: list[str]


class GapView(GapOfNeed):
    """How many wait for what no place has, and since when the first of them."""

    kind: Kind
    area: str
    needs: int


class AwaitingView(BaseModel):
    """A place that is held for a need until `expires_at`. Its provider hears of it when staff confirm it.

    `lapses` is how often a place was held for this need before, and nobody confirmed it in time.
    """

    offer_id: UUID
    need_id: UUID
    provider: str
    place_id: str
    kind: Kind
    ward: str | None
    languages: list[str]
    requirements: list[str]
    days: list[str]
    made_at: datetime
    expires_at: datetime
    lapses: int


class WaitingView(Ranked):
    """Somebody who waits. The position counts everybody who waits for the kind.

    Of the `places` that suit, full or not open yet, one must come free; where the need is a gap, one must open that
    has what the gap lacks. Of the places it was offered, so many `declines`.
    """

    position: int
    need_id: UUID
    kind: Kind
    ward: str | None
    places: int
    declines: int
    gap: GapOfNeed | None


class OtherView(BaseModel):
    """Somebody else who waited then, and why this place was not theirs; no reasons: they only came later.

    `not-then` is somebody who was paused, or asked for something else then.
    """

    need_id: UUID
    lane: Lane
    rank_key: datetime
    reasons: list[GapReason | Literal["barred", "declined", "expired", "handed-back", "refused", "not-then"]]


class DecisionView(Ranked):
    """A match: whose it is, and who stood before and after them in the queue, the nearest of them in order."""

    offer_id: UUID
    need_id: UUID
    kind: Kind
    provider: str
    provider_id: str
    place_id: str
    decision: int
    made_at: datetime
    state: OfferState
    before_in_all: int
    before: list[OtherView]
    after_in_all: int
    after: list[OtherView]


class LoansView(BaseModel):
    loans: list[LoanView]


class OffersView(BaseModel):
    offers: list[OfferView]


class QueueView(BaseModel):
    queue: list[WaitingView]


class GapsView(BaseModel):
    gaps: list[GapView]


class AwaitingsView(BaseModel):
    offers: list[AwaitingView]


def routes(running: Running) -> APIRouter:
    router = APIRouter(prefix="/v1")
    _supply(router, running)
    _offers(router, running)
    _staff(router, running)
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

    @router.post(
        "/places/{place_id}/direct-help", status_code=202, openapi_extra=body_of(DirectHelpReported, "place_id")
    )
    async def direct_help(request: Request, place_id: Code, partner: Partner, key: IdempotencyKey = None) -> Accepted:
        """Records what you gave to people who were not referred. Devices and SIMs are taken from the stock."""
        return await _take(running, request, DirectHelpReported, partner, key, place_id=place_id)


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

    @router.get("/loans")
    async def get_loans(partner: Partner, limit: Limit = 50, offset: Offset = 0) -> LoansView:
        """What you lent and is not back, or not wiped, the first due first."""
        async with running.database.acquire() as conn:
            rows = await views.loans(conn, partner.principal, day_of(running.clock()), limit, offset)
        return LoansView(loans=[LoanView(**row) for row in rows])

    @router.post("/needs/{need_id}/loan", status_code=202, openapi_extra=body_of(LoanReported, "need_id"))
    async def loan(request: Request, need_id: UUID, partner: Partner, key: IdempotencyKey = None) -> Accepted:
        """Reports that what was lent is renewed, is back and wiped, or is lost."""
        return await _take(running, request, LoanReported, partner, key, need_id=need_id)


def _staff(router: APIRouter, running: Running) -> None:
    @router.get("/queue")
    async def get_queue(
        _staff: Staff,
        kind: Kind | None = None,
        ward: Ward | None = None,
        declines: Declines = 0,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> QueueView:
        """Who waits, in order: by kind, then lane, rank key and need id; why they stand there, and what must open.

        With `declines`, only those whom so many places declined: from three on, staff look for help themselves.
        """
        async with running.database.acquire() as conn:
            rows = await views.queue(conn, kind, ward, declines, limit, offset)
        return QueueView(queue=[WaitingView(**explained.waiting(row, running.clock())) for row in rows])

    @router.get("/gaps")
    async def get_gaps(
        _staff: Staff, kind: Kind | None = None, area: Code | None = None, limit: Limit = 50, offset: Offset = 0
    ) -> GapsView:
        """Needs that no place can meet, by kind, area and what is lacking: how many are alike, and since when."""
        async with running.database.acquire() as conn:
            return GapsView(gaps=[GapView(**row) for row in await views.gaps(conn, kind, area, limit, offset)])

    @router.get("/decisions/{offer_id}")
    async def get_decision(offer_id: UUID, _staff: Staff, limit: Limit = 20) -> DecisionView:
        """Why this need was given this place: who else waited then, as many on each side as asked for, and why not."""
        async with running.database.acquire() as conn:
            found = await explained.decision(conn, offer_id, limit)
        if found is None:
            raise NOT_FOUND
        return DecisionView(**found)

    @router.get("/confirmations")
    async def get_awaiting(_staff: Staff, limit: Limit = 50, offset: Offset = 0) -> AwaitingsView:
        """The offers that are held until you confirm them, in the order in which they were decided."""
        async with running.database.acquire() as conn:
            return AwaitingsView(offers=[AwaitingView(**row) for row in await views.awaiting(conn, limit, offset)])

    @router.post(
        "/offers/{offer_id}/confirmation", status_code=202, openapi_extra=body_of(ConfirmOffer, "offer_id", "by")
    )
    async def confirm(request: Request, offer_id: UUID, staff: Staff, key: IdempotencyKey = None) -> Accepted:
        """Lets an offer go to its provider; or keeps it back, and the need waits again, for other places."""
        return await _take(running, request, ConfirmOffer, staff, key, offer_id=offer_id, by=staff.principal)
