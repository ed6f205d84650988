"""What grants says to the world: facts from decisions, and reminders to itself."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from chassis.envelope import Event
from chassis.facts import Fact, Later, Said, answer
from contracts.calendar import LONDON
from contracts.grants import (
    ApplicationAssessed,
    ApplicationDeclined,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    ChangesRequested,
    ErasureConfirmed,
    Feedback,
    GrantAwarded,
    GrantPlacesFunded,
    GrantReportDue,
    GrantReported,
    GrantReserved,
    PaymentMade,
    PlannedPlace,
    RoundOpened,
    UnderspendReturned,
)
from contracts.message import Message
from contracts.referrals import PersonErased
from services.grants.domain.awards import Application
from services.grants.domain.rounds import Round
from services.grants.store.rows import Submission

REMIND_BEFORE: Final = timedelta(days=14)
REMIND_AT: Final = time(9)


class ReportReminder(BaseModel):
    """Work to do at a time: remind an organisation of a report that it owes, before the day or after it."""

    application_id: UUID
    due_on: date
    is_overdue: bool


def both(event: Event[Any], fact: Message) -> list[Said]:
    """Everybody hears the fact, and who asked is answered with the same."""
    return [Fact(fact, event), answer(event, fact)]


def answered(event: Event[Any], told: Sequence[Said]) -> list[Said]:
    """Who asked is answered with the first of the facts."""
    return [answer(event, next(each.data for each in told if isinstance(each, Fact)))]


def round_opened(round_: Round) -> RoundOpened:
    return RoundOpened(
        round_id=round_.round_id,
        fund_id=round_.fund_id,
        budget_pence=round_.budget_pence,
        maximum_pence=round_.maximum_pence,
        opens_at=round_.opens_at,
        closes_at=round_.closes_at,
        rules=round_.rules,
    )


def application_submitted(submission: Submission) -> ApplicationSubmitted:
    return ApplicationSubmitted.model_validate(
        {
            "application_id": submission.application_id,
            "round_id": submission.round_id,
            "organisation_id": submission.organisation_id,
            "amount_pence": submission.amount_pence,
            "kinds": submission.kinds,
            "wards": submission.wards,
        }
    )


def changes_requested(application: Application, until: datetime) -> ChangesRequested:
    return ChangesRequested(application_id=application.application_id, round_id=application.round_id, until=until)


def application_withdrawn(before: Application, reason: str) -> ApplicationWithdrawn:
    return ApplicationWithdrawn(
        application_id=before.application_id,
        round_id=before.round_id,
        released_pence=before.awarded_pence or 0,
        reason=reason,
    )


def application_assessed(
    application: Application, points: int, assessors: int, *, is_moderated: bool = False
) -> ApplicationAssessed:
    return ApplicationAssessed(
        application_id=application.application_id,
        round_id=application.round_id,
        points=points,
        gap_points=application.gap_points,
        assessors=assessors,
        is_moderated=is_moderated,
    )


def awarded(
    event: Event[Any],
    application: Application,
    owner: Mapping[str, Any],
    decided_under: str | None,
    feedback: list[Feedback],
    at: datetime,
    from_reserve: bool,  # noqa: FBT001 - as the fact names it
) -> list[Said]:
    """The award, and the places that it pays for, where the organisation said who opens them."""
    fact = GrantAwarded(
        application_id=application.application_id,
        round_id=application.round_id,
        organisation_id=application.organisation_id,
        amount_pence=application.awarded_pence or 0,
        at=at,
        asked_pence=application.amount_pence,
        decided_under=decided_under,
        from_reserve=from_reserve,
        feedback=feedback,
    )
    delivers = owner["body"].get("delivers_as")
    places = _places(application.application_id, owner)
    if not delivers or not places:
        return [Fact(fact, event)]
    funded = GrantPlacesFunded(
        application_id=application.application_id,
        round_id=application.round_id,
        partner=delivers["partner"],
        provider_id=delivers["provider_id"],
        provider_name=owner["organisation_name"],
        funded_by=str(application.application_id),
        places=places,
    )
    return [Fact(fact, event), Fact(funded, event)]


def _places(application_id: UUID, owner: Mapping[str, Any]) -> list[PlannedPlace]:
    return [
        PlannedPlace(
            place_id=f"{application_id}-{help_['kind']}",
            kind=help_["kind"],
            capacity=help_["capacity"],
            wards=list(owner["wards"]),
        )
        for help_ in owner["body"].get("places", ())
    ]


def reminders(event: Event[Any], application_id: UUID, due: Sequence[date], at: datetime) -> list[Said]:
    """One before each report, and one the day after, at an hour at which people work."""
    planned = [
        (datetime.combine(day, REMIND_AT, LONDON) + by, ReportReminder(
            application_id=application_id, due_on=day, is_overdue=is_overdue
        ))
        for day in due
        for by, is_overdue in ((-REMIND_BEFORE, False), (timedelta(days=1), True))
    ]  # fmt: skip
    return [Later(moment, data, str(application_id), event) for moment, data in planned if moment > at]


def report_due(event: Event[ReportReminder], round_id: str) -> Fact:
    told = event.data
    due = GrantReportDue(
        application_id=told.application_id, round_id=round_id, due_on=told.due_on, is_overdue=told.is_overdue
    )
    return Fact(due, event)


def grant_reserved(application: Application, feedback: list[Feedback]) -> GrantReserved:
    return GrantReserved(
        application_id=application.application_id,
        round_id=application.round_id,
        amount_pence=application.reserved_pence or 0,
        feedback=feedback,
    )


def application_declined(application: Application, reason: str, feedback: list[Feedback]) -> ApplicationDeclined:
    return ApplicationDeclined(
        application_id=application.application_id, round_id=application.round_id, reason=reason, feedback=feedback
    )


def payment_made(after: Application, pence: int, at: datetime) -> PaymentMade:
    return PaymentMade(
        application_id=after.application_id,
        round_id=after.round_id,
        amount_pence=pence,
        paid_pence=after.paid_pence,
        at=at,
    )


def underspend_returned(after: Application, pence: int, at: datetime) -> UnderspendReturned:
    return UnderspendReturned(
        application_id=after.application_id,
        round_id=after.round_id,
        amount_pence=pence,
        awarded_pence=after.awarded_pence or 0,
        at=at,
    )


def grant_reported(application_id: UUID, round_id: str, due_on: date, spent_pence: int, at: datetime) -> GrantReported:
    return GrantReported(
        application_id=application_id, round_id=round_id, due_on=due_on, spent_pence=spent_pence, at=at
    )


def erasure_confirmed(cause: Event[PersonErased], at: datetime) -> Fact:
    return Fact(ErasureConfirmed(referral_id=cause.data.referral_id, at=at), cause)
