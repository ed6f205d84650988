"""Organisations draft, submit and withdraw applications; staff ask for changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from chassis.envelope import Event
from chassis.errors import field_errors, refuse
from chassis.facts import Said, refusal
from chassis.ids import uuid7
from contracts.refusal import FieldError
from services.grants import events_out
from services.grants.domain.awards import UNKNOWN_APPLICATION
from services.grants.domain.eligibility import Standing, eligibility_errors
from services.grants.domain.organisation import OrganisationId, known_as, organisation_id, recipient_id
from services.grants.domain.rounds import Round, amount_errors, time_errors
from services.grants.domain.states import not_allowed
from services.grants.handlers.asking import (
    ApplyForGrant,
    RequestChanges,
    SaveDraft,
    SubmitDraft,
    WithdrawApplication,
)
from services.grants.handlers.reserve import move_up
from services.grants.store import Store
from services.grants.store.applications import Draft
from services.grants.store.rounds import Decision
from services.grants.store.rows import Submission

MOST_DRAFTS: Final = 20


@dataclass(frozen=True, slots=True)
class Moment:
    """When an application came, and what counts beside the deadline: since when it is drafted, and changes asked."""

    at: datetime
    drafted_at: datetime | None = None
    changes_until: datetime | None = None


async def on_apply(events: Sequence[Event[ApplyForGrant]], store: Store, at: datetime) -> list[Said]:
    """What counts is when the application came, not when it is looked at."""
    rounds = await store.rounds.shared({event.data.round_id for event in events})
    said: list[Said] = []
    wanted: dict[UUID, tuple[Event[ApplyForGrant], Submission]] = {}
    for event in events:
        application_id = uuid7(event.time, event.source, event.id, "application")
        submission = consider(event.data, rounds.get(event.data.round_id), application_id, Moment(event.time))
        if isinstance(submission, Submission):
            wanted[application_id] = event, submission
        else:
            said.append(refusal(event, *submission))
    new = await store.applications.submit([submission for _, submission in wanted.values()])
    for application_id, (event, submission) in wanted.items():
        if application_id in new:
            said += events_out.both(event, events_out.application_submitted(submission))
            await store.rounds.record([_submitted(submission, event.data.applicant)], at)
        else:
            said.append(refusal(event, TWICE))
    return said


async def on_save_draft(events: Sequence[Event[SaveDraft]], store: Store, at: datetime) -> list[Said]:
    said: list[Said] = []
    for event in events:
        asked = event.data
        rounds = await store.rounds.shared([asked.round_id])
        before = (await store.applications.drafts([asked.application_id])).get(asked.application_id)
        kept = await store.applications.asked([asked.application_id])
        known = kept.get(asked.application_id)
        organisation = _organisation(asked)
        moment = Moment(event.time, before.started_at if before else None, known.changes_until if known else None)
        errors = [
            *_not_theirs(asked.applicant, before),
            *([] if before or not known else [_gone(known.application.organisation_id, asked.applicant)]),
            *time_errors(rounds.get(asked.round_id), moment.at, moment.drafted_at, moment.changes_until),
            *([organisation] if isinstance(organisation, FieldError) else []),
        ]
        if errors or isinstance(organisation, FieldError):
            said.append(refusal(event, errors[0]))
            continue
        if await store.applications.other_drafts(organisation.id, asked.application_id) >= MOST_DRAFTS:
            said.append(refusal(event, TOO_MANY))
            continue
        started_at = before.started_at if before else event.time
        body = asked.model_dump(mode="json", exclude={"application_id"})
        draft = Draft(asked.application_id, asked.round_id, organisation.id, asked.applicant, body, started_at)
        await store.applications.save_drafts([draft], at)
    return said


async def on_submit(events: Sequence[Event[SubmitDraft]], store: Store, at: datetime) -> list[Said]:
    said: list[Said] = []
    for event in events:
        said += await _submit(event, store, at)
    return said


async def on_withdraw(events: Sequence[Event[WithdrawApplication]], store: Store, at: datetime) -> list[Said]:
    """What was promised comes free, and the reserve list moves up."""
    ids = {event.data.application_id for event in events}
    book = await store.applications.book(ids, await store.rounds.lock(await store.applications.rounds_of(ids)))
    said: list[Said] = []
    for event in events:
        asked = event.data
        before = book.applications.get(asked.application_id)
        if before is None or (asked.applicant and known_as(asked.applicant) != before.organisation_id):
            said.append(refusal(event, UNKNOWN_APPLICATION))
            continue
        after = book.withdraw(asked.application_id)
        if isinstance(after, FieldError):
            said.append(refusal(event, after))
            continue
        await store.money.save(book, asked.by, at)
        await store.applications.drop_drafts([asked.application_id])
        await store.rounds.record(
            [Decision(asked.by, "withdrawn", after.round_id, after.application_id, asked.reason)], at
        )
        said += events_out.both(event, events_out.application_withdrawn(before, asked.reason))
        said += await move_up(event, book, store, after.round_id, at)
    return said


async def on_request_changes(events: Sequence[Event[RequestChanges]], store: Store, at: datetime) -> list[Said]:
    ids = {event.data.application_id for event in events}
    book = await store.applications.book(ids, await store.rounds.lock(await store.applications.rounds_of(ids)))
    said: list[Said] = []
    for event in events:
        asked = event.data
        found = book.allowed("request-changes", asked.application_id)
        if isinstance(found, FieldError):
            said.append(refusal(event, found))
        elif asked.until <= at:
            said.append(refusal(event, PAST))
        else:
            await store.applications.request_changes([(asked.application_id, asked.until)])
            decision = Decision(asked.by, "changes-requested", found.round_id, found.application_id, asked.what)
            await store.rounds.record([decision], at)
            said += events_out.both(event, events_out.changes_requested(found, asked.until))
    return said


def consider(
    asked: ApplyForGrant, round_: Round | None, application_id: UUID, moment: Moment
) -> Submission | Sequence[FieldError]:
    """The application as it is kept, or every reason why it is not taken."""
    organisation = _organisation(asked)
    errors = [*time_errors(round_, moment.at, moment.drafted_at, moment.changes_until)]
    if isinstance(organisation, FieldError):
        return [*errors, organisation]
    if round_ and not errors:
        standing = asked.standing
        safe = Standing(standing.host.id if standing.host else None, standing.two_signatories, standing.in_kind)
        errors += amount_errors(round_, asked.amount_pence)
        errors += eligibility_errors(round_.rules, asked.answers, organisation, safe)
        errors += _place_errors(asked)
    return errors or _submission(asked, organisation, application_id, moment.at)


def complete(draft: Draft) -> ApplyForGrant | Sequence[FieldError]:
    """A draft as an application, or what it lacks."""
    body = {name: value for name, value in draft.body.items() if value is not None}
    try:
        return ApplyForGrant.model_validate({**body, "applicant": draft.applicant})
    except ValidationError as error:
        return field_errors(error, ApplyForGrant)


async def _submit(event: Event[SubmitDraft], store: Store, at: datetime) -> list[Said]:
    asked = event.data
    rounds = await store.rounds.shared(await store.applications.rounds_of([asked.application_id]))
    draft = (await store.applications.drafts([asked.application_id])).get(asked.application_id)
    known = (await store.applications.asked([asked.application_id])).get(asked.application_id)
    if draft is None or known_as(asked.applicant) != draft.organisation_id:
        owner = known.application.organisation_id if known else ""
        return [refusal(event, _gone(owner, asked.applicant))]
    complete_ = complete(draft)
    if not isinstance(complete_, ApplyForGrant):
        return [refusal(event, *complete_)]
    until = known.changes_until if known else None
    submission = consider(
        complete_, rounds.get(draft.round_id), asked.application_id, Moment(event.time, draft.started_at, until)
    )
    if not isinstance(submission, Submission):
        return [refusal(event, *submission)]
    if known:
        wrong = not_allowed("submit", known.application.status, "applications")
        if wrong or submission.organisation_id != known.application.organisation_id:
            return [refusal(event, wrong or UNKNOWN_APPLICATION)]
        await store.applications.submit_again([submission])
    elif not await store.applications.submit([submission]):
        return [refusal(event, TWICE)]
    await store.applications.drop_drafts([asked.application_id])
    await store.rounds.record([_submitted(submission, asked.applicant)], at)
    return events_out.both(event, events_out.application_submitted(submission))


def _submitted(submission: Submission, by: str) -> Decision:
    return Decision(by, "submitted", submission.round_id, submission.application_id)


def _not_theirs(applicant: str, draft: Draft | None) -> list[FieldError]:
    return [UNKNOWN_APPLICATION] if draft and known_as(applicant) != draft.organisation_id else []


def _gone(owner: str, applicant: str) -> FieldError:
    """There is no draft: it was submitted, or it is another's, or it never was."""
    return SUBMITTED if owner and owner == known_as(applicant) else UNKNOWN_APPLICATION


def _organisation(asked: ApplyForGrant | SaveDraft) -> OrganisationId | FieldError:
    try:
        organisation = organisation_id(asked.organisation.id)
    except ValueError as error:
        return refuse(
            "organisation.id",
            "organisation-id",
            str(error),
            "Write it as GB-CHC-1234567, GB-COH-01234567, GB-SC-SC012345 or GB-NIC-123456, or use your programme id.",
        )
    if organisation.id != known_as(asked.applicant):
        return refuse(
            "organisation.id",
            "not-your-organisation",
            "Your key belongs to another organisation.",
            "Apply for the organisation that your key was given to.",
        )
    return organisation


def _place_errors(asked: ApplyForGrant) -> list[FieldError]:
    kinds = [help_.kind for help_ in asked.places]
    return [WRONG_PLACES] if len(set(kinds)) < len(kinds) or set(kinds) - set(asked.kinds) else []


def _submission(asked: ApplyForGrant, organisation: OrganisationId, application_id: UUID, at: datetime) -> Submission:
    behind = [*asked.partners, *([asked.standing.host] if asked.standing.host else [])]
    body: dict[str, Any] = asked.model_dump(mode="json")
    return Submission(
        application_id=application_id,
        round_id=asked.round_id,
        organisation_id=organisation.id,
        organisation_original=organisation.original,
        organisation_name=asked.organisation.name,
        register=organisation.register,
        title=asked.title,
        amount_pence=asked.amount_pence,
        kinds=asked.kinds,
        wards=asked.wards,
        stakes=sorted({organisation.id, *(recipient_id(each.id, None, None).id for each in behind)}),
        body=body,
        submitted_at=at,
    )


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
WRONG_PLACES = refuse(
    "places",
    "kind-not-asked",
    "Each kind of help may be named once, and only kinds that the project is for.",
    "List in `places` one entry for each of your `kinds`, or for some of them.",
)
