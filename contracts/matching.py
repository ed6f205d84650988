"""Facts that the matching service decides."""

from uuid import UUID

from contracts.erasure import Confirmation
from contracts.message import Message, fact
from contracts.topics import ERASURES
from contracts.vocabulary import FailedReason, GapReason, Kind, Outcome, PartnerId, Requirement, When

EXAMPLE_NEED = {
    "referral_id": "019aa0c4-0000-7000-8000-000000000001",
    "need_id": "019aa0c4-0000-7000-8000-000000000003",
}
EXAMPLE_OFFER = {
    **EXAMPLE_NEED,
    "offer_id": "019aa0c4-0000-7000-8000-000000000002",
    "place_id": "tablets",
    "provider": "library-service",
}


@fact("matching", key="provider_id", to=("reporting",), data_class="none")
class ProviderRegistered(Message):
    """An organisation that gives help, as its partner described it last."""

    provider_id: str
    provider: PartnerId
    name: str
    languages: list[str]

    example = {
        "provider_id": "library-armley",
        "provider": "library-service",
        "name": "Armley Library",
        "languages": ["en"],
    }


class _Place(Message):
    place_id: str
    provider_id: str
    provider: PartnerId
    kind: Kind
    capacity: int
    held: int
    taken: int
    wards: list[str]
    languages: list[str]
    formats: list[str]
    requirements: list[Requirement]
    open_to: list[str]
    scheme: str | None
    funded_by: str | None

    example = {
        "place_id": "tablets",
        "provider_id": "library-armley",
        "provider": "library-service",
        "kind": "device",
        "capacity": 12,
        "held": 0,
        "taken": 0,
        "wards": ["E05011400"],
        "languages": [],
        "formats": [],
        "requirements": ["large-screen"],
        "open_to": [],
        "scheme": None,
        "funded_by": None,
    }


@fact("matching", key="provider_id", to=("reporting", "grants"), data_class="none")
class PlaceOpened(_Place):
    """A provider opened a new place."""


@fact("matching", key="provider_id", to=("reporting", "grants"), data_class="none")
class PlaceChanged(_Place):
    """A provider changed a place."""


@fact("matching", key="referral_id", to=("referrals", "reporting"))
class NeedWaiting(Message):
    """A place could meet the need, but all such places are taken: it waits by rank."""

    referral_id: UUID
    need_id: UUID
    kind: Kind
    rank_key: When

    example = {**EXAMPLE_NEED, "kind": "device", "rank_key": "2026-10-11T10:00:00Z"}


@fact("matching", key="referral_id", to=("referrals", "notifications", "reporting"))
class OfferMade(Message):
    """A place is held for a need. `decision` counts the decisions of a kind, without a hole."""

    referral_id: UUID
    need_id: UUID
    offer_id: UUID
    place_id: str
    provider: PartnerId
    kind: Kind
    rank_key: When
    expires_at: When
    decision: int

    example = {
        **EXAMPLE_OFFER,
        "kind": "device",
        "rank_key": "2026-10-11T10:00:00Z",
        "expires_at": "2026-11-27T10:00:00Z",
        "decision": 17,
    }


class _OfferEnded(Message):
    referral_id: UUID
    need_id: UUID
    offer_id: UUID
    place_id: str
    provider: PartnerId
    reason: str | None = None

    example = EXAMPLE_OFFER


@fact("matching", key="referral_id", to=("referrals", "notifications", "reporting"))
class OfferAccepted(_OfferEnded):
    """The provider will help this person: the place is taken."""


@fact("matching", key="referral_id", to=("referrals", "notifications", "reporting"))
class OfferDeclined(_OfferEnded):
    """The provider cannot help this person: the need is queued again and the place offered to the next."""


@fact("matching", key="referral_id", to=("referrals", "notifications", "reporting"))
class OfferExpired(_OfferEnded):
    """The provider did not answer in time: the need is queued again."""


@fact("matching", key="referral_id", to=("referrals", "notifications", "reporting"))
class OfferWithdrawn(_OfferEnded):
    """The offer ended because the need did."""


@fact("matching", key="referral_id", to=("referrals", "reporting"))
class SupportStarted(Message):
    """The provider began to help."""

    referral_id: UUID
    need_id: UUID
    provider: PartnerId
    at: When

    example = {**EXAMPLE_NEED, "provider": "library-service", "at": "2026-11-21T10:00:00Z"}


@fact("matching", key="referral_id", to=("referrals", "reporting"))
class SupportEnded(Message):
    """Help ended with an outcome or could not be given, or the need was handed back to the queue."""

    referral_id: UUID
    need_id: UUID
    provider: PartnerId
    at: When
    outcome: Outcome | None = None
    reason: FailedReason | None = None
    handed_back: bool = False

    example = {**EXAMPLE_NEED, "provider": "library-service", "at": "2026-12-01T10:00:00Z", "outcome": "helped"}


@fact("matching", key="referral_id", to=("referrals", "reporting", "grants"))
class GapRecorded(Message):
    """No place, free or full, could meet the need, and why."""

    referral_id: UUID
    need_id: UUID
    kind: Kind
    area: str
    reasons: list[GapReason]

    example = {**EXAMPLE_NEED, "kind": "device", "area": "E05011400", "reasons": ["ward-not-served"]}


@fact("matching", key="referral_id", to=("reporting", "grants"))
class GapClosed(Message):
    """A place opened that can meet the need, or the need ended."""

    referral_id: UUID
    need_id: UUID
    kind: Kind
    area: str

    example = {**EXAMPLE_NEED, "kind": "device", "area": "E05011400"}


@fact("matching", key="referral_id", to=("referrals",), topic=ERASURES)
class ErasureConfirmed(Confirmation):
    """Matching has forgotten what a referral asked for, and offers it nothing any more."""
