"""What applicants ask of grants over HTTP, and what staff ask of an applicant."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.message import Message, Part
from contracts.person import Email
from contracts.vocabulary import Code, Kind, PartnerId, Ward
from services.grants.handlers.acts import Amount, Line, Moment, Organisation, Words, act


class Standing(Part):
    """For a group on no register: a host, an account with two unrelated signatories, or help in kind instead."""

    host: Organisation | None = None
    two_signatories: bool = False
    in_kind: bool = False


class Help(Part):
    """What a project could give of a kind."""

    kind: Kind
    capacity: int = Field(ge=1, le=100_000)


class DeliversAs(Part):
    """The provider, as the network knows it, that opens the places which a grant pays for."""

    partner: PartnerId
    provider_id: Code


class _Project(Message):
    """What a project may say of itself. `applicant` is whom the key belongs to; no `wards` is the whole city.

    `partners` are organisations it works with on this, `refers_as` the ids by which it refers people in the network,
    `email` where it is written to, which is kept apart from the application.
    """

    applicant: str
    round_id: Code
    wards: list[Ward] = Field(default=[], max_length=200)
    organisation: Organisation
    email: Email | None = None
    summary: Words | None = None
    answers: dict[Code, Literal["yes", "no"]] = Field(default={}, max_length=20)
    standing: Standing = Standing()
    partners: list[Organisation] = Field(default=[], max_length=10)
    refers_as: list[PartnerId] = Field(default=[], max_length=10)
    delivers_as: DeliversAs | None = None
    places: list[Help] = Field(default=[], max_length=4)


@act(key="round_id")
class ApplyForGrant(_Project):
    """An organisation asks for money."""

    title: Line
    amount_pence: Amount
    kinds: list[Kind] = Field(min_length=1, max_length=4)


@act(key="application_id")
class SaveDraft(_Project):
    """An organisation keeps what it has of an application, under an id of its own choice: any part may lack yet."""

    application_id: UUID
    title: Line | None = None
    amount_pence: Amount | None = None
    kinds: list[Kind] = Field(default=[], max_length=4)


@act(key="application_id")
class SubmitDraft(Message):
    """An organisation submits its draft, or submits again after changes."""

    applicant: str
    application_id: UUID


@act(key="application_id")
class WithdrawApplication(Message):
    """An organisation gives up its application, or its award; or staff record that it did."""

    application_id: UUID
    reason: Code
    applicant: str | None = None
    by: str


@act(key="application_id")
class RequestChanges(Message):
    """Staff ask for changes, until a moment; what was submitted stands if none come."""

    application_id: UUID
    what: Words
    until: Moment
    by: str
