"""Facts that the referrals service decides."""

from datetime import date
from uuid import UUID

from pydantic import Field

from contracts.door import NeedAsked, NextStep
from contracts.erasure import Confirmation
from contracts.message import SERVICES, Message, Part, fact
from contracts.topics import ERASURES
from contracts.vocabulary import (
    Actor,
    Kind,
    Lane,
    NeedStatus,
    Outcome,
    PartnerId,
    PersonsAnswer,
    ShortText,
    When,
)


@fact("referrals", key="partner", to=("notifications", "reporting", "grants"), data_class="none")
class PartnerRegistered(Message):
    """An organisation may use the doors. With `mail` it wants to be written to of its referrals."""

    partner: PartnerId
    name: ShortText
    mail: bool = False

    example = {"partner": "gp-armley", "name": "Armley Medical Practice"}


class Area(Part):
    """A ward and the mean deprivation decile of its small areas: 1 is the most deprived.

    `committee` is the larger part of the city that it lies in.
    """

    code: str
    name: str
    decile: int = Field(ge=1, le=10)
    step: int = Field(ge=0, le=10)
    committee: str | None = None


@fact("referrals", key="version", to=("reporting", "grants"), data_class="none")
class AreasLoaded(Message):
    """The areas and their deprivation, as a whole."""

    version: str
    areas: list[Area]

    example = {
        "version": "IMD 2025",
        "areas": [{"code": "E05011394", "name": "Gipton & Harehills", "decile": 1, "step": 10}],
    }


class Priority(Part):
    """Coarse on purpose: no single circumstance can be read from it."""

    score: int = Field(ge=0)
    groups: int = Field(ge=0, le=5)
    area_step: int = Field(ge=0)
    policy: str


class NeedReceived(NeedAsked):
    """A need that is `paused` is offered nothing until ReferralAmended says otherwise."""

    need_id: UUID
    paused: bool = False


class _ForMatching(Message):
    """What a referral decides by, beside its needs."""

    referral_id: UUID
    partner: PartnerId
    received_at: When
    ward: str | None
    area: str
    languages: list[str] = []
    schemes: list[str] = []
    priority: Priority
    lane: Lane = "routine"


@fact("referrals", key="referral_id", to=("matching", "notifications", "reporting", "grants"))
class ReferralReceived(_ForMatching):
    """A referral was accepted. `ward` is where to help, none for city-wide help only."""

    person_ref: UUID
    needs: list[NeedReceived]
    not_before: date | None = None

    example = {
        "referral_id": "019aa0c4-0000-7000-8000-000000000001",
        "person_ref": "6f1d1c1e-0000-4000-8000-000000000001",
        "partner": "gp-armley",
        "received_at": "2026-11-20T10:00:00Z",
        "ward": "E05011400",
        "area": "E05011400",
        "needs": [
            {"need_id": "019aa0c4-0000-7000-8000-000000000003", "kind": "device", "requirements": ["large-screen"]}
        ],
        "languages": ["ur", "en"],
        "schemes": ["scheme:databank"],
        "priority": {"score": 40, "groups": 2, "area_step": 10, "policy": "leeds-1"},
    }


@fact("referrals", key="referral_id", to=("matching", "reporting"))
class ReferralWithdrawn(Message):
    """The referrer took back these needs. It wins over any offer that crosses it."""

    referral_id: UUID
    need_ids: list[UUID]
    reason: str

    example = {
        "referral_id": "019aa0c4-0000-7000-8000-000000000001",
        "need_ids": ["019aa0c4-0000-7000-8000-000000000003"],
        "reason": "no-longer-needed",
    }


class NeedAmended(NeedReceived):
    """An open need as matching is to see it from now on.

    A pause ends by another amendment, on the day in `paused_until` where there is one. It is never offered a place of
    a provider in `barred`; with the requirement home-visit, none before a visit is cleared.
    """

    paused_until: date | None = None
    barred: list[PartnerId] = []
    home_visit_cleared: bool = False


@fact("referrals", key="referral_id", to=("matching",))
class ReferralAmended(_ForMatching):
    """All that matching needs to know of a referral, as it is now. Needs that are not named have ended."""

    needs: list[NeedAmended]
    lane_until: date | None = None

    example = {
        "referral_id": "019aa0c4-0000-7000-8000-000000000001",
        "partner": "gp-armley",
        "received_at": "2026-11-20T10:00:00Z",
        "ward": "E05011400",
        "area": "E05011400",
        "needs": [
            {
                "need_id": "019aa0c4-0000-7000-8000-000000000003",
                "kind": "device",
                "paused": True,
                "paused_until": "2026-12-01",
            }
        ],
        "languages": ["ur", "en"],
        "priority": {"score": 40, "groups": 2, "area_step": 10, "policy": "leeds-1"},
    }


@fact("referrals", key="referral_id", to=("matching",))
class NeedAnswered(Message):
    """What the person said to the help that was found, whoever wrote it down. No costs them no waiting time."""

    referral_id: UUID
    need_id: UUID
    answer: PersonsAnswer
    until: date | None = None
    at: When

    example = {
        "referral_id": "019aa0c4-0000-7000-8000-000000000001",
        "need_id": "019aa0c4-0000-7000-8000-000000000003",
        "answer": "not-now",
        "until": "2026-12-01",
        "at": "2026-11-20T10:00:00Z",
    }


@fact("referrals", key="referral_id", to=("reporting",))
class ReferralStalled(Message):
    """The day of a need's next action went by and nobody acted. `by` and `due_on` are who should have, and when."""

    referral_id: UUID
    need_id: UUID
    partner: PartnerId
    kind: Kind
    area: str
    status: NeedStatus
    by: Actor
    due_on: date
    at: When

    example = {
        "referral_id": "019aa0c4-0000-7000-8000-000000000001",
        "need_id": "019aa0c4-0000-7000-8000-000000000003",
        "partner": "gp-armley",
        "kind": "device",
        "area": "E05011400",
        "status": "offered",
        "by": "provider",
        "due_on": "2026-11-27",
        "at": "2026-11-28T00:00:00Z",
    }


@fact("referrals", key="referral_id", to=("notifications", "reporting"))
class NeedStatusChanged(Message):
    """The status of a need, and the one message from which people are told of it."""

    referral_id: UUID
    need_id: UUID
    partner: PartnerId
    kind: Kind
    area: str
    status: NeedStatus
    previous: NeedStatus
    reason: str | None = None
    outcome: Outcome | None = None
    at: When
    next: NextStep | None = None

    example = {
        "referral_id": "019aa0c4-0000-7000-8000-000000000001",
        "need_id": "019aa0c4-0000-7000-8000-000000000003",
        "partner": "gp-armley",
        "kind": "device",
        "area": "E05011400",
        "status": "accepted",
        "previous": "offered",
        "at": "2026-11-20T10:00:00Z",
    }


@fact("referrals", key="referral_id", to=("notifications", "reporting"))
class ReferralClosed(Message):
    """Every need of the referral has ended."""

    referral_id: UUID
    at: When

    example = {"referral_id": "019aa0c4-0000-7000-8000-000000000001", "at": "2026-11-20T10:00:00Z"}


@fact("referrals", key="referral_id", to=SERVICES, forgets=True)
class PersonErased(Message):
    """The person of this referral is forgotten, and what every service holds of the referral is to be.

    It is the last fact of the referral that has an effect: what is said of it later is passed over.
    """

    referral_id: UUID

    example = {"referral_id": "019aa0c4-0000-7000-8000-000000000001"}


@fact("referrals", key="referral_id", to=("referrals",), topic=ERASURES)
class ErasureConfirmed(Confirmation):
    """Referrals has forgotten a referral, with the person and their key."""
