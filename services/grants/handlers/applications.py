"""Organisations apply; staff award and decline."""

from collections.abc import Sequence
from datetime import datetime

from chassis.envelope import Event
from chassis.errors import refuse
from chassis.facts import Fact, Said, answer, refusal
from chassis.ids import uuid7
from contracts.message import Message
from contracts.refusal import FieldError
from services.grants.domain.awards import Award, Decline
from services.grants.domain.organisation import OrganisationId, known_as, organisation_id
from services.grants.domain.rounds import application_errors
from services.grants.events_out import application_declined, application_submitted, grant_awarded
from services.grants.handlers.acts import ApplyForGrant, AwardGrant, DeclineApplication
from services.grants.store import Store, Submission


async def on_apply(events: Sequence[Event[ApplyForGrant]], store: Store, _at: datetime) -> list[Said]:
    """What counts is when the application came, not when it is looked at."""
    rounds = await store.rounds({event.data.round_id for event in events})
    said: list[Said] = []
    submissions: list[Submission] = []
    for event in events:
        asked = event.data
        organisation = _organisation(asked)
        errors = [*application_errors(rounds.get(asked.round_id), asked.amount_pence, event.time)]
        if isinstance(organisation, FieldError):
            said.append(refusal(event, *errors, organisation))
        elif errors:
            said.append(refusal(event, *errors))
        else:
            submissions.append(_submission(event, organisation))
            said += _both(event, application_submitted(submissions[-1], asked.kinds, asked.wards))
    await store.add_applications(submissions)
    return said


async def on_award(events: Sequence[Event[AwardGrant]], store: Store, at: datetime) -> list[Said]:
    book = await store.lock_applications({event.data.application_id for event in events})
    said: list[Said] = []
    awards: list[Award] = []
    for event in events:
        decided = book.award(event.data.application_id, event.data.amount_pence, event.data.by)
        if isinstance(decided, FieldError):
            said.append(refusal(event, decided))
        else:
            awards.append(decided)
            said += _both(event, grant_awarded(decided, at))
    await store.award(awards, at)
    return said


async def on_decline(events: Sequence[Event[DeclineApplication]], store: Store, at: datetime) -> list[Said]:
    book = await store.lock_applications({event.data.application_id for event in events})
    said: list[Said] = []
    declines: list[Decline] = []
    for event in events:
        decided = book.decline(event.data.application_id, event.data.reason, event.data.by)
        if isinstance(decided, FieldError):
            said.append(refusal(event, decided))
        else:
            declines.append(decided)
            said += _both(event, application_declined(decided))
    await store.decline(declines, at)
    return said


def _both(event: Event[Message], fact: Message) -> list[Said]:
    """Everybody hears the fact, and who asked is answered with the same."""
    return [Fact(fact, event), answer(event, fact)]


def _organisation(asked: ApplyForGrant) -> OrganisationId | FieldError:
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


def _submission(event: Event[ApplyForGrant], organisation: OrganisationId) -> Submission:
    asked = event.data
    return Submission(
        uuid7(event.time, event.source, event.id, "application"),
        asked.round_id,
        organisation.id,
        organisation.original,
        asked.organisation.name,
        asked.title,
        asked.amount_pence,
        asked.kinds,
        asked.wards,
        event.time,
    )
