"""What people are told, the errand of telling one person, and what can become of it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.message import Part
from contracts.notifications import Audience
from contracts.vocabulary import Channel, Kind, NeedStatus

TOLD: frozenset[NeedStatus] = frozenset({"on-hold", "accepted", "completed", "failed", "cancelled", "rejected"})
"""The person hears of these. Of on-hold only the first is told: a need may go back to the queue many times."""


def is_told(status: NeedStatus, reason: str | None) -> bool:
    """Whoever is erased is not there any more to be told so."""
    return status in TOLD and reason != "erased"


AFTER_A_FAILURE: Channel = "via-referrer"
"""The channel of the call task when a mail failed: the cautious one, which no safe-contact rule forbids."""

FailedReason = Literal["refused", "unknown-result"]


class Tell(Part):
    """Tell one person that the status of one need changed. `tries` counts mails that were put off by the carrier."""

    message_id: UUID
    referral_id: UUID
    need_id: UUID
    kind: Kind
    status: NeedStatus
    audience: Audience = "person"
    tries: int = 0


class Sent(Part):
    """The carrier took the message."""

    tell: Tell
    channel: Channel


class Failed(Part):
    """The carrier refused the message, or nobody knows whether it left. It is never sent again."""

    tell: Tell
    channel: Channel
    reason: FailedReason


class Withheld(Part):
    """Referrals forbids telling, for a coded reason."""

    tell: Tell
    reason: str


class CallNeeded(Part):
    """The channel that is permitted needs a human being."""

    tell: Tell
    channel: Channel


class Postponed(Part):
    """Nothing was sent. From `until` on referrals is asked again."""

    tell: Tell
    until: datetime


Result = Sent | Failed | Withheld | CallNeeded | Postponed
