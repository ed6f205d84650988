"""What the doors of grants show, and who may open them."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel

from chassis.access import Caller
from chassis.http import role
from contracts.grants import Feedback, RoundRules
from contracts.refusal import FieldError
from contracts.vocabulary import Kind
from services.grants.domain.states import Phase, Status

Applicant = Annotated[Caller, Depends(role("applicant"))]
Assessor = Annotated[Caller, Depends(role("assessor"))]
Decider = Annotated[Caller, Depends(role("approver", "staff"))]
"""Who decides: an approver, or staff with that authority."""
ApplicantOrStaff = Annotated[Caller, Depends(role("applicant", "staff"))]
Anybody = Annotated[Caller, Depends(role("applicant", "assessor", "approver", "staff"))]


class RoundLine(BaseModel):
    """A round as everybody may see it. Amounts are pence; times are those of its deadline in Europe/London."""

    round_id: str
    fund_id: str
    fund_name: str
    budget_pence: int
    maximum_pence: int
    minimum_pence: int
    opens_at: datetime
    closes_at: datetime
    phase: Phase
    deadline: str
    rules: RoundRules
    applications: int | None


class GapCell(BaseModel):
    """So many people need this here and no place can give it (null hides 1 to 7), and as how many they count."""

    kind: Kind
    area: str
    people: int | None
    counted: int
    low_reach: bool


class GapExplanation(BaseModel):
    """Why an application has its gap points, frozen when assessment opened: what it meets, of the most in the round.

    Counted from what is published; an applicant's own referrals do not count; `low_reach` marks a deprived ward from
    which few are referred: silence is not read as no need.
    """

    points: int
    of: int
    met: int
    most_met: int
    cells: list[GapCell]


class ApplicationLine(BaseModel):
    """An application in a list. `points` are hundredths of a hundred, `gap_points` whole."""

    application_id: UUID
    round_id: str
    organisation_id: str
    organisation_original: str
    organisation_name: str
    on_register: str | None
    title: str
    amount_pence: int
    kinds: list[Kind]
    wards: list[str]
    status: Status
    points: int | None
    gap_points: int
    needs_moderation: bool
    awarded_pence: int | None
    reserved_pence: int | None
    paid_pence: int
    decline_reason: str | None
    submitted_at: datetime
    decided_at: datetime | None
    may_be_duplicates: list[UUID] = []


class FileLine(BaseModel):
    name: str
    media_type: str
    bytes: int
    at: datetime


class PastAward(BaseModel):
    """A grant that the organisation had before, by anybody, as it was published."""

    title: str
    amount_pence: int
    award_date: date
    funder: str | None


class Instalment(BaseModel):
    nth: int
    due_on: date
    pence: int
    evidence: str | None
    paid_pence: int


class Payment(BaseModel):
    nth: int | None
    pence: int
    evidence: str | None
    by: str
    at: datetime


class Report(BaseModel):
    due_on: date
    reported_at: datetime | None
    spent_pence: int | None
    people_helped: int | None
    account: str | None


class ApplicationView(ApplicationLine):
    """An application as it was submitted, with what became of it."""

    decided_under: str | None
    advice: str | None
    changes_until: datetime | None
    asked: dict[str, Any]
    gap_weight: GapExplanation | None
    attachments: list[FileLine]
    feedback: list[Feedback]
    past_awards: list[PastAward]
    schedule: list[Instalment]
    payments: list[Payment]
    reports: list[Report]


class DraftView(BaseModel):
    """What an organisation has so far."""

    application_id: UUID
    round_id: str
    status: str
    asked: dict[str, Any]
    started_at: datetime
    saved_at: datetime
    attachments: list[FileLine]


class BriefLine(BaseModel):
    application_id: UUID
    round_id: str
    title: str | None
    status: str
    submitted_at: datetime | None


class Answers(BaseModel):
    """Whether an application could be submitted as it is, and if not, every reason."""

    may_be_submitted: bool
    reasons: list[FieldError]


class GapView(BaseModel):
    """How many people need this here and no place can give it: to the nearest 5; null hides 1 to 7."""

    kind: Kind
    area: str
    people: int | None


class RoundView(BaseModel):
    """A round, what is left of it, who applied, and the gaps that it may fill."""

    round_id: str
    fund_id: str
    budget_pence: int
    maximum_pence: int
    minimum_pence: int
    opens_at: datetime
    closes_at: datetime
    phase: Phase
    rules: RoundRules
    awarded_pence: int
    remaining_pence: int
    applications: list[ApplicationLine]
    gaps: list[GapView]


class RankedLine(BaseModel):
    """`total` is points and gap points, in hundredths; below the line the budget does not reach."""

    rank: int
    application_id: UUID
    organisation_name: str
    title: str
    status: Status
    points: int
    gap_points: int
    total: int
    amount_pence: int
    awarded_pence: int | None
    running_pence: int
    is_funded: bool


class Ranking(BaseModel):
    round_id: str
    budget_pence: int
    awarded_pence: int
    ranked: list[RankedLine]


class ScoreLine(BaseModel):
    """One assessor beside the others; without scores where they have not scored yet."""

    application_id: UUID
    organisation_name: str
    assessor: str
    scores: dict[str, int] | None
    points: int | None
    comment: str | None
    at: datetime | None


class ToScore(BaseModel):
    application_id: UUID
    round_id: str
    title: str
    organisation_name: str
    amount_pence: int
    is_scored: bool


class HistoryLine(BaseModel):
    """A decision: who, what, when, and why."""

    at: datetime
    by: str
    what: str
    round_id: str
    application_id: UUID | None
    why: str | None
    details: dict[str, Any]


class LedgerLine(BaseModel):
    """A place that a grant pays for, and how many gaps in an area closed when it opened (null hides 1 to 7)."""

    application_id: UUID
    organisation_name: str
    awarded_pence: int | None
    partner: str
    place_id: str
    kind: Kind
    capacity: int
    opened_at: datetime
    area: str | None
    people: int | None


def lines(rows: Iterable[Mapping[str, Any]], duplicates: Mapping[UUID, list[UUID]]) -> list[ApplicationLine]:
    return [ApplicationLine(**row, may_be_duplicates=duplicates.get(row["application_id"], [])) for row in rows]
