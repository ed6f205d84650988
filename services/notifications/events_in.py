"""Which facts are read, what falls due and what comes back from outside, and what handles each."""

from collections.abc import Mapping

from pydantic import BaseModel

from chassis.facts import Handler
from contracts.contacting import ReferrerReported
from contracts.matching import OfferAccepted, OfferDeclined, OfferExpired, OfferMade, OfferWithdrawn
from contracts.message import Message
from contracts.referrals import NeedStatusChanged, PartnerRegistered, PersonErased, ReferralClosed, ReferralReceived
from services.notifications.domain.digest import DigestEnded
from services.notifications.domain.telling import (
    CallNeeded,
    CarrierSaid,
    Failed,
    NoNews,
    Postponed,
    Sent,
    Unsure,
    Withheld,
)
from services.notifications.handlers.applicants import TOLD, on_news
from services.notifications.handlers.carrier import on_carrier_said, on_no_news
from services.notifications.handlers.digests import (
    WriteDigest,
    on_digest_ended,
    on_offer_ended,
    on_offer_made,
    on_write_digest,
)
from services.notifications.handlers.results import (
    NoReportYet,
    on_call_needed,
    on_failed,
    on_postponed,
    on_sent,
    on_unsure,
    on_withheld,
)
from services.notifications.handlers.tasks import (
    AskGateAgain,
    TellOutcome,
    on_ask_gate_again,
    on_no_report_yet,
    on_referrer_reported,
    on_tell_outcome,
)
from services.notifications.handlers.telling import (
    AskHowItWent,
    on_ask_how_it_went,
    on_need_status_changed,
    on_partner_registered,
    on_person_erased,
    on_referral_closed,
    on_referral_received,
)

HANDLERS: Mapping[type[Message], Handler] = {
    PartnerRegistered: on_partner_registered,
    ReferralReceived: on_referral_received,
    NeedStatusChanged: on_need_status_changed,
    ReferralClosed: on_referral_closed,
    ReferrerReported: on_referrer_reported,
    PersonErased: on_person_erased,
    OfferMade: on_offer_made,
    OfferAccepted: on_offer_ended,
    OfferDeclined: on_offer_ended,
    OfferExpired: on_offer_ended,
    OfferWithdrawn: on_offer_ended,
    **dict.fromkeys(TOLD, on_news),
}

DUE: Mapping[type[BaseModel], Handler] = {
    AskHowItWent: on_ask_how_it_went,
    NoReportYet: on_no_report_yet,
    WriteDigest: on_write_digest,
}

RESULTS: Mapping[type[BaseModel], Handler] = {
    Sent: on_sent,
    Failed: on_failed,
    Withheld: on_withheld,
    CallNeeded: on_call_needed,
    Postponed: on_postponed,
    Unsure: on_unsure,
    CarrierSaid: on_carrier_said,
    NoNews: on_no_news,
    DigestEnded: on_digest_ended,
    TellOutcome: on_tell_outcome,
    AskGateAgain: on_ask_gate_again,
}
