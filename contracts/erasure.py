"""What every service says, each for itself, when it has forgotten a referral."""

from uuid import UUID

from contracts.message import Message
from contracts.vocabulary import When


class Confirmation(Message):
    """`at` is when it was forgotten, for good."""

    referral_id: UUID
    at: When

    example = {"referral_id": "019aa0c4-0000-7000-8000-000000000001", "at": "2026-11-20T10:00:00Z"}
