"""The ladder: how each way of reaching a person is tried, what proves that it worked, and what comes after it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from contracts.vocabulary import Channel

TaskChannel = Channel | Literal["staff"]
"""How a human being is to tell somebody; `staff` is to find a way where none is left."""
Outcome = Literal["reached", "no-answer", "wrong-number", "declined", "sent", "given-up", "no-report"]
End = Literal["reached", "declined", "sent", "unreached"]
"""What becomes of a message, for good, when somebody has told how a task went."""


CLAIM_LASTS: Final = timedelta(days=1)
"""Who took a task and tells nothing for so long may lose it to the next who asks: nobody is forgotten with them."""


@dataclass(frozen=True, slots=True)
class Rung:
    """How often a task is tried, after how long again, how long its outcome may take, and what it may be."""

    outcomes: frozenset[Outcome]
    tries: int = 1
    again: timedelta = timedelta()
    patience: timedelta | None = None


RUNGS: Final[Mapping[TaskChannel, Rung]] = {
    "phone": Rung(frozenset({"reached", "no-answer", "wrong-number", "declined"}), tries=2, again=timedelta(hours=20)),
    "in-person": Rung(
        frozenset({"reached", "no-answer", "wrong-number", "declined"}), tries=2, again=timedelta(days=3)
    ),
    "letter": Rung(frozenset({"sent", "wrong-number"})),
    "sms": Rung(frozenset({"sent", "wrong-number"})),
    "email": Rung(frozenset({"sent", "wrong-number"})),
    "via-referrer": Rung(frozenset({"reached", "no-answer", "declined", "no-report"}), patience=timedelta(days=5)),
    "staff": Rung(frozenset({"reached", "declined", "given-up"})),
}
"""`wrong-number` is said of any address that is none, and `sent` of what was put in the post."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more is tried."""

    state: End


@dataclass(frozen=True, slots=True)
class Again:
    """The same task, for anybody, and not before."""

    not_before: datetime


@dataclass(frozen=True, slots=True)
class NextRung:
    """This way is used up."""


After = Ended | Again | NextRung
_ENDS: Final[Mapping[Outcome, End]] = {
    "reached": "reached",
    "declined": "declined",
    "sent": "sent",
    "given-up": "unreached",
}


def after(channel: TaskChannel, outcome: Outcome, tried_before: int, at: datetime) -> After:
    """What follows a task's outcome; `tried_before` are the tries before this one."""
    if outcome in _ENDS:
        return Ended(_ENDS[outcome])
    rung = RUNGS[channel]
    if outcome == "no-answer" and tried_before + 1 < rung.tries:
        return Again(at + rung.again)
    return NextRung()


Verdict = Literal["delivered", "failed"]
RETURNED: Final = "returned-letter"
_SAYS: Final[Mapping[str, Verdict]] = {
    "delivered": "delivered",
    "received": "delivered",
    "permanent-failure": "failed",
    "temporary-failure": "failed",
    "technical-failure": "failed",
    "virus-scan-failed": "failed",
    "validation-failed": "failed",
    "cancelled": "failed",
    RETURNED: "failed",
}
"""The statuses of GOV.UK Notify that are final. The others are on the way to one of these."""
BOUNCED: Final = "bounced-"
"""So begins the status of a mail that a mail server took and sent back; the rest is the server's code."""


def verdict(status: str, rung_state: str, channel: Channel) -> Verdict | None:
    """What a carrier's status means for a message that it took, none where it is no news.

    Statuses come repeated and in any order. A letter that was delivered may come back; nothing else changes any more.
    """
    if status == RETURNED and channel != "letter":
        return None
    said = "failed" if status.startswith(BOUNCED) else _SAYS.get(status)
    if rung_state == "delivered":
        return said if status == RETURNED else None
    return said if rung_state == "sent" else None
