"""What supporting organisations are offered, what they answer, and what they report of the help they give."""

from typing import Literal
from uuid import UUID

from contracts.message import Message, from_partner, to_partner
from contracts.vocabulary import Code, DeclineReason, FailedReason, Kind, Outcome, Requirement, Weekday, When


@from_partner("matching", key="offer_id", data_class="pseudonymous")
class OfferAnswered(Message):
    """The provider accepts or declines an offer. A decline carries its reason."""

    offer_id: UUID
    answer: Literal["accept", "decline"]
    reason: DeclineReason | None = None

    example = {"offer_id": "019aa0c4-0000-7000-8000-000000000002", "answer": "decline", "reason": "no-capacity"}


@from_partner("matching", key="need_id", data_class="pseudonymous")
class SupportReported(Message):
    """The provider tells that support started, ended with an outcome, or is handed back to the queue.

    `serial` is the unit that was given or lent, where the place names its units.
    """

    need_id: UUID
    state: Literal["started", "ended", "handed-back"]
    outcome: Outcome | None = None
    reason: FailedReason | None = None
    serial: Code | None = None

    example = {"need_id": "019aa0c4-0000-7000-8000-000000000003", "state": "ended", "outcome": "helped"}


@to_partner("matching", key="offer_id", data_class="pseudonymous")
class OfferProposed(Message):
    """A place of yours is held for a person. Answer before it expires."""

    offer_id: UUID
    need_id: UUID
    place_id: str
    kind: Kind
    ward: str | None
    languages: list[str]
    requirements: list[Requirement]
    days: list[Weekday] = []
    expires_at: When

    example = {
        "offer_id": "019aa0c4-0000-7000-8000-000000000002",
        "need_id": "019aa0c4-0000-7000-8000-000000000003",
        "place_id": "tablets",
        "kind": "device",
        "ward": "E05011400",
        "languages": ["ur", "en"],
        "requirements": ["large-screen"],
        "expires_at": "2026-11-27T10:00:00Z",
    }


@to_partner("matching", key="offer_id", data_class="pseudonymous")
class OfferReminded(Message):
    """An offer is still open, and expires soon: then the place goes to somebody else."""

    offer_id: UUID
    need_id: UUID
    place_id: str
    kind: Kind
    expires_at: When

    example = {
        "offer_id": "019aa0c4-0000-7000-8000-000000000002",
        "need_id": "019aa0c4-0000-7000-8000-000000000003",
        "place_id": "tablets",
        "kind": "device",
        "expires_at": "2026-11-27T10:00:00Z",
    }


@to_partner("matching", key="offer_id", data_class="pseudonymous")
class OfferClosed(Message):
    """An offer ended and its place is no longer held, but for `accepted`, when the place is taken."""

    offer_id: UUID
    reason: Literal["accepted", "declined", "expired", "withdrawn"]

    example = {"offer_id": "019aa0c4-0000-7000-8000-000000000002", "reason": "expired"}
