"""Organisations draft, submit and withdraw applications; staff ask for changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from chassis.envelope import Event
from chassis.errors import Refused, refuse
from chassis.facts import Said
from chassis.ids import uuid7
from contracts.refusal import FieldError
from services.grants import events_out
from services.grants.domain.awards import UNKNOWN_APPLICATION, Book
from services.grants.domain.organisation import known_as
from services.grants.domain.rounds import time_errors
from services.grants.domain.states import not_allowed
from services.grants.handlers.asking import (
    ApplyForGrant,
    RequestChanges,
    SaveDraft,
    SubmitDraft,
    WithdrawApplication,
)
from services.grants.handlers.considering import Moment, applicant_of, complete, consider
from services.grants.handlers.one_by_one import allowed, check
from services.grants.handlers.reserve import move_up
from services.grants.store import Store
from services.grants.store.applications import Draft
from services.grants.store.rounds import Decision
from services.grants.store.rows import Submission

MOST_DRAFTS: Final = 20


async def apply(event: Event[ApplyForGrant], store: Store, at: datetime) -> list[Said]:
    """What counts is when the application came, not when it is looked at."""
    asked = event.data
    round_ = (await store.rounds.shared([asked.round_id])).get(asked.round_id)
    application_id = uuid7(event.time, event.source, event.id, "application")
    submission = _taken(consider(asked, round_, application_id, Moment(event.time)))
    if not await store.applications.submit([submission]):
        raise Refused(TWICE)
    return await _submitted(event, submission, asked, store, at)


async def save_draft(event: Event[SaveDraft], store: Store, at: datetime) -> list[Said]:
    asked = event.data
    round_ = (await store.rounds.shared([asked.round_id])).get(asked.round_id)
    before = (await store.applications.drafts([asked.application_id])).get(asked.application_id)
    known = (await store.applications.asked([asked.application_id])).get(asked.application_id)
    if before and known_as(asked.applicant) != before.organisation_id:
        raise Refused(UNKNOWN_APPLICATION)
    if known and not before:
        raise Refused(_gone(known.application.organisation_id, asked.applicant))
    started_at = before.started_at if before else None
    check(*time_errors(round_, event.time, started_at, known.changes_until if known else None)[:1])
    organisation = allowed(applicant_of(asked))
    if await store.applications.other_drafts(organisation.id, asked.application_id) >= MOST_DRAFTS:
        raise Refused(TOO_MANY)
    body = asked.model_dump(mode="json", exclude={"application_id", "email"})
    draft = Draft(
        asked.application_id, asked.round_id, organisation.id, asked.applicant, body, started_at or event.time
    )
    await store.applications.save_drafts([draft], at)
    await _keep_mail(asked, store, at)
    return []


async def submit(event: Event[SubmitDraft], store: Store, at: datetime) -> list[Said]:
    asked = event.data
    rounds = await store.rounds.shared(await store.applications.rounds_of([asked.application_id]))
    draft = (await store.applications.drafts([asked.application_id])).get(asked.application_id)
    known = (await store.applications.asked([asked.application_id])).get(asked.application_id)
    if draft is None or known_as(asked.applicant) != draft.organisation_id:
        raise Refused(_gone(known.application.organisation_id if known else "", asked.applicant))
    moment = Moment(event.time, draft.started_at, known.changes_until if known else None)
    complete_ = _complete(draft)
    submission = _taken(consider(complete_, rounds.get(draft.round_id), asked.application_id, moment))
    if known:
        check(not_allowed("submit", known.application.status, "applications"))
        if submission.organisation_id != known.application.organisation_id:
            raise Refused(UNKNOWN_APPLICATION)
        await store.applications.submit_again([submission])
    elif not await store.applications.submit([submission]):
        raise Refused(TWICE)
    await store.applications.drop_drafts([asked.application_id])
    return await _submitted(event, submission, complete_, store, at)


async def withdraw(event: Event[WithdrawApplication], store: Store, at: datetime) -> list[Said]:
    """What was promised comes free, and the reserve list moves up."""
    asked = event.data
    book = await book_of(event, store)
    before = book.applications.get(asked.application_id)
    if before is None or (asked.applicant and known_as(asked.applicant) != before.organisation_id):
        raise Refused(UNKNOWN_APPLICATION)
    after = allowed(book.withdraw(asked.application_id))
    await store.money.save(book, asked.by, at)
    await store.applications.drop_drafts([asked.application_id])
    await store.rounds.record([Decision(asked.by, "withdrawn", after.round_id, after.application_id, asked.reason)], at)
    told = events_out.both(event, events_out.application_withdrawn(before, asked.reason))
    return [*told, *await move_up(event, book, store, after.round_id, at)]


async def request_changes(event: Event[RequestChanges], store: Store, at: datetime) -> list[Said]:
    asked = event.data
    found = allowed((await book_of(event, store)).allowed("request-changes", asked.application_id))
    if asked.until <= at:
        raise Refused(PAST)
    await store.applications.request_changes([(asked.application_id, asked.until)])
    decision = Decision(asked.by, "changes-requested", found.round_id, found.application_id, asked.what)
    await store.rounds.record([decision], at)
    return events_out.both(event, events_out.changes_requested(found, asked.until))


async def book_of(event: Event[Any], store: Store) -> Book:
    """The application that it is about. Rounds first: two decisions about one round wait for each other."""
    ids = [event.data.application_id]
    return await store.applications.book(ids, await store.rounds.lock(await store.applications.rounds_of(ids)))


def _taken(considered: Submission | Sequence[FieldError]) -> Submission:
    """Raises Refused with every reason."""
    if not isinstance(considered, Submission):
        raise Refused(*considered)
    return considered


def _complete(draft: Draft) -> ApplyForGrant:
    """Raises Refused with all that it lacks."""
    found = complete(draft)
    if not isinstance(found, ApplyForGrant):
        raise Refused(*found)
    return found


async def _submitted(
    event: Event[Any], submission: Submission, asked: ApplyForGrant, store: Store, at: datetime
) -> list[Said]:
    decision = Decision(asked.applicant, "submitted", submission.round_id, submission.application_id)
    await store.rounds.record([decision], at)
    await _keep_mail(asked, store, at)
    return events_out.both(event, events_out.application_submitted(submission))


async def _keep_mail(asked: ApplyForGrant | SaveDraft, store: Store, at: datetime) -> None:
    if asked.email:
        await store.letters.keep_mail(known_as(asked.applicant), asked.email, at)


def _gone(owner: str, applicant: str) -> FieldError:
    """There is no draft: it was submitted, or it is another's, or it never was."""
    return SUBMITTED if owner and owner == known_as(applicant) else UNKNOWN_APPLICATION


TOO_MANY = refuse(
    "application_id",
    "too-many",
    f"An organisation may have {MOST_DRAFTS} drafts.",
    "Go on with one of them: drafts go when their round is assessed.",
)
TWICE = refuse(
    "round_id",
    "twice",
    "Your organisation has an application in this round already.",
    "Withdraw that one first, or wait until staff ask for changes of it.",
)
SUBMITTED = refuse(
    "application_id",
    "illegal-move",
    "This application is submitted.",
    "It can be changed only where staff ask for changes; or withdraw it and apply again while the round is open.",
)
PAST = refuse("until", "past", "That moment has passed.", "Give the organisation until a moment to come.")
