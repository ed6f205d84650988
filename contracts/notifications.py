"""Facts that the notifications service decides."""

from datetime import date
from typing import Final, Literal
from uuid import UUID

from pydantic import Field

from contracts.contacting import Words
from contracts.erasure import Confirmation
from contracts.matching import EXAMPLE_NEED
from contracts.message import Message, fact
from contracts.topics import ERASURES
from contracts.vocabulary import Channel, Code, NeedStatus, PersonsAnswer, When

Audience = Literal["person", "referrer"]
TaskOutcome = Literal["reached", "no-answer", "wrong-number", "declined", "sent", "given-up", "no-report"]
"""What came of a task: `sent` is put in the post, `no-report` that the referrer never said."""

OVERTAKEN: Final = frozenset({"not-known", "closed", "no-mail", "overtaken"})
"""Why that is withheld which nobody misses: the person is erased, or they hear of what came after it instead."""

_EXAMPLE = {
    **EXAMPLE_NEED,
    "audience": "person",
    "status": "accepted",
    "rung": 1,
    "at": "2026-11-20T10:00:00Z",
}


class _Told(Message):
    """`about` is what was told where that is no change of status; `rung` counts the ways tried, this one too."""

    referral_id: UUID
    need_id: UUID
    audience: Audience
    status: NeedStatus
    about: Code | None = None
    rung: int | None = Field(default=None, ge=1, le=20)
    at: When


@fact("notifications", key="referral_id", to=("reporting",))
class NotificationSent(_Told):
    """A message left by a channel that the safe-contact rule allows, and was taken by the carrier."""

    channel: Channel

    example = {**_EXAMPLE, "channel": "email"}


@fact("notifications", key="referral_id", to=("reporting",))
class NotificationDelivered(_Told):
    """The carrier says that the message arrived."""

    channel: Channel

    example = {**_EXAMPLE, "channel": "sms"}


@fact("notifications", key="referral_id", to=("reporting",))
class NotificationFailed(_Told):
    """The message did not arrive (`refused`), so the next way is tried; or nobody knows whether it left, and staff ask.

    `evidence` is what the carrier said, such as permanent-failure or returned-letter.
    """

    channel: Channel
    reason: Literal["refused", "unknown-result"]
    evidence: Code | None = None

    example = {**_EXAMPLE, "channel": "email", "reason": "refused", "evidence": "permanent-failure"}


@fact("notifications", key="referral_id", to=("referrals", "reporting"))
class NotificationWithheld(_Told):
    """The safe-contact rule, the agreement or an erasure forbids telling. Never silence: it is a task for staff."""

    reason: str

    example = {**_EXAMPLE, "reason": "no-safe-channel"}


@fact("notifications", key="referral_id", to=("referrals", "reporting"))
class CallRequested(_Told):
    """Somebody is to tell this person by voice, on paper or face to face; or the referrer is, in the words `text`."""

    task_id: UUID
    channel: Channel
    text: Words | None = None
    neutral: bool = True
    by: When | None = None

    example = {**_EXAMPLE, "task_id": "019aa0c4-0000-7000-8000-000000000005", "channel": "phone"}


@fact("notifications", key="referral_id", to=("reporting",))
class CallCompleted(_Told):
    """Who took a task told how it went, once for each try."""

    task_id: UUID
    channel: Channel
    outcome: TaskOutcome

    example = {
        **_EXAMPLE,
        "task_id": "019aa0c4-0000-7000-8000-000000000005",
        "channel": "phone",
        "outcome": "no-answer",
    }


@fact("notifications", key="referral_id", to=("referrals",))
class AnswerTaken(Message):
    """What the person said to the help that was found, to whoever told them of it. Not now has a day, within a year."""

    referral_id: UUID
    need_id: UUID
    task_id: UUID
    answer: PersonsAnswer
    until: date | None = None
    at: When

    example = {
        **EXAMPLE_NEED,
        "task_id": "019aa0c4-0000-7000-8000-000000000005",
        "answer": "not-now",
        "until": "2026-12-01",
        "at": "2026-11-20T10:00:00Z",
    }


@fact("notifications", key="referral_id", to=("referrals",), topic=ERASURES)
class ErasureConfirmed(Confirmation):
    """Notifications has forgotten what was told of a referral, and tells and calls nobody any more."""
