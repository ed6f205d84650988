"""Which fact goes to which handler."""

from collections.abc import Mapping
from typing import Final

from chassis.facts import Handler
from contracts import contacting as c
from contracts import grants as g
from contracts import matching as m
from contracts import notifications as n
from contracts import people as p
from contracts import referrals as r
from contracts import stock as s
from contracts.message import Message
from services.reporting.handlers import grants, matching, notifications, people, referrals, stock
from services.reporting.handlers.publishing import changing

_HANDLERS: Final[Mapping[type[Message], Handler]] = {
    r.PartnerRegistered: referrals.on_partner_registered,
    r.AreasLoaded: referrals.on_areas_loaded,
    r.ReferralReceived: referrals.on_referral_received,
    r.ReferralWithdrawn: referrals.on_referral_withdrawn,
    r.NeedStatusChanged: referrals.on_need_status_changed,
    r.ReferralStalled: referrals.on_referral_stalled,
    r.ReferralClosed: referrals.on_referral_closed,
    r.PersonErased: referrals.on_person_erased,
    p.PeopleCounted: people.on_people_counted,
    m.ProviderRegistered: matching.on_provider_registered,
    m.PlaceOpened: matching.on_place,
    m.PlaceChanged: matching.on_place,
    m.NeedWaiting: matching.on_need_waiting,
    m.OfferMade: matching.on_offer_made,
    m.OfferAccepted: matching.on_offer_ended,
    m.OfferDeclined: matching.on_offer_ended,
    m.OfferExpired: matching.on_offer_ended,
    m.OfferWithdrawn: matching.on_offer_ended,
    m.SupportStarted: matching.on_support_started,
    m.SupportEnded: matching.on_support_ended,
    m.GapRecorded: matching.on_gap,
    m.GapClosed: matching.on_gap,
    m.NeedEscalated: stock.on_need_escalated,
    s.DirectHelpGiven: stock.on_direct_help_given,
    s.LoanChanged: stock.on_loan_changed,
    n.NotificationSent: notifications.on_notification,
    n.NotificationFailed: notifications.on_notification,
    n.NotificationWithheld: notifications.on_notification,
    n.CallRequested: notifications.on_notification,
    n.NotificationDelivered: notifications.on_notification,
    n.CallCompleted: notifications.on_notification,
    c.FeedbackGiven: notifications.on_feedback_given,
    g.FundOpened: grants.on_fund_opened,
    g.RoundOpened: grants.on_round_opened,
    g.ApplicationSubmitted: grants.on_application_submitted,
    g.ApplicationAssessed: grants.on_application_assessed,
    g.ApplicationWithdrawn: grants.on_application_withdrawn,
    g.PaymentMade: grants.on_payment_made,
    g.UnderspendReturned: grants.on_underspend_returned,
    g.GrantAwarded: grants.on_grant_awarded,
    g.ApplicationDeclined: grants.on_application_declined,
}
EVENTS_IN: Final[Mapping[type[Message], Handler]] = {model: changing(handler) for model, handler in _HANDLERS.items()}
