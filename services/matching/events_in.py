"""Which fact, partner's message, act of staff and due work goes to which handler."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel

from chassis.facts import Handler
from contracts.door import PlaceUpdated, ProviderUpdated
from contracts.grants import ApplicationWithdrawn, GrantPlacesFunded
from contracts.message import Message
from contracts.offers import OfferAnswered, SupportReported
from contracts.referrals import NeedAnswered, PersonErased, ReferralAmended, ReferralReceived, ReferralWithdrawn
from contracts.stock import DirectHelpReported, LoanReported
from services.matching.events_out import Due
from services.matching.handlers import direct, funded, offers, providers, referrals, supply, support
from services.matching.handlers.due import on_due
from services.matching.handlers.offers import ConfirmOffer

EVENTS_IN: Final[Mapping[type[Message], Handler]] = {
    ReferralReceived: referrals.on_referrals_received,
    ReferralAmended: referrals.on_referrals_amended,
    NeedAnswered: referrals.on_needs_answered,
    ReferralWithdrawn: referrals.on_referrals_withdrawn,
    PersonErased: referrals.on_persons_erased,
    ProviderUpdated: providers.on_providers_updated,
    PlaceUpdated: supply.on_places_updated,
    OfferAnswered: offers.on_offers_answered,
    SupportReported: support.on_support_reported,
    LoanReported: support.on_loans_reported,
    DirectHelpReported: direct.on_direct_help_reported,
    GrantPlacesFunded: funded.on_places_funded,
    ApplicationWithdrawn: funded.on_applications_withdrawn,
}

ACTS: Final[Mapping[type[BaseModel], Handler]] = {
    ConfirmOffer: offers.on_offers_confirmed,
}

DUE: Final[Mapping[type[BaseModel], Handler]] = {
    Due: on_due,
}
