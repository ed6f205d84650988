"""What matching says to the world, to partners, and to itself for later."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel

from chassis.envelope import Event
from chassis.facts import Fact, Later, Said
from contracts.door import ProviderUpdated
from contracts.matching import (
    Asked,
    ErasureConfirmed,
    GapClosed,
    GapRecorded,
    NeedEscalated,
    NeedWaiting,
    OfferAccepted,
    OfferDeclined,
    OfferExpired,
    OfferHeld,
    OfferMade,
    OfferWithdrawn,
    PlaceChanged,
    PlaceOpened,
    ProviderRegistered,
    QueueChanged,
    SupportEnded,
    SupportStarted,
)
from contracts.message import Message
from contracts.offers import OfferClosed, OfferProposed, OfferReminded, SupportReported
from contracts.referrals import PersonErased
from contracts.vocabulary import Kind, OfferEnd
from services.matching.domain.calendar import turns_after
from services.matching.domain.fit import Gap, Need, Place
from services.matching.domain.offers import REMIND_BEFORE, Act, Made, Offer

Decided = Mapping[Kind, int]
"""How many decisions of each kind had been made when what a fact tells became so."""


class Due(BaseModel):
    """A day on which a place opens or has closed, or that something is due for an offer.

    One model for both, so that what falls due together is decided together.
    """

    place: tuple[str, str] | None = None
    offer_id: UUID | None = None
    unconfirmed: bool = False
    """Only where staff have not confirmed the offer."""


def provider_registered(cause: Event[ProviderUpdated], partner: str) -> Fact:
    told = cause.data
    registered = ProviderRegistered(
        provider_id=told.provider_id, provider=partner, name=told.name, languages=told.languages
    )
    return Fact(registered, cause)


def place_opened(place: Place, cause: Event[Any], decided: Decided) -> Fact:
    return Fact(PlaceOpened(**_described(place), after=decided[place.terms.kind]), cause)


def place_changed(place: Place, cause: Event[Any], decided: Decided) -> Fact:
    return Fact(PlaceChanged(**_described(place), after=decided[place.terms.kind]), cause)


def place_turns(place: Place, cause: Event[Any], at: datetime) -> list[Later]:
    turns = turns_after(at, place.opens_on, place.closes_on)
    return [Later(turn, Due(place=place.key), "/".join(place.key), cause) for turn in turns]


def _described(place: Place) -> dict[str, Any]:
    terms = place.terms
    return {
        "place_id": place.key.place_id,
        "provider_id": place.provider_id,
        "provider": place.key.partner,
        "kind": terms.kind,
        "capacity": place.capacity,
        "held": place.held,
        "taken": place.taken,
        "wards": sorted(terms.wards),
        "languages": sorted(terms.languages),
        "formats": sorted(terms.formats),
        "requirements": sorted(terms.requirements),
        "days": sorted(terms.days),
        "open_to": sorted(terms.open_to),
        "scheme": terms.scheme,
        "funded_by": place.funded_by,
        "state": place.state,
    }


def need_waiting(need: Need, cause: Event[Any], decided: Decided) -> list[Said]:
    """A need joined the queue, or waits on as it is told here; also that it is paused, where it is."""
    return [Fact(NeedWaiting(**_of_need(need), **_ranked(need, decided)), cause), *_paused(need, cause, decided)]


def _paused(need: Need, cause: Event[Any], decided: Decided) -> list[Said]:
    return [_queue_changed(need, "paused", cause, decided)] if need.is_paused else []


def _queue_changed(need: Need, state: Literal["paused", "left"], cause: Event[Any], decided: Decided) -> Fact:
    return Fact(QueueChanged(**_of_need(need), state=state, after=decided[need.asks.kind]), cause)


def need_left(need: Need, cause: Event[Any], decided: Decided) -> list[Said]:
    """A need left the queue without an offer. Where it was a gap, that is closed."""
    closed = [gap_closed(need, cause)] if need.is_gap else []
    return [*closed, _queue_changed(need, "left", cause, decided)]


def _of_need(need: Need) -> dict[str, Any]:
    return {"referral_id": need.referral_id, "need_id": need.need_id, "kind": need.asks.kind}


def _ranked(need: Need, decided: Decided) -> dict[str, Any]:
    """What its order in the queue, and where it may go, rest on."""
    asks = need.asks
    asked = Asked(
        partner=asks.partner,
        ward=asks.ward,
        requirements=sorted(asks.requirements),
        languages=sorted(asks.languages),
        formats=sorted(asks.formats),
        schemes=sorted(asks.schemes),
        days=sorted(asks.days),
        barred=sorted(need.shuns),
    )
    return {"rank_key": need.rank_key, "lane": need.lane, "asks": asked, "after": decided[asks.kind]}


def gap_recorded(need: Need, gap: Gap, cause: Event[Any], decided: Decided) -> list[Said]:
    told = GapRecorded(**_of_need(need), area=need.area, **gap._asdict(), **_ranked(need, decided))
    return [Fact(told, cause), *_paused(need, cause, decided)]


def gap_closed(need: Need, cause: Event[Any]) -> Fact:
    return Fact(GapClosed(**_of_need(need), area=need.area), cause)


def offer_made(made: Made, cause: Event[Any], decided: Decided) -> list[Said]:
    """The fact, and that a gap, where the need was one, is closed. What staff confirm first is not proposed yet."""
    need, offer = made.need, made.offer
    fact = (OfferMade if offer.is_proposed else OfferHeld)(
        **_named(offer),
        **_ranked(need, decided),
        kind=offer.kind,
        prefers=need.prefers,
        expires_at=made.expires_at,
        decision=made.decision,
    )
    return [
        *([gap_closed(need, cause)] if need.is_gap else []),
        Fact(fact, cause),
        *(_proposed(made, cause) if offer.is_proposed else [_unconfirmed_due(made, cause)]),
    ]


def _proposed(made: Made, cause: Event[Any]) -> list[Said]:
    """The proposal to the provider, and when it is reminded or, where there is no time for that, the offer expires."""
    need, offer = made.need, made.offer
    proposal = OfferProposed(
        offer_id=offer.offer_id,
        need_id=offer.need_id,
        place_id=offer.place.place_id,
        kind=offer.kind,
        ward=need.asks.ward,
        languages=sorted(need.asks.languages),
        requirements=sorted(need.asks.requirements),
        days=sorted(need.asks.days),
        expires_at=made.expires_at,
    )
    remind_at = made.expires_at - REMIND_BEFORE
    return [
        Fact(proposal, cause, to=offer.place.partner),
        offer_due(offer, remind_at if remind_at > cause.time else made.expires_at, cause),
    ]


def _unconfirmed_due(made: Made, cause: Event[Any]) -> Later:
    offer_id = made.offer.offer_id
    return Later(made.expires_at, Due(offer_id=offer_id, unconfirmed=True), str(offer_id), cause)


def offer_due(offer: Offer, at: datetime, cause: Event[Any]) -> Later:
    return Later(at, Due(offer_id=offer.offer_id), str(offer.offer_id), cause)


def offer_reminded(offer: Offer, expires_at: datetime, cause: Event[Due]) -> list[Said]:
    reminder = OfferReminded(
        offer_id=offer.offer_id,
        need_id=offer.need_id,
        place_id=offer.place.place_id,
        kind=offer.kind,
        expires_at=expires_at,
    )
    return [Fact(reminder, cause, to=offer.place.partner), offer_due(offer, expires_at, cause)]


def need_escalated(offer: Offer, declines: int, cause: Event[Any]) -> Fact:
    escalated = NeedEscalated(referral_id=offer.referral_id, need_id=offer.need_id, kind=offer.kind, declines=declines)
    return Fact(escalated, cause)


_ENDS: Final[Mapping[Act, tuple[Callable[..., Message], OfferEnd]]] = {
    "accept": (OfferAccepted, "accepted"),
    "decline": (OfferDeclined, "declined"),
    "keep-back": (OfferDeclined, "declined"),
    "expire": (OfferExpired, "expired"),
    "withdraw": (OfferWithdrawn, "withdrawn"),
    "take-back": (OfferWithdrawn, "withdrawn"),
    "refuse": (OfferWithdrawn, "withdrawn"),
}


def offer_ended(offer: Offer, act: Act, cause: Event[Any], decided: Decided, reason: str | None = None) -> list[Said]:
    """The fact, and word to a provider that knew of it. A withdrawal is told also after the provider accepted."""
    fact, end = _ENDS[act]
    ended = Fact(fact(**_named(offer), reason=reason, bars=offer.bars, after=decided[offer.kind]), cause)
    closed = Fact(OfferClosed(offer_id=offer.offer_id, reason=end), cause, to=offer.place.partner)
    return [ended, closed] if offer.is_proposed else [ended]


def support_reported(offer: Offer, cause: Event[SupportReported], decided: Decided) -> Fact:
    told = cause.data
    helped: dict[str, Any] = {
        "referral_id": offer.referral_id,
        "need_id": offer.need_id,
        "provider": offer.place.partner,
        "at": cause.time,
        "after": decided[offer.kind],
    }
    if told.state == "started":
        return Fact(SupportStarted(**helped), cause)
    handed_back, is_loan = told.state == "handed-back", offer.state == "lent"
    ended = SupportEnded(
        **helped,
        outcome=told.outcome,
        reason=told.reason,
        handed_back=handed_back,
        until=offer.until,
        is_loan=is_loan,
    )
    return Fact(ended, cause)


def _named(offer: Offer) -> dict[str, Any]:
    return {
        "referral_id": offer.referral_id,
        "need_id": offer.need_id,
        "offer_id": offer.offer_id,
        "place_id": offer.place.place_id,
        "provider": offer.place.partner,
    }


def erasure_confirmed(cause: Event[PersonErased], at: datetime) -> Fact:
    return Fact(ErasureConfirmed(referral_id=cause.data.referral_id, at=at), cause)
