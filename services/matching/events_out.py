"""What matching says to the world, to partners, and to itself for later."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from chassis.envelope import Event
from chassis.facts import Fact, Later, Said
from contracts.door import OfferClosed, OfferProposed, ProviderUpdated, SupportReported
from contracts.matching import (
    ErasureConfirmed,
    GapClosed,
    GapRecorded,
    NeedWaiting,
    OfferAccepted,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferWithdrawn,
    PlaceChanged,
    PlaceOpened,
    ProviderRegistered,
    SupportEnded,
    SupportStarted,
)
from contracts.message import Message
from contracts.referrals import PersonErased
from contracts.vocabulary import GapReason, OfferEnd
from services.matching.domain.calendar import turns_after
from services.matching.domain.fit import Need, Place
from services.matching.domain.offers import Act, Made, Offer


class Due(BaseModel):
    """A day on which a place opens or has closed, or the expiry of an offer.

    One model for both, so that what falls due together is decided together.
    """

    place: tuple[str, str] | None = None
    offer_id: UUID | None = None


def provider_registered(cause: Event[ProviderUpdated], partner: str) -> Fact:
    told = cause.data
    registered = ProviderRegistered(
        provider_id=told.provider_id, provider=partner, name=told.name, languages=told.languages
    )
    return Fact(registered, cause)


def place_opened(place: Place, cause: Event[Any]) -> Fact:
    return Fact(PlaceOpened(**_described(place)), cause)


def place_changed(place: Place, cause: Event[Any]) -> Fact:
    return Fact(PlaceChanged(**_described(place)), cause)


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
        "open_to": sorted(terms.open_to),
        "scheme": terms.scheme,
        "funded_by": place.funded_by,
    }


def need_waiting(need: Need, cause: Event[Any]) -> Fact:
    waiting = NeedWaiting(
        referral_id=need.referral_id, need_id=need.need_id, kind=need.asks.kind, rank_key=need.rank_key
    )
    return Fact(waiting, cause)


def gap_recorded(need: Need, reasons: list[GapReason], cause: Event[Any]) -> Fact:
    return Fact(GapRecorded(**_gap(need), reasons=reasons), cause)


def gap_closed(need: Need, cause: Event[Any]) -> Fact:
    return Fact(GapClosed(**_gap(need)), cause)


def _gap(need: Need) -> dict[str, Any]:
    return {
        "referral_id": need.referral_id,
        "need_id": need.need_id,
        "kind": need.asks.kind,
        "area": need.area,
    }


def offer_made(made: Made, cause: Event[Any]) -> list[Said]:
    """The fact, the proposal to the provider, the expiry; and that a gap, where the need was one, is closed."""
    need, offer = made.need, made.offer
    fact = OfferMade(
        **_named(offer),
        kind=offer.kind,
        rank_key=need.rank_key,
        expires_at=made.expires_at,
        decision=made.decision,
    )
    proposal = OfferProposed(
        offer_id=offer.offer_id,
        need_id=offer.need_id,
        place_id=offer.place.place_id,
        kind=offer.kind,
        ward=need.asks.ward,
        languages=sorted(need.asks.languages),
        requirements=sorted(need.asks.requirements),
        expires_at=made.expires_at,
    )
    return [
        *([gap_closed(need, cause)] if need.is_gap else []),
        Fact(fact, cause),
        Fact(proposal, cause, to=offer.place.partner),
        Later(made.expires_at, Due(offer_id=offer.offer_id), str(offer.offer_id), cause),
    ]


_ENDS: Final[Mapping[Act, tuple[Callable[..., Message], OfferEnd]]] = {
    "accept": (OfferAccepted, "accepted"),
    "decline": (OfferDeclined, "declined"),
    "expire": (OfferExpired, "expired"),
    "withdraw": (OfferWithdrawn, "withdrawn"),
    "take-back": (OfferWithdrawn, "withdrawn"),
    "refuse": (OfferWithdrawn, "withdrawn"),
}


def offer_ended(offer: Offer, act: Act, cause: Event[Any], reason: str | None = None) -> list[Said]:
    """The fact, and word to the provider. A withdrawal is told also after the provider accepted."""
    fact, end = _ENDS[act]
    closed = OfferClosed(offer_id=offer.offer_id, reason=end)
    return [Fact(fact(**_named(offer), reason=reason), cause), Fact(closed, cause, to=offer.place.partner)]


def support_reported(offer: Offer, cause: Event[SupportReported]) -> Fact:
    told = cause.data
    helped: dict[str, Any] = {
        "referral_id": offer.referral_id,
        "need_id": offer.need_id,
        "provider": offer.place.partner,
        "at": cause.time,
    }
    if told.state == "started":
        return Fact(SupportStarted(**helped), cause)
    ended = SupportEnded(**helped, outcome=told.outcome, reason=told.reason, handed_back=told.state == "handed-back")
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
