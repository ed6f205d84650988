"""How a person is reached through the partner that referred them, and how they say how it went."""

from datetime import date, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import StringConstraints

from contracts.message import Message, fact, from_partner, to_partner
from contracts.refusal import FieldError
from contracts.vocabulary import Code, PersonsAnswer, When

Asked = Literal["closing", "3-months", "6-months"]
"""When a person is asked how it went: after their referral closed, and months later whether it lasts."""
GoalMet = Literal["yes", "partly", "no", "not-said"]
Online = Literal["yes", "no", "not-said"]
Told = Literal["told", "could-not-reach", "declined"]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]*$")]
"""What somebody is to be told: lines of words, without other control characters."""

LONGEST: Final = timedelta(days=366)


def wrong_until(answer: PersonsAnswer | None, until: date | None, today: date) -> FieldError | None:
    """Not now has a day in the coming year; no other answer has one."""
    if (until is not None) != (answer == "not-now"):
        message, mend = "A day goes with not-now, and only with it.", "Give `until` with not-now, else none."
        return FieldError(field="until", rule="only-with-not-now", message=message, mend=mend)
    if until and not today < until <= today + LONGEST:
        message, mend = "The day is not in the coming year.", "Give a day after today, within a year."
        return FieldError(field="until", rule="not-in-the-coming-year", message=message, mend=mend)
    return None


_IDS = {
    "referral_id": "019aa0c4-0000-7000-8000-000000000001",
    "need_id": "019aa0c4-0000-7000-8000-000000000003",
}
_TASK = "019aa0c4-0000-7000-8000-000000000005"
_AT = "2026-11-20T10:00:00Z"


@to_partner("referrals", key="referral_id", data_class="pseudonymous")
class ContactRequested(Message):
    """Please tell the person whom you referred, in these words, and report how it went before `by`.

    Where `neutral`, say nothing else about it that others could hear or read.
    """

    task_id: UUID
    referral_id: UUID
    need_id: UUID
    reference: str
    text: Words
    neutral: bool
    by: When

    example = {
        "task_id": _TASK,
        **_IDS,
        "reference": "GP-1042",
        "text": "Somebody has agreed to help you with a device for going online.",
        "neutral": False,
        "by": "2026-11-25T10:00:00Z",
    }


@from_partner("referrals", key="task_id", data_class="pseudonymous")
class ContactReported(Message):
    """How it went when you told somebody for us. Where they were asked how the help went: what they said."""

    task_id: UUID
    outcome: Told
    goal_met: GoalMet | None = None
    online: Online | None = None

    example = {"task_id": _TASK, "outcome": "told"}


@to_partner("referrals", key="referral_id", data_class="pseudonymous")
class ContactWithheld(Message):
    """We did not tell the person: what you told us of safe contact, or the agreement, forbids it, or no way is left.

    Staff look after it. Please ask the person how they want to be reached, where that is safe, and tell us.
    """

    referral_id: UUID
    need_id: UUID
    reference: str
    about: Code
    reason: Code
    at: When

    example = {**_IDS, "reference": "GP-1042", "about": "accepted", "reason": "safe-contact-lapsed", "at": _AT}


@fact("referrals", key="referral_id", to=("notifications",))
class ReferrerReported(Message):
    """The referrer was asked to tell the person, and this came of it."""

    referral_id: UUID
    need_id: UUID
    task_id: UUID
    outcome: Told
    at: When

    example = {**_IDS, "task_id": _TASK, "outcome": "told", "at": _AT}


@fact("referrals", key="referral_id", to=("reporting",))
class FeedbackGiven(Message):
    """The person said how it went; each is asked once, and answers once."""

    referral_id: UUID
    need_id: UUID
    asked: Asked
    goal_met: GoalMet
    online: Online
    at: When

    example = {**_IDS, "asked": "closing", "goal_met": "partly", "online": "yes", "at": _AT}
