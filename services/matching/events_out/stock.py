"""What matching says of things given away or lent, and when it looks at them again."""

from datetime import date, datetime, timedelta
from typing import Any, Literal

from chassis.envelope import Event
from chassis.facts import Fact, Later
from contracts.calendar import start_of
from contracts.stock import DirectHelpGiven, DirectHelpReported, LoanChanged, SupportExpiring
from services.matching.domain.fit import Place
from services.matching.domain.offers import Offer
from services.matching.events_out import Decided, offer_due

LoanState = Literal["renewed", "returned", "lost", "overdue"]


def direct_help_given(place: Place, cause: Event[DirectHelpReported], decided: Decided) -> Fact:
    told = cause.data
    given = DirectHelpGiven(
        place_id=place.key.place_id,
        provider_id=place.provider_id,
        provider=place.key.partner,
        kind=told.kind,
        count=told.count,
        ward=told.ward,
        given_on=told.given_on,
        after=decided[told.kind],
    )
    return Fact(given, cause)


def loan_changed(
    offer: Offer,
    state: LoanState,
    until: date,
    cause: Event[Any],
    at: datetime,
    decided: Decided,
    *,
    faulty: bool = False,
    unwiped: bool = False,
) -> Fact:
    changed = LoanChanged(
        referral_id=offer.referral_id,
        need_id=offer.need_id,
        kind=offer.kind,
        provider=offer.place.partner,
        place_id=offer.place.place_id,
        state=state,
        until=until,
        faulty=faulty,
        unwiped=unwiped,
        at=at,
        after=decided[offer.kind],
    )
    return Fact(changed, cause)


def loan_due(offer: Offer, until: date, cause: Event[Any]) -> Later:
    """When it is overdue."""
    return offer_due(offer, start_of(until + timedelta(days=1)), cause)


def ends_soon(offer: Offer, until: date, reopen_days: int, cause: Event[Any]) -> Later:
    return offer_due(offer, start_of(until - timedelta(days=reopen_days)), cause)


def support_expiring(offer: Offer, until: date, cause: Event[Any], at: datetime) -> Fact:
    expiring = SupportExpiring(
        referral_id=offer.referral_id,
        need_id=offer.need_id,
        kind=offer.kind,
        provider=offer.place.partner,
        expires_on=until,
        at=at,
    )
    return Fact(expiring, cause)
