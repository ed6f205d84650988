"""What notifications asks grants at the moment of writing to an applicant, and is told. It travels over HTTP alone."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from contracts.vocabulary import Code, Pence

About = Literal[
    "received",
    "changes",
    "withdrawn",
    "awarded",
    "reserved",
    "declined",
    "paid",
    "returned",
    "report-due",
    "report-overdue",
    "reported",
]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class ApplicantLookup(_Told):
    """Whom to write to about what; `day` is that of the report that is owed."""

    application_id: UUID
    about: About
    day: date | None = None


class ApplicantLookups(_Told):
    lookups: list[ApplicantLookup] = Field(min_length=1, max_length=500)


class Mark(_Told):
    """The mean of what assessors gave for one criterion, in hundredths of a point, of so many points."""

    criterion: str
    points: int
    most: int


class Instalment(_Told):
    """What is paid when; `evidence` is what must have come before."""

    due_on: date
    pence: Pence
    evidence: str | None = None


class Standing(_Told):
    """An application as it stands now. `advice` is the approver's, `changes` what staff ask for until `until`."""

    organisation: str
    title: str
    fund: str
    asked_pence: Pence
    awarded_pence: Pence | None = None
    reserved_pence: Pence | None = None
    paid_pence: Pence = 0
    decided_under: str | None = None
    decline_reason: Code | None = None
    advice: str | None = None
    changes: str | None = None
    until: AwareDatetime | None = None
    marks: tuple[Mark, ...] = ()
    schedule: tuple[Instalment, ...] = ()
    reports_due: tuple[date, ...] = ()


class ApplicantContact(_Told):
    """Where to write, and how it stands; or a code that says why nobody is to be written to of this any more."""

    application_id: UUID
    about: About
    withheld: Code | None = None
    email: SecretStr | None = Field(default=None, max_length=254)
    standing: Standing | None = None


class ApplicantContacts(_Told):
    contacts: list[ApplicantContact]
