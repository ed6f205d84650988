"""What partners ask about referrals that are there already."""

from datetime import date
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from contracts.door import Agreement, Jwe, NeedAsked, ReferralPosted, ReferralSubmitted, no_person_in_clear
from contracts.message import Message, Part, from_partner, to_partner
from contracts.person import Person
from contracts.refusal import FieldError
from contracts.vocabulary import Language, PersonsAnswer, Reference, Ward, WithoutWard


class Amendment(Message):
    """What changes beside the person. What is left out stays as it is; waiting time always does."""

    referral_id: UUID
    ward: Ward | WithoutWard | None = None
    serve_ward: Ward | None = None
    languages: list[Language] | None = Field(default=None, max_length=10)
    not_before: date | None = None
    direct_contact: bool | None = None
    agreement: Agreement | None = None
    needs: list[NeedAsked] = Field(default=[], max_length=4)
    """Needs as they are now: of a kind that is open it is changed, any other is added."""


@from_partner("referrals", key="referral_id", data_class="personal")
class ReferralAmendmentRequested(Amendment):
    """The referrer corrects a referral, or adds a need. A person, where one is given, replaces the one before."""

    person_jwe: Jwe | None = None

    _sealed = model_validator(mode="before")(no_person_in_clear)

    example = {
        "referral_id": "019aa0c4-0000-7000-8000-000000000001",
        "ward": "E05011394",
        "needs": [{"kind": "connectivity"}],
    }


class AmendmentPosted(Amendment):
    """The same over HTTP, where TLS protects the person: `person` in clear, or `person_jwe`."""

    person: Person | None = None
    person_jwe: Jwe | None = None

    spec = ReferralAmendmentRequested.spec
    example = {**ReferralAmendmentRequested.example}

    @model_validator(mode="after")
    def _one_person(self) -> Self:
        if self.person and self.person_jwe:
            raise ValueError("send either person or person_jwe")
        return self


@from_partner("referrals", key="need_id", data_class="pseudonymous")
class PersonAnswered(Message):
    """The person said yes, no or not now to the help that was found. Not now has a day, at most a year away."""

    need_id: UUID
    answer: PersonsAnswer
    until: date | None = None

    example = {"need_id": "019aa0c4-0000-7000-8000-000000000003", "answer": "not-now", "until": "2026-12-01"}


@from_partner("referrals", key="group", data_class="personal")
class GroupReferralSubmitted(Message):
    """A care home or a hotel refers up to 50 people at once. Each is a referral of its own, and is answered for itself.

    The submission id of the nth, from 0, is that of the group with a stroke and n: a1/0, a1/1. One that is refused is
    mended and sent on its own.
    """

    group: Reference
    referrals: list[ReferralSubmitted] = Field(min_length=1, max_length=50)

    example = {"group": "CARE-7", "referrals": [ReferralSubmitted.example]}


class AnswerInGroup(Part):
    """The referral that was made, or why there is none."""

    submission_id: str
    reference: str
    referral_id: UUID | None = None
    errors: list[FieldError] = []


@to_partner("referrals", key="group", data_class="pseudonymous")
class GroupReferralAcknowledged(Message):
    """What became of each referral of a group, in their order."""

    submission_id: str
    group: str
    answers: list[AnswerInGroup]

    example = {
        "submission_id": "a1",
        "group": "CARE-7",
        "answers": [
            {
                "submission_id": "a1/0",
                "reference": "GP-1042",
                "referral_id": "019aa0c4-0000-7000-8000-000000000001",
            }
        ],
    }


class GroupPosted(Message):
    """The same over HTTP, where TLS protects the persons."""

    group: Reference
    referrals: list[ReferralPosted] = Field(min_length=1, max_length=50)

    spec = GroupReferralSubmitted.spec
    example = {**GroupReferralSubmitted.example}
