"""Facts that the grants service decides. Money is whole pence; points are of a hundred, in hundredths."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.erasure import Confirmation
from contracts.message import Message, Part, fact
from contracts.topics import ERASURES
from contracts.vocabulary import Code, Kind, PartnerId, Pence, ShortText, Ward, When

APPLICATION = "019aa0c4-0000-7000-8000-000000000006"
NAMED = {"application_id": APPLICATION, "round_id": "winter-2026"}


@fact("grants", key="fund_id", to=("reporting",), data_class="none")
class FundOpened(Message):
    """A pot of money with a purpose."""

    fund_id: Code
    name: ShortText

    example = {"fund_id": "digital-2026", "name": "Digital inclusion fund 2026"}


class Question(Part):
    """What is asked of every applicant. With `must`, any other answer makes the project not eligible."""

    code: Code
    text: ShortText
    must: Literal["yes", "no"] | None = None


class Criterion(Part):
    """What projects are scored by, from 0 to `most`; the weight is its share among the weights of a round."""

    code: Code
    title: ShortText
    weight: int = Field(ge=1, le=100)
    most: int = Field(default=5, ge=1, le=10)


class RoundRules(Part):
    """How a round decides. A round without criteria is not scored: it is decided by need alone.

    `grace_minutes`: who has a draft when the round closes may submit it for so long.
    `one_assessor_below_pence`: below this sum one score is enough, for an approver decides.
    `spread_limit`: two scores further apart ask for a third. `gap_points`: what meeting the most need adds.
    `low_reach_floor`: as how many needs a deprived ward counts from which few are referred.
    """

    grace_minutes: int = Field(default=0, ge=0, le=60)
    questions: list[Question] = Field(default=[], max_length=20)
    criteria: list[Criterion] = Field(default=[], max_length=20)
    one_assessor_below_pence: Pence = 0
    spread_limit: int = Field(default=20, ge=1, le=100)
    gap_points: int = Field(default=20, ge=0, le=100)
    low_reach_floor: int = Field(default=10, ge=0, le=100)
    assess_by: date | None = None


@fact("grants", key="round_id", to=("reporting",), data_class="none")
class RoundOpened(Message):
    """Applications to a fund are taken between two moments, within a budget."""

    round_id: Code
    fund_id: Code
    budget_pence: Pence
    maximum_pence: Pence
    opens_at: When
    closes_at: When
    rules: RoundRules | None = None

    example = {
        "round_id": "winter-2026",
        "fund_id": "digital-2026",
        "budget_pence": 10_000_000,
        "maximum_pence": 1_000_000,
        "opens_at": "2026-11-01T09:00:00Z",
        "closes_at": "2026-12-01T12:00:00Z",
    }


@fact("grants", key="application_id", to=("notifications", "reporting"), data_class="none")
class ApplicationSubmitted(Message):
    """An organisation asks for money, or asks again after changes."""

    application_id: UUID
    round_id: Code
    organisation_id: str
    amount_pence: Pence
    kinds: list[Kind]
    wards: list[Ward]

    example = {
        **NAMED,
        "organisation_id": "GB-CHC-1110522",
        "amount_pence": 500_000,
        "kinds": ["device"],
        "wards": ["E05011400"],
    }


@fact("grants", key="application_id", to=("notifications",), data_class="none")
class ChangesRequested(Message):
    """Staff ask the organisation to change its application, until then."""

    application_id: UUID
    round_id: Code
    until: When

    example = {**NAMED, "until": "2026-12-01T12:00:00Z"}


@fact("grants", key="application_id", to=("matching", "notifications", "reporting"), data_class="none")
class ApplicationWithdrawn(Message):
    """The application, or the award that it got, is given up. What was promised goes to the reserve list."""

    application_id: UUID
    round_id: Code
    released_pence: Pence = 0
    reason: Code

    example = {**NAMED, "released_pence": 500_000, "reason": "project-stopped"}


@fact("grants", key="application_id", to=("reporting",), data_class="none")
class ApplicationAssessed(Message):
    """All scores are in and agree, or an approver settled them. `gap_points` is what need adds to them."""

    application_id: UUID
    round_id: Code
    points: int = Field(ge=0, le=10_000)
    gap_points: int = Field(ge=0, le=100)
    assessors: int = Field(ge=0, le=20)
    is_moderated: bool = False

    example = {**NAMED, "points": 7250, "gap_points": 12, "assessors": 2}


class Feedback(Part):
    """What assessors gave for one criterion: the mean, in hundredths of a point, of so many points."""

    criterion: Code
    points: int = Field(ge=0, le=1000)
    most: int = Field(ge=1, le=10)


@fact("grants", key="application_id", to=("notifications", "reporting"), data_class="none")
class GrantAwarded(Message):
    """Money is promised, within the budget of the round. `decided_under` is the delegated decision it rests on."""

    application_id: UUID
    round_id: Code
    organisation_id: str
    amount_pence: Pence
    at: When
    asked_pence: Pence | None = None
    decided_under: ShortText | None = None
    from_reserve: bool = False
    feedback: list[Feedback] = []

    example = {
        **NAMED,
        "organisation_id": "GB-CHC-1110522",
        "amount_pence": 500_000,
        "at": "2026-12-10T10:00:00Z",
    }


@fact("grants", key="application_id", to=("notifications",), data_class="none")
class GrantReserved(Message):
    """It would be funded if the budget reached so far: it is on the reserve list, and moves up by its rank."""

    application_id: UUID
    round_id: Code
    amount_pence: Pence
    feedback: list[Feedback] = []

    example = {**NAMED, "amount_pence": 500_000}


@fact("grants", key="application_id", to=("notifications", "reporting"), data_class="none")
class ApplicationDeclined(Message):
    """The application is not funded."""

    application_id: UUID
    round_id: Code
    reason: Code
    feedback: list[Feedback] = []

    example = {**NAMED, "reason": "outside-budget"}


class PlannedPlace(Part):
    """Help that a grant pays for, and that is to be opened: so many of a kind, in these wards or everywhere."""

    place_id: Code
    kind: Kind
    capacity: int = Field(ge=1, le=100_000)
    wards: list[Ward] = []


@fact("grants", key="application_id", to=("matching",), data_class="none")
class GrantPlacesFunded(Message):
    """A grant pays for these places. Their provider opens them by PlaceUpdated, with this `funded_by`."""

    application_id: UUID
    round_id: Code
    partner: PartnerId
    provider_id: Code
    provider_name: ShortText
    funded_by: Code
    places: list[PlannedPlace]

    example = {
        **NAMED,
        "partner": "library-service",
        "provider_id": "library-armley",
        "provider_name": "Armley Library",
        "funded_by": APPLICATION,
        "places": [{"place_id": f"{APPLICATION}-device", "kind": "device", "capacity": 12, "wards": ["E05011400"]}],
    }


@fact("grants", key="application_id", to=("notifications", "reporting"), data_class="none")
class PaymentMade(Message):
    """An instalment of a grant is paid. `paid_pence` is all that was paid of it."""

    application_id: UUID
    round_id: Code
    amount_pence: Pence
    paid_pence: Pence
    at: When

    example = {**NAMED, "amount_pence": 250_000, "paid_pence": 250_000, "at": "2027-01-10T10:00:00Z"}


@fact("grants", key="application_id", to=("notifications", "reporting"), data_class="none")
class UnderspendReturned(Message):
    """Money that was paid and not spent came back; the award is so much less."""

    application_id: UUID
    round_id: Code
    amount_pence: Pence
    awarded_pence: Pence
    at: When

    example = {**NAMED, "amount_pence": 10_000, "awarded_pence": 490_000, "at": "2027-06-10T10:00:00Z"}


@fact("grants", key="application_id", to=("notifications",), data_class="none")
class GrantReportDue(Message):
    """The organisation owes a report on this day, soon or already."""

    application_id: UUID
    round_id: Code
    due_on: date
    is_overdue: bool = False

    example = {**NAMED, "due_on": "2027-03-31"}


@fact("grants", key="application_id", to=("notifications",), data_class="none")
class GrantReported(Message):
    """The organisation reported what it did with the money."""

    application_id: UUID
    round_id: Code
    due_on: date
    spent_pence: Pence
    at: When

    example = {**NAMED, "due_on": "2027-03-31", "spent_pence": 240_000, "at": "2027-03-28T10:00:00Z"}


@fact("grants", key="referral_id", to=("referrals",), topic=ERASURES)
class ErasureConfirmed(Confirmation):
    """Grants has forgotten where the needs of a referral were gaps."""
