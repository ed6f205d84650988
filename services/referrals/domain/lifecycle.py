"""The life of a need, after FHIR Task: which move each fact asks for, from which states, and what comes next."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from contracts.calendar import day_of
from contracts.vocabulary import TERMINAL, Kind, NeedStatus

By = Literal["programme", "provider", "referrer"]


@dataclass(frozen=True, slots=True)
class Next:
    """Who does what next, and on which day."""

    by: By
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
    """Who helps, in the states of HELPED."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where a fact takes a need."""

    to: NeedStatus
    reason: str | None = None
    outcome: str | None = None
    provider: str | None = None


OPEN: Final[frozenset[NeedStatus]] = frozenset({"requested", "on-hold", "offered", "accepted", "in-progress"})

HELPED: Final[frozenset[NeedStatus]] = frozenset({"accepted", "in-progress"})

GUARDS: Final[dict[NeedStatus, frozenset[NeedStatus]]] = {
    "on-hold": OPEN,
    "offered": frozenset({"requested", "on-hold", "offered"}),
    "accepted": frozenset({"requested", "on-hold", "offered"}),
    "in-progress": frozenset({"accepted"}),
    "completed": frozenset({"accepted", "in-progress"}),
    "failed": frozenset({"accepted", "in-progress"}),
    "cancelled": OPEN,
    "rejected": OPEN,
    "entered-in-error": OPEN | TERMINAL,
}
"""From which states a state may be reached."""

STEPS: Final[dict[NeedStatus, tuple[By, int, str]]] = {
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


def next_step(status: NeedStatus, at: datetime) -> Next | None:
    if status not in STEPS:
        return None
    by, days, what = STEPS[status]
    return Next(by, day_of(at + timedelta(days=days)), what)


def apply(need: Need, move: Move, at: datetime) -> Need | None:
    """The need after the move; none where the fact came too late and changes nothing."""
    unchanged = (need.status, need.reason) == (move.to, move.reason)
    if unchanged or need.status not in GUARDS[move.to]:
        return None
    return replace(
        need,
        status=move.to,
        reason=move.reason,
        outcome=move.outcome,
        next=next_step(move.to, at),
        provider=move.provider if move.to in HELPED else None,
    )
