"""Facts that the notifications service decides."""

from typing import Literal
from uuid import UUID

from contracts.erasure import Confirmation
from contracts.matching import EXAMPLE_NEED
from contracts.message import Message, fact
from contracts.topics import ERASURES
from contracts.vocabulary import Channel, NeedStatus, When

Audience = Literal["person", "referrer"]


class _Told(Message):
    referral_id: UUID
    need_id: UUID
    audience: Audience
    status: NeedStatus
    at: When


@fact("notifications", key="referral_id", to=("reporting",))
class NotificationSent(_Told):
    """A message left by a channel that the safe-contact rule allows, and was taken by the carrier."""

    channel: Channel

    example = {
        **EXAMPLE_NEED,
        "audience": "person",
        "status": "accepted",
        "channel": "email",
        "at": "2026-11-20T10:00:00Z",
    }


@fact("notifications", key="referral_id", to=("reporting",))
class NotificationFailed(_Told):
    """The carrier refused the message, or nobody knows whether it left: a call task follows."""

    channel: Channel
    reason: Literal["refused", "unknown-result"]

    example = {
        **EXAMPLE_NEED,
        "audience": "person",
        "status": "accepted",
        "channel": "email",
        "reason": "refused",
        "at": "2026-11-20T10:00:00Z",
    }


@fact("notifications", key="referral_id", to=("reporting",))
class NotificationWithheld(_Told):
    """The safe-contact rule, the agreement or an erasure forbids telling. Never silence: it is a task for staff."""

    reason: str

    example = {
        **EXAMPLE_NEED,
        "audience": "person",
        "status": "accepted",
        "reason": "no-safe-channel",
        "at": "2026-11-20T10:00:00Z",
    }


@fact("notifications", key="referral_id", to=("reporting",))
class CallRequested(_Told):
    """Somebody is to tell this person by voice, or through the referrer."""

    task_id: UUID
    channel: Channel

    example = {
        **EXAMPLE_NEED,
        "audience": "person",
        "status": "accepted",
        "task_id": "019aa0c4-0000-7000-8000-000000000005",
        "channel": "phone",
        "at": "2026-11-20T10:00:00Z",
    }


@fact("notifications", key="referral_id", to=("referrals",), topic=ERASURES)
class ErasureConfirmed(Confirmation):
    """Notifications has forgotten what was told of a referral, and tells and calls nobody any more."""
