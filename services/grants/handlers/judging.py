"""What assessors, approvers and staff ask of grants over HTTP: scores, decisions, money, reports."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.message import Message, Part
from contracts.vocabulary import Code, Pence, Ward
from services.grants.handlers.acts import Amount, Day, Line, Words, act


@act(key="assessor")
class PutAssessor(Message):
    """Staff name an assessor and their interests: `organisations` they work for, `interests` in a councillor's
    register, `wards` a councillor sits for. Ids are written as organisations write them."""

    assessor: Code
    organisations: list[Line] = Field(default=[], max_length=50)
    interests: list[Line] = Field(default=[], max_length=200)
    wards: list[Ward] = Field(default=[], max_length=10)
    is_active: bool = True
    by: str


@act(key="round_id")
class AssignAssessors(Message):
    """Staff have every application of a round given to as many assessors as it needs."""

    round_id: Code
    by: str


@act(key="application_id")
class AssignAssessor(Message):
    """Staff give one application to one assessor."""

    application_id: UUID
    assessor: Code
    by: str


@act(key="application_id")
class DeclareConflict(Message):
    """An assessor must not judge an application: it goes to another."""

    application_id: UUID
    reason: Line
    by: str


@act(key="application_id")
class ScoreApplication(Message):
    """An assessor scores an application, once, by every criterion of the round."""

    application_id: UUID
    scores: dict[Code, int] = Field(max_length=20)
    comment: Words
    by: str


@act(key="application_id")
class ModerateApplication(Message):
    """An approver settles the points of an application, of a hundred, and says why."""

    application_id: UUID
    points: int = Field(ge=0, le=100)
    why: Words
    by: str


class Instalment(Part):
    """What of an award is to be paid when; `evidence` is what must have come before."""

    due_on: Day
    amount_pence: Amount
    evidence: Line | None = None


class Subsidy(Part):
    """Whether the award is a subsidy in law, and what the organisation had of such help in three years."""

    basis: Literal["no-subsidy", "minimal-financial-assistance", "other-scheme"] = "no-subsidy"
    received_pence: Pence = 0


class _Promise(Message):
    """`advice` is for the letter: what was good, and what would have helped."""

    application_id: UUID
    amount_pence: Amount
    decided_under: Line | None = None
    subsidy: Subsidy = Subsidy()
    schedule: list[Instalment] = Field(default=[], max_length=24)
    reports_due: list[Day] = Field(default=[], max_length=24)
    advice: Words | None = None
    by: str


@act(key="application_id")
class AwardGrant(_Promise):
    """An approver promises money to an application. `decided_under` is the delegated decision that it rests on."""


@act(key="application_id")
class ReserveGrant(_Promise):
    """An approver puts an application on the reserve list: it is awarded this, when money comes free, by its rank."""


@act(key="application_id")
class DeclineApplication(Message):
    """An approver turns an application down, with a coded reason. `advice` is for the letter: what would help."""

    application_id: UUID
    reason: Code
    advice: Words | None = None
    by: str


@act(key="application_id")
class PayInstalment(Message):
    """Staff record that an instalment, or a part of it, was paid."""

    application_id: UUID
    instalment: int = Field(ge=1, le=24)
    amount_pence: Amount
    evidence: Line | None = None
    by: str


@act(key="application_id")
class ReturnUnderspend(Message):
    """Staff record that money which was paid and not spent came back. The reserve list moves up."""

    application_id: UUID
    amount_pence: Amount
    why: Line
    by: str


@act(key="application_id")
class ReportGrant(Message):
    """An organisation reports what it did with the money."""

    application_id: UUID
    due_on: Day
    spent_pence: Pence
    people_helped: int = Field(ge=0, le=1_000_000)
    account: Words
    applicant: str
