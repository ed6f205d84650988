"""What passes through the partners' doors, by Kafka or HTTP: their messages to us, and our answers."""

from datetime import date
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from contracts.champion import Champion
from contracts.message import Message, Part, from_partner, to_partner
from contracts.person import Person
from contracts.vocabulary import (
    Actor,
    Code,
    Format,
    Kind,
    Language,
    NeedStatus,
    Outcome,
    PartnerId,
    Reference,
    Requirement,
    SchemeCode,
    ShortText,
    Ward,
    Weekday,
    When,
    WithoutWard,
)

Jwe = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*){4}$", max_length=16_384)]


class NeedAsked(Part):
    """`days` are those on which the person can be helped; none is any."""

    kind: Kind
    requirements: list[Requirement] = Field(default=[], max_length=10)
    languages: list[Language] = Field(default=[], max_length=10)
    formats: list[Format] = Field(default=[], max_length=4)
    days: list[Weekday] = Field(default=[], max_length=7)


class Agreement(Part):
    """Who agreed to the referral, when, and until when. Not the lawful basis."""

    by: Literal["person", "attorney", "deputy", "parent", "best-interests"]
    given_on: date
    until: date | None = None


class Referral(Message):
    """What a referral says beside the person."""

    reference: Reference
    ward: Ward | WithoutWard
    serve_ward: Ward | None = None
    needs: list[NeedAsked] = Field(min_length=1, max_length=4)
    languages: list[Language] = Field(default=[], max_length=10)
    not_before: date | None = None
    direct_contact: bool = False
    agreement: Agreement


def no_person_in_clear(sent: Any) -> Any:
    if isinstance(sent, dict) and "person" in sent:
        mend = "Take `person` out and send it sealed, as `person_jwe`. Tell the programme what was sent."
        raise PydanticCustomError("person_in_clear", "A person may not travel in clear over Kafka", {"mend": mend})
    return sent


@from_partner("referrals", key="reference", data_class="personal")
class ReferralSubmitted(Referral):
    """A partner refers one person with one or more needs. The person travels sealed, in `person_jwe`."""

    person_jwe: Jwe

    _sealed = model_validator(mode="before")(no_person_in_clear)

    example = {
        "reference": "GP-1042",
        "ward": "E05011400",
        "needs": [
            {"kind": "device", "requirements": ["large-screen"]},
            {"kind": "champion", "requirements": ["home-visit"], "languages": ["ur"], "formats": ["in-person"]},
        ],
        "languages": ["ur", "en"],
        "agreement": {"by": "person", "given_on": "2026-11-20"},
        "person_jwe": "eyJhbGciOiJFQ0RILUVTK0EyNTZLVyJ9.a2V5.aXY.Y2lwaGVydGV4dA.dGFn",
    }


class ReferralPosted(Referral):
    """The same over HTTP, where TLS protects the person: `person` in clear, or `person_jwe`."""

    person: Person | None = None
    person_jwe: Jwe | None = None

    spec = ReferralSubmitted.spec
    example = {**ReferralSubmitted.example}

    @model_validator(mode="after")
    def _one_person(self) -> Self:
        if (self.person is None) == (self.person_jwe is None):
            raise ValueError("send either person or person_jwe")
        return self


@from_partner("referrals", key="referral_id", data_class="pseudonymous")
class ReferralWithdrawalRequested(Message):
    """The referrer takes back a referral, or one need of it."""

    referral_id: UUID
    need_id: UUID | None = None
    reason: Literal["no-longer-needed", "agreement-withdrawn", "moved-away", "died", "other"]

    example = {"referral_id": "019aa0c4-0000-7000-8000-000000000001", "reason": "no-longer-needed"}


@from_partner("matching", key="provider_id", data_class="none")
class ProviderUpdated(Message):
    """A partner describes an organisation that gives help. The id is the partner's own.

    Its `champions` help people whom the partner itself refers; where it is a `host`, it also takes in people whom
    others refer. Without `champions` they stay as they were; who is not in the list any more gives their people back.
    """

    provider_id: Code
    name: ShortText
    languages: list[Language] = Field(default=[], max_length=40)
    host: bool = False
    champions: list[Champion] | None = Field(default=None, max_length=200)

    example = {"provider_id": "library-armley", "name": "Armley Library", "languages": ["en", "ur"]}


@from_partner("matching", key="provider_id", data_class="none")
class PlaceUpdated(Message):
    """What a provider can give. `capacity` is the total, held and taken included; empty `wards` is the city.

    A device or SIM may be lent for `loan_days`, or last `lasts_months`; `reopen_days` before that we say so. Devices
    may be known by `serials`: left out, they stay as they were; of those not in the list, whoever has one keeps it.
    """

    place_id: Code
    provider_id: Code
    kind: Kind
    capacity: int = Field(ge=0, le=100_000)
    wards: list[Ward] = Field(default=[], max_length=200)
    languages: list[Language] = Field(default=[], max_length=40)
    formats: list[Format] = Field(default=[], max_length=4)
    requirements: list[Requirement] = Field(default=[], max_length=10)
    days: list[Weekday] = Field(default=[], max_length=7)
    open_to: list[PartnerId] = Field(default=[], max_length=200)
    scheme: SchemeCode | None = None
    opens_on: date | None = None
    closes_on: date | None = None
    funded_by: Code | None = None
    loan_days: int | None = Field(default=None, ge=1, le=3_650)
    lasts_months: int | None = Field(default=None, ge=1, le=120)
    reopen_days: int = Field(default=30, ge=1, le=365)
    serials: list[Code] | None = Field(default=None, max_length=1_000)

    example = {
        "place_id": "tablets",
        "provider_id": "library-armley",
        "kind": "device",
        "capacity": 12,
        "wards": ["E05011400"],
        "requirements": ["large-screen"],
    }


class NeedAcknowledged(Part):
    need_id: UUID
    kind: Kind
    status: NeedStatus


@to_partner("referrals", key="referral_id", data_class="pseudonymous")
class ReferralAcknowledged(Message):
    """The referral is accepted: these are its ids."""

    submission_id: str
    reference: str
    referral_id: UUID
    needs: list[NeedAcknowledged]

    example = {
        "submission_id": "a1",
        "reference": "GP-1042",
        "referral_id": "019aa0c4-0000-7000-8000-000000000001",
        "needs": [{"need_id": "019aa0c4-0000-7000-8000-000000000003", "kind": "device", "status": "requested"}],
    }


class NextStep(Part):
    """Who does what next, and by when: no referral waits without one."""

    by: Actor
    on: date
    what: ShortText


@to_partner("referrals", key="referral_id", data_class="pseudonymous")
class ReferralProgressed(Message):
    """The status of a need changed, why, and what happens next."""

    referral_id: UUID
    need_id: UUID
    reference: str
    kind: Kind
    status: NeedStatus
    reason: str | None = None
    outcome: Outcome | None = None
    at: When
    next: NextStep | None = None

    example = {
        "referral_id": "019aa0c4-0000-7000-8000-000000000001",
        "need_id": "019aa0c4-0000-7000-8000-000000000003",
        "reference": "GP-1042",
        "kind": "device",
        "status": "on-hold",
        "reason": "waiting-for-place",
        "at": "2026-11-20T10:00:00Z",
        "next": {"by": "programme", "on": "2026-12-18", "what": "We offer the next free place."},
    }
