"""What grants says to the world: facts from decisions."""

from datetime import datetime

from chassis.envelope import Event
from chassis.facts import Fact
from contracts.grants import ApplicationDeclined, ApplicationSubmitted, ErasureConfirmed, GrantAwarded, RoundOpened
from contracts.referrals import PersonErased
from contracts.vocabulary import Kind, Ward
from services.grants.domain.awards import Award, Decline
from services.grants.domain.rounds import Round
from services.grants.store import Submission


def round_opened(round_: Round) -> RoundOpened:
    return RoundOpened(
        round_id=round_.round_id,
        fund_id=round_.fund_id,
        budget_pence=round_.budget_pence,
        maximum_pence=round_.maximum_pence,
        opens_at=round_.opens_at,
        closes_at=round_.closes_at,
    )


def application_submitted(submission: Submission, kinds: list[Kind], wards: list[Ward]) -> ApplicationSubmitted:
    return ApplicationSubmitted(
        application_id=submission.application_id,
        round_id=submission.round_id,
        organisation_id=submission.organisation_id,
        amount_pence=submission.amount_pence,
        kinds=kinds,
        wards=wards,
    )


def grant_awarded(award: Award, at: datetime) -> GrantAwarded:
    return GrantAwarded(
        application_id=award.application.application_id,
        round_id=award.application.round_id,
        organisation_id=award.application.organisation_id,
        amount_pence=award.pence,
        at=at,
    )


def application_declined(decline: Decline) -> ApplicationDeclined:
    return ApplicationDeclined(
        application_id=decline.application.application_id,
        round_id=decline.application.round_id,
        reason=decline.reason,
    )


def erasure_confirmed(cause: Event[PersonErased], at: datetime) -> Fact:
    return Fact(ErasureConfirmed(referral_id=cause.data.referral_id, at=at), cause)
