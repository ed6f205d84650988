"""What people are told, the errand of telling one person, and what can become of it."""

import re
from datetime import date, datetime
from typing import ClassVar, Final, Literal, Self
from uuid import UUID

from contracts.applicants import About
from contracts.contacting import Asked, Words
from contracts.message import Part
from contracts.notifications import Audience
from contracts.vocabulary import Channel, Kind, NeedStatus

TOLD: frozenset[NeedStatus] = frozenset({"on-hold", "accepted", "completed", "failed", "cancelled", "rejected"})
"""The person hears of these. Of on-hold only the first is told: a need may go back to the queue many times."""
NOT_THERE = frozenset({"erased", "died"})
AGAIN: Final = "waiting-again"
"""Told each time when somebody was going to help, or helped already, and the need waits again."""
HELPED = frozenset({"accepted", "in-progress"})
THEIR_OWN = frozenset({"said-no", "not-now"})
"""The person knows that help was called off: they did it."""


def is_told(status: NeedStatus, reason: str | None) -> bool:
    """Who is not there any more is not told so."""
    return status in TOLD and reason not in NOT_THERE


def waits_again(audience: Audience, status: str, previous: str, reason: str | None) -> bool:
    return status == "on-hold" and previous in HELPED and (audience == "referrer" or reason not in THEIR_OWN)


def is_told_to_referrer(status: NeedStatus, reason: str | None) -> bool:
    """By mail, where it has no system that is told of everything."""
    return (status in TOLD or status == "in-progress") and reason != "erased"


Known = Literal["sent", "refused", "unsure", "put-off", "not-tried"]
"""What is known of something that a carrier was to take. Only what is `unsure` may have left all the same."""
WorkEnd = Known | Literal["no-mail"]
"""The same of a mail to somebody at work, who may want none."""


def asks(audience: Audience, about: str) -> bool:
    """Whether it tells of help that was found, to which the person may say yes, no or not now."""
    return audience == "person" and about == "accepted"


FailedReason = Literal["refused", "unknown-result"]


class _Telling(Part):
    """`tried` are the channels that are used up. `tries` counts messages that were put off by the carrier."""

    message_id: UUID
    tried: tuple[Channel, ...] = ()
    tries: int = 0

    @property
    def rung(self) -> int:
        return len(self.tried) + 1

    @property
    def reference(self) -> str:
        """By which a carrier knows this attempt."""
        return f"{self.message_id}-{self.rung}"

    def without(self, channel: Channel) -> Self:
        """The same when that channel is used up."""
        return self.model_copy(update={"tried": (*self.tried, channel), "tries": 0})


class Tell(_Telling):
    """Tell one person that one need changed its status, or waits `again`; or, with `asked`, ask how it went."""

    referral_id: UUID
    need_id: UUID
    kind: Kind
    status: NeedStatus
    audience: Audience = "person"
    asked: Asked | None = None
    again: bool = False
    languages: tuple[str, ...] = ()

    @property
    def is_owed(self) -> bool:
        """Nobody is pestered with the question how it went: it is the one thing that may stay unsaid."""
        return self.asked is None

    application_id: ClassVar[None] = None
    pence: ClassVar[None] = None
    day: ClassVar[None] = None

    @property
    def about(self) -> str:
        """What the message is about, and the purpose for which referrals is asked."""
        if self.asked:
            return f"feedback-{self.asked}"
        return AGAIN if self.again else self.status

    @property
    def asks(self) -> bool:
        return asks(self.audience, self.about)

    @property
    def key(self) -> str:
        return str(self.referral_id)


UNOWED: frozenset[About] = frozenset({"received", "withdrawn", "paid", "returned", "reported"})
"""An organisation without mail has seen these, or sees them in its account: staff need not tell them."""


class TellApplicant(_Telling):
    """Tell an organisation what became of its application. `pence` and `day` are those of what happened."""

    application_id: UUID
    about: About
    pence: int | None = None
    day: date | None = None

    audience: ClassVar[Literal["applicant"]] = "applicant"
    referral_id: ClassVar[None] = None
    need_id: ClassVar[None] = None
    kind: ClassVar[None] = None
    asked: ClassVar[None] = None
    asks: ClassVar[bool] = False
    languages: ClassVar[tuple[str, ...]] = ()

    @property
    def key(self) -> str:
        return str(self.application_id)

    @property
    def is_owed(self) -> bool:
        return self.about not in UNOWED


Telling = Tell | TellApplicant


class Sent(Part):
    """The carrier took the message. Where it is `tracked`, it will say whether it arrived."""

    tell: Telling
    channel: Channel
    language: str = "en"
    tracked: bool = False


class Failed(Part):
    """The carrier refused the message, or nobody knows whether it left. It is never sent again by this channel."""

    tell: Telling
    channel: Channel
    reason: FailedReason
    evidence: str | None = None


class Withheld(Part):
    """Nobody is to be told, or cannot be, for a coded reason."""

    tell: Telling
    reason: str


class CallNeeded(Part):
    """The channel that is permitted needs a human being. `text` is for the referrer, where that is who tells."""

    tell: Telling
    channel: Channel
    neutral: bool = True
    text: Words | None = None


class Postponed(Part):
    """Nothing was sent. From `until` on it is asked again how they are reached."""

    tell: Telling
    until: datetime


class Unsure(Part):
    """Nobody knows whether a carrier took it, but it can be asked. `channel` is none where we do not know which.

    `since` is when that was, where it is known otherwise than by when this is said.
    """

    tell: Telling
    channel: Channel | None = None
    since: datetime | None = None


Result = Sent | Failed | Withheld | CallNeeded | Postponed | Unsure


class LookUp(Part):
    """The errand of asking the carrier whether it took a message, about which we have not known `since`."""

    tell: Telling
    channel: Channel | None = None
    since: datetime | None = None


class FollowUp(Part):
    """The errand of asking the carrier what became of a message that it took: its own word may be lost."""

    message_id: UUID
    referral_id: UUID | None
    rung: int
    times: int = 0


class CarrierSaid(Part):
    """A status of a message that the carrier took, from its callback or because it was asked."""

    message_id: UUID
    rung: int
    status: str


class NoNews(Part):
    """The carrier has not come to an end with a message."""

    follow: FollowUp


_ATTEMPT: Final = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-([1-9][0-9]?)")


def attempt(reference: str) -> tuple[UUID, int] | None:
    """The message and rung of a carrier's reference; none where it is none of ours."""
    ours = _ATTEMPT.fullmatch(reference)
    return (UUID(ours[1]), int(ours[2])) if ours else None
