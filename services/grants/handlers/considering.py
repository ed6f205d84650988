"""Whether an application is taken as it is, and how it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from chassis.errors import field_errors, refuse
from contracts.refusal import FieldError
from services.grants.domain.conflicts import as_known
from services.grants.domain.eligibility import Standing, eligibility_errors
from services.grants.domain.organisation import OrganisationId, known_as, organisation_id
from services.grants.domain.rounds import Round, amount_errors, time_errors
from services.grants.handlers.asking import ApplyForGrant, SaveDraft
from services.grants.store.applications import Draft
from services.grants.store.rows import Submission


@dataclass(frozen=True, slots=True)
class Moment:
    """When an application came, and what counts beside the deadline: since when it is drafted, and changes asked."""

    at: datetime
    drafted_at: datetime | None = None
    changes_until: datetime | None = None


def consider(
    asked: ApplyForGrant, round_: Round | None, application_id: UUID, moment: Moment
) -> Submission | Sequence[FieldError]:
    """The application as it is kept, or every reason why it is not taken."""
    organisation = applicant_of(asked)
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


def applicant_of(asked: ApplyForGrant | SaveDraft) -> OrganisationId | FieldError:
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
    behind = [asked.organisation, *asked.partners, *([asked.standing.host] if asked.standing.host else [])]
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
        stakes=sorted({organisation.id}.union(*(as_known(each.id, each.name) for each in behind))),
        body=asked.model_dump(mode="json", exclude={"email"}),
        submitted_at=at,
    )


WRONG_PLACES = refuse(
    "places",
    "kind-not-asked",
    "Each kind of help may be named once, and only kinds that the project is for.",
    "List in `places` one entry for each of your `kinds`, or for some of them.",
)
