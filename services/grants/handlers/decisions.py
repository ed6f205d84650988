"""Approvers award, reserve and decline; staff pay, record returns, and organisations report."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.envelope import Event
from chassis.errors import Refused, refuse
from chassis.facts import Said
from contracts.grants import Feedback
from contracts.refusal import FieldError
from services.grants import events_out
from services.grants.domain.awards import UNKNOWN_APPLICATION, Application, Book
from services.grants.domain.organisation import known_as
from services.grants.domain.rounds import pounds
from services.grants.domain.scoring import feedback
from services.grants.events_out import ReportReminder
from services.grants.handlers.applications import book_of
from services.grants.handlers.assessment import check_interest
from services.grants.handlers.judging import (
    AwardGrant,
    DeclineApplication,
    PayInstalment,
    ReportGrant,
    ReserveGrant,
    ReturnUnderspend,
)
from services.grants.handlers.one_by_one import allowed, check
from services.grants.handlers.reserve import move_up, said_of
from services.grants.store import Store
from services.grants.store.money import Payment, Report, Terms
from services.grants.store.rounds import Decision

MINIMAL_FINANCIAL_ASSISTANCE: Final = 315_000_00
"""What one organisation may have of it in three years: Subsidy Control Act 2022, section 36."""


async def award(event: Event[AwardGrant], store: Store, at: datetime) -> list[Said]:
    asked, book = event.data, await book_of(event, store)
    check(_terms_error(asked))
    await _check_interest(asked.application_id, asked.by, store)
    decided = allowed(book.award(asked.application_id, asked.amount_pence, asked.by))
    await _promise(asked, decided, "awarded", book, store, at)
    told = await said_of(event, [decided], store, book, at, from_reserve=False)
    return [*told, *events_out.answered(event, told)]


async def reserve(event: Event[ReserveGrant], store: Store, at: datetime) -> list[Said]:
    asked, book = event.data, await book_of(event, store)
    check(_terms_error(asked))
    await _check_interest(asked.application_id, asked.by, store)
    decided = allowed(book.reserve(asked.application_id, asked.amount_pence, asked.by))
    await _promise(asked, decided, "reserved", book, store, at)
    return events_out.both(event, events_out.grant_reserved(decided, await _feedback(decided, book, store)))


async def decline(event: Event[DeclineApplication], store: Store, at: datetime) -> list[Said]:
    asked, book = event.data, await book_of(event, store)
    await _check_interest(asked.application_id, asked.by, store)
    decided = allowed(book.decline(asked.application_id, asked.by))
    await store.money.save(book, asked.by, at, asked.reason)
    await store.letters.advise(asked.application_id, asked.advice)
    await store.applications.drop_drafts([asked.application_id])
    decision = Decision(asked.by, "declined", decided.round_id, decided.application_id, asked.reason)
    await store.rounds.record([decision], at)
    words = await _feedback(decided, book, store)
    return events_out.both(event, events_out.application_declined(decided, asked.reason, words))


async def pay(event: Event[PayInstalment], store: Store, at: datetime) -> list[Said]:
    asked, book = event.data, await book_of(event, store)
    allowed(book.allowed("account", asked.application_id))
    check(await _payment_error(asked, store))
    after = allowed(book.pay(asked.application_id, asked.amount_pence))
    await store.money.save(book, asked.by, at)
    payment = Payment(asked.application_id, asked.instalment, asked.amount_pence, asked.evidence, asked.by)
    await store.money.pay(payment, at)
    details = {"pence": asked.amount_pence, "instalment": asked.instalment}
    decision = Decision(asked.by, "paid", after.round_id, after.application_id, asked.evidence, details)
    await store.rounds.record([decision], at)
    return events_out.both(event, events_out.payment_made(after, asked.amount_pence, at))


async def give_back(event: Event[ReturnUnderspend], store: Store, at: datetime) -> list[Said]:
    """Money that comes back goes to the reserve list."""
    asked, book = event.data, await book_of(event, store)
    after = allowed(book.give_back(asked.application_id, asked.amount_pence))
    await store.money.save(book, asked.by, at)
    await store.money.pay(Payment(after.application_id, None, -asked.amount_pence, None, asked.by), at)
    details = {"pence": asked.amount_pence}
    decision = Decision(asked.by, "returned", after.round_id, after.application_id, asked.why, details)
    await store.rounds.record([decision], at)
    told = events_out.both(event, events_out.underspend_returned(after, asked.amount_pence, at))
    return [*told, *await move_up(event, book, store, after.round_id, at)]


async def report(event: Event[ReportGrant], store: Store, at: datetime) -> list[Said]:
    asked = event.data
    known = (await store.applications.asked([asked.application_id])).get(asked.application_id)
    if known is None or known.application.organisation_id != known_as(asked.applicant):
        raise Refused(UNKNOWN_APPLICATION)
    owed = await store.money.owed_reports([asked.application_id])
    check(_report_error(asked, known.application, came=owed.get((asked.application_id, asked.due_on))))
    told = Report(asked.application_id, asked.due_on, asked.spent_pence, asked.people_helped, asked.account)
    await store.money.report(told, at)
    round_id = known.application.round_id
    decision = Decision(asked.applicant, "reported", round_id, asked.application_id, str(asked.due_on))
    await store.rounds.record([decision], at)
    fact = events_out.grant_reported(asked.application_id, round_id, asked.due_on, asked.spent_pence, at)
    return events_out.both(event, fact)


async def _check_interest(application_id: UUID, by: str, store: Store) -> None:
    found = (await store.applications.asked([application_id])).get(application_id)
    if found:
        await check_interest(by, found, store)


async def _feedback(decided: Application, book: Book, store: Store) -> list[Feedback]:
    scores = (await store.assessment.scores([decided.application_id]))[decided.application_id]
    return feedback(book.rounds[decided.round_id].rules.criteria, [score.scores for score in scores])


async def on_report_reminders(events: Sequence[Event[ReportReminder]], store: Store, _at: datetime) -> list[Said]:
    """Nobody is reminded of a report that came, or of a grant that was given up."""
    owed = await store.money.owed_reports({event.data.application_id for event in events})
    applications = await store.applications.asked({event.data.application_id for event in events})
    return [
        events_out.report_due(event, applications[event.data.application_id].application.round_id)
        for event in events
        if owed.get((event.data.application_id, event.data.due_on)) is False
    ]


async def _promise(
    asked: AwardGrant | ReserveGrant, decided: Application, what: str, book: Book, store: Store, at: datetime
) -> None:
    await store.money.save(book, asked.by, at)
    schedule = [(each.due_on, each.amount_pence, each.evidence) for each in asked.schedule]
    terms = Terms(
        asked.application_id,
        asked.decided_under,
        asked.subsidy.model_dump(mode="json"),
        schedule or [(at.date(), asked.amount_pence, None)],
        asked.reports_due,
    )
    await store.money.promise([terms])
    await store.letters.advise(asked.application_id, asked.advice)
    details = {"pence": asked.amount_pence}
    decision = Decision(asked.by, what, decided.round_id, decided.application_id, asked.decided_under, details)
    await store.rounds.record([decision], at)


def _terms_error(asked: AwardGrant | ReserveGrant) -> FieldError | None:
    if asked.schedule and sum(each.amount_pence for each in asked.schedule) != asked.amount_pence:
        return SCHEDULE
    subsidy = asked.subsidy
    if subsidy.basis == "minimal-financial-assistance":
        left = MINIMAL_FINANCIAL_ASSISTANCE - subsidy.received_pence
        return None if asked.amount_pence <= left else SUBSIDY
    return None


async def _payment_error(asked: PayInstalment, store: Store) -> FieldError | None:
    due = await store.money.instalment(asked.application_id, asked.instalment)
    if due is None:
        return NO_INSTALMENT
    if due.evidence and not asked.evidence:
        return refuse("evidence", "missing", f"This instalment is paid against: {due.evidence}.", "Say what was shown.")
    if asked.amount_pence > due.pence - due.paid_pence:
        left = pounds(due.pence - due.paid_pence)
        return refuse("amount_pence", "over-award", f"{left} of this instalment is not paid yet.", "Pay that or less.")
    return None


def _report_error(asked: ReportGrant, application: Application, *, came: bool | None) -> FieldError | None:
    if came is None:
        return refuse("due_on", "not-found", "No report is due on this day.", "Use a day of the schedule of reports.")
    if came:
        return refuse("due_on", "illegal-move", "This report has come already.", "Tell staff what has changed since.")
    if asked.spent_pence > application.paid_pence:
        paid = pounds(application.paid_pence)
        return refuse("spent_pence", "over-paid", f"{paid} of this grant was paid.", "Report what was spent of that.")
    return None


SCHEDULE = refuse(
    "schedule",
    "not-the-award",
    "The instalments do not add up to the award.",
    "Make them add up, or leave them out: then it is paid at once.",
)
SUBSIDY = refuse(
    "subsidy",
    "over-subsidy-limit",
    f"An organisation may have {pounds(MINIMAL_FINANCIAL_ASSISTANCE)} of minimal financial assistance in three years.",
    "Award less, or name another scheme as its basis.",
)
NO_INSTALMENT = refuse(
    "instalment", "not-found", "The schedule of this award has no such instalment.", "Look at its schedule."
)
