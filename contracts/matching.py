"""Facts that the matching service decides.

Decisions are counted for each kind, without a hole. What changes the queue or the supply of a kind tells how many had
been made `after` which it happened; what an offer rests on is told with it. So these facts alone say who was next.
"""

from datetime import date
from typing import Literal
from uuid import UUID

from contracts.erasure import Confirmation
from contracts.message import Message, Part, fact
from contracts.topics import ERASURES
from contracts.vocabulary import FailedReason, GapReason, Kind, Lane, Outcome, PartnerId, Requirement, Weekday, When

EXAMPLE_NEED = {
    "referral_id": "019aa0c4-0000-7000-8000-000000000001",
    "need_id": "019aa0c4-0000-7000-8000-000000000003",
}
EXAMPLE_HELP = {**EXAMPLE_NEED, "provider": "library-service"}
EXAMPLE_OFFER = {
    **EXAMPLE_NEED,
    "offer_id": "019aa0c4-0000-7000-8000-000000000002",
    "place_id": "tablets",
    "provider": "library-service",
}


class Asked(Part):
    """What a need asks of a place: `partner` referred, `barred` are never asked; no `ward` is the whole city."""

    partner: PartnerId
    ward: str | None
    requirements: list[Requirement]
    languages: list[str]
    formats: list[str]
    schemes: list[str]
    barred: list[PartnerId] = []
    days: list[Weekday] = []


EXAMPLE_ASKED = {
    "partner": "gp-armley", "ward": "E05011400", "requirements": ["large-screen"], "languages": ["ur", "en"],
    "formats": [], "schemes": [],
}  # fmt: skip

EXAMPLE_RANK = {"rank_key": "2026-10-11T10:00:00Z", "lane": "routine", "asks": EXAMPLE_ASKED, "after": 16}


@fact("matching", key="provider_id", to=("reporting",), data_class="none")
class ProviderRegistered(Message):
    """An organisation that gives help, as its partner described it last."""

    provider_id: str
    provider: PartnerId
    name: str
    languages: list[str]

    example = {
        "provider_id": "library-armley", "provider": "library-service", "name": "Armley Library", "languages": ["en"],
    }  # fmt: skip


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
    days: list[Weekday] = []
    open_to: list[str]
    scheme: str | None
    funded_by: str | None
    state: Literal["planned", "open", "closed"] | None = None
    after: int | None = None

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
        "state": "open",
        "after": 16,
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
    lane: Lane | None = None
    asks: Asked | None = None
    after: int | None = None

    example = {**EXAMPLE_NEED, "kind": "device", **EXAMPLE_RANK}


@fact("matching", key="referral_id")
class QueueChanged(Message):
    """A need is paused, until it is said to wait again, or has left the queue without help."""

    referral_id: UUID
    need_id: UUID
    kind: Kind
    state: Literal["paused", "left"]
    after: int

    example = {**EXAMPLE_NEED, "kind": "device", "state": "left", "after": 17}


class _Decided(Message):
    referral_id: UUID
    need_id: UUID
    offer_id: UUID
    place_id: str
    provider: PartnerId
    kind: Kind
    rank_key: When
    expires_at: When
    decision: int
    lane: Lane | None = None
    asks: Asked | None = None
    prefers: PartnerId | None = None
    after: int | None = None

    example = {
        **EXAMPLE_OFFER,
        "kind": "device",
        **EXAMPLE_RANK,
        "expires_at": "2026-11-27T10:00:00Z",
        "decision": 17,
    }


@fact("matching", key="referral_id", to=("referrals", "notifications", "reporting"))
class OfferMade(_Decided):
    """A place is held for a need. `decision` is its number; those with the same `after` were decided together.

    `prefers` is the partner that gives this person something else, too: it comes first among places that suit equally.
    """


@fact("matching", key="referral_id", to=("referrals",))
class OfferHeld(_Decided):
    """The same, before its provider hears of it: staff confirm it first. Then OfferMade follows, of the same number.

    Where nobody has confirmed it when it expires, OfferWithdrawn follows, and the place is decided about again.
    """


class _OfferEnded(Message):
    referral_id: UUID
    need_id: UUID
    offer_id: UUID
    place_id: str
    provider: PartnerId
    reason: str | None = None
    bars: bool | None = None
    after: int | None = None

    example = {**EXAMPLE_OFFER, "after": 17}


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
    """The offer ended because the need did, or because what was offered is not there any more."""


@fact("matching", key="referral_id", to=("reporting",))
class NeedEscalated(Message):
    """So many providers declined this need that staff are to look for help themselves. It goes on waiting."""

    referral_id: UUID
    need_id: UUID
    kind: Kind
    declines: int

    example = {**EXAMPLE_NEED, "kind": "device", "declines": 3}


@fact("matching", key="referral_id", to=("referrals", "reporting"))
class SupportStarted(Message):
    """The provider began to help."""

    referral_id: UUID
    need_id: UUID
    provider: PartnerId
    at: When
    after: int | None = None

    example = {**EXAMPLE_HELP, "at": "2026-11-21T10:00:00Z", "after": 17}


@fact("matching", key="referral_id", to=("referrals", "reporting"))
class SupportEnded(Message):
    """Help ended with an outcome or could not be given, or the need was handed back to the queue.

    What was given `until` a day ends then; a loan is due back.
    """

    referral_id: UUID
    need_id: UUID
    provider: PartnerId
    at: When
    outcome: Outcome | None = None
    reason: FailedReason | None = None
    handed_back: bool = False
    until: date | None = None
    is_loan: bool = False
    after: int | None = None

    example = {**EXAMPLE_HELP, "at": "2026-12-01T10:00:00Z", "outcome": "helped", "after": 21}


@fact("matching", key="referral_id", to=("referrals", "reporting", "grants"))
class GapRecorded(Message):
    """No place, free or full, could meet the need, and why: the nearest to it lack these codes and languages."""

    referral_id: UUID
    need_id: UUID
    kind: Kind
    area: str
    reasons: list[GapReason]
    lacks: list[str] = []
    rank_key: When | None = None
    lane: Lane | None = None
    asks: Asked | None = None
    after: int | None = None

    example = {
        **EXAMPLE_NEED,
        "kind": "device",
        "area": "E05011400",
        "reasons": ["requirement"],
        "lacks": ["large-screen"],
        **EXAMPLE_RANK,
    }


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
