"""The life of a need, after FHIR Task: one table of what may be asked of it, when, and where that takes it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Literal, NamedTuple
from uuid import UUID

from contracts.calendar import day_of
from contracts.vocabulary import TERMINAL, Actor, Kind, NeedStatus

Request = Literal[
    "wait",
    "lack",
    "found",
    "offer",
    "accept",
    "decline",
    "expire",
    "take-back",
    "hand-back",
    "start",
    "complete",
    "fail",
    "hold",
    "lapse",
    "resume",
    "say-no",
    "cancel",
    "reject",
    "mark-error",
]


@dataclass(frozen=True, slots=True)
class Next:
    """Who does what next, and on which day."""

    by: Actor
    on: date
    what: str


@dataclass(frozen=True, slots=True)
class Need:
    id: UUID
    referral_id: UUID
    kind: Kind
    status: NeedStatus
    reason: str | None = None
    outcome: str | None = None
    next: Next | None = None
    provider: str | None = None
    """Who helps, or has helped, in the states of HELPED and `completed`."""
    hold: str | None = None
    """Why it is offered nothing, where we keep it from that ourselves."""
    hold_until: date | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a need. `until` is the last day of a hold, where it has one."""

    request: Request
    reason: str | None = None
    outcome: str | None = None
    provider: str | None = None
    until: date | None = None


OPEN: Final[frozenset[NeedStatus]] = frozenset({"requested", "on-hold", "offered", "accepted", "in-progress"})
QUEUED: Final[frozenset[NeedStatus]] = frozenset({"requested", "on-hold", "offered"})
HELPED: Final[frozenset[NeedStatus]] = frozenset({"accepted", "in-progress"})
BY_PROVIDER: Final[frozenset[NeedStatus]] = HELPED | {"completed"}
GIVEN: Final[frozenset[NeedStatus]] = frozenset({"offered", "accepted", "in-progress"})
AWAITS: Final = "awaits-confirmation"
"""A place is held for it, which staff have not confirmed."""
HOLDS: Final = frozenset({"paused-by-staff", "not-before", "not-now", "checking", "risk-check"})


class Rule(NamedTuple):
    """From the states `before`, a request leads to `after`.

    One of `reasons` is given where there are any. What matching asks (`unless_held`) is too late for a need that we
    hold back meanwhile.
    """

    before: Collection[NeedStatus]
    after: NeedStatus
    reasons: Collection[str | None] = (None,)
    unless_held: bool = False
    outcome: bool = False


TABLE: Final[dict[Request, Rule]] = {
    "wait": Rule(OPEN, "on-hold", {"waiting-for-place"}, unless_held=True),
    "lack": Rule(OPEN, "on-hold", {"no-place-suits"}, unless_held=True),
    "found": Rule(QUEUED, "on-hold", {AWAITS}, unless_held=True),
    "offer": Rule(QUEUED, "offered", unless_held=True),
    "accept": Rule(QUEUED, "accepted", unless_held=True),
    "decline": Rule(OPEN, "on-hold", {"offer-declined"}, unless_held=True),
    "expire": Rule(OPEN, "on-hold", {"offer-expired"}, unless_held=True),
    "take-back": Rule(GIVEN, "on-hold", {"waiting-for-place"}, unless_held=True),
    "hand-back": Rule(OPEN, "on-hold", {"handed-back"}, unless_held=True),
    "start": Rule({"accepted"}, "in-progress"),
    "complete": Rule(HELPED, "completed", outcome=True),
    "fail": Rule(HELPED, "failed", {"could-not-contact", "could-not-help"}),
    "hold": Rule(OPEN, "on-hold", HOLDS),
    "lapse": Rule(QUEUED | {"accepted"}, "on-hold", {"agreement-lapsed"}),
    "resume": Rule({"on-hold"}, "on-hold", {"waiting-for-place"}),
    "say-no": Rule(GIVEN, "on-hold", {"said-no"}),
    "cancel": Rule(
        OPEN,
        "cancelled",
        {"no-longer-needed", "agreement-withdrawn", "moved-away", "died", "duplicate", "other", "erased"},
    ),
    "reject": Rule(QUEUED, "rejected", {"not-eligible", "out-of-area", "not-safe-to-help", "duplicate"}),
    "mark-error": Rule(
        (OPEN | TERMINAL) - {"entered-in-error"}, "entered-in-error", {"wrong-person", "made-by-mistake", "duplicate"}
    ),
}
"""What may be asked of a need. All else is refused where people ask it, and superseded where it is a late fact."""

Step = tuple[Actor, int, str]
STEPS: Final[dict[NeedStatus, Step]] = {
    "requested": ("programme", 2, "We look for help that suits."),
    "on-hold": (
        "programme",
        28,
        "We offer the next free place that suits; if there is none we tell you how it stands.",
    ),
    "offered": ("provider", 7, "A supporting organisation answers whether it can help."),
    "accepted": ("provider", 14, "The supporting organisation gets in touch."),
    "in-progress": ("provider", 84, "The supporting organisation reports how it went."),
}
"""Who owns a need in each state, after how many days they must have acted, and what they do."""

STEPS_BY_REASON: Final[dict[str, Step]] = {
    AWAITS: ("programme", 7, "The programme confirms the help that was found."),
    "paused-by-staff": ("programme", 28, "The programme looks at it again."),
    "not-before": ("programme", 28, "We look for help from this day on."),
    "not-now": ("programme", 28, "We look for help again from this day on."),
    "checking": ("programme", 7, "We check it against what we know already."),
    "risk-check": ("programme", 7, "The programme checks that a visit at home is safe."),
    "agreement-lapsed": ("referrer", 14, "Ask the person again, and send us the new agreement."),
}
"""The same for needs that are on hold for a reason: on the last day of the hold, where it has one."""

LATE: Final[Step] = ("programme", 7, "It takes longer than we said. The programme looks into it.")


def next_step(status: NeedStatus, at: datetime, reason: str | None = None, until: date | None = None) -> Next | None:
    if status not in STEPS:
        return None
    by, days, what = STEPS_BY_REASON.get(reason or "", STEPS[status])
    return Next(by, until or day_of(at + timedelta(days=days)), what)


WARNED: Final = 28
"""So many days before an agreement ends the referrer is asked to see to it."""
ENDS: Final = "The agreement ends on this day. Ask the person again, and send us the new agreement."


def agreed_until(need: Need, until: date | None, at: datetime) -> Need | None:
    """A need that waits is the referrer's to see to while its agreement comes to an end, and not when there is a new
    one. None where nothing changes."""
    if need.status not in ("requested", "on-hold") or need.hold or need.reason == AWAITS:
        return None
    if until and until <= day_of(at) + timedelta(days=WARNED):
        after = replace(need, next=Next("referrer", until, ENDS))
    elif need.next and need.next.what == ENDS:
        after = replace(need, next=next_step(need.status, at, need.reason))
    else:
        return None
    return after if after != need else None


def days_of_agreement(until: date | None, today: date) -> set[date]:
    """The days on which somebody must look because an agreement ends."""
    if until is None or until == date.max:
        return set()
    return {day for day in (until - timedelta(days=WARNED), until + timedelta(days=1)) if day > today}


def stalled(need: Need, at: datetime) -> Need:
    """A need whose day went by: the programme takes it on."""
    by, days, what = LATE
    return replace(need, next=Next(by, day_of(at + timedelta(days=days)), what))


def apply(need: Need, asked: Asked, at: datetime) -> Need | None:
    """The need as the table says it is now; none where the request is illegal, comes late, or changes nothing."""
    rule = TABLE[asked.request]
    hold = asked.reason if asked.request in ("hold", "lapse") else None
    same = (need.status, need.reason, need.hold_until) == (rule.after, asked.reason, asked.until)
    if same or not _allows(rule, need, asked):
        return None
    return replace(
        need,
        status=rule.after,
        reason=asked.reason,
        outcome=asked.outcome,
        next=next_step(rule.after, at, asked.reason, asked.until),
        provider=asked.provider if rule.after in BY_PROVIDER else None,
        hold=hold,
        hold_until=asked.until if hold else None,
    )


def _allows(rule: Rule, need: Need, asked: Asked) -> bool:
    return (
        (need.status in rule.before or (asked.request == "take-back" and need.reason == AWAITS))
        and asked.reason in rule.reasons
        and (asked.outcome is not None) == rule.outcome
        and not (rule.unless_held and need.hold)
        and (asked.request != "resume" or need.hold is not None)
    )


def keeps_back(agreement_until: date | None, not_before: date | None, today: date, *, unchecked_visit: bool) -> Asked:
    """What is to be asked of a need that nobody holds back otherwise: why it still cannot be offered, or to go on."""
    if agreement_until and agreement_until < today:
        return Asked("lapse", "agreement-lapsed")
    if not_before and not_before > today:
        return Asked("hold", "not-before", until=not_before)
    return Asked("hold", "risk-check") if unchecked_visit else Asked("resume", "waiting-for-place")
