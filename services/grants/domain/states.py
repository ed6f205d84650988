"""How far a round and an application are, and which move is allowed from where: one table for each."""

from dataclasses import dataclass
from typing import Final, Literal

from contracts.refusal import FieldError

Stage = Literal["applications", "assessing", "deciding", "finished", "cancelled"]
Phase = Literal["planned", "open", "closed", "assessing", "deciding", "finished", "cancelled"]
"""A stage as people see it: while a round takes applications, the clock says more."""
Status = Literal["submitted", "changes-requested", "assessed", "awarded", "reserve", "declined", "withdrawn"]
Act = Literal[
    "submit", "request-changes", "withdraw", "score", "declare", "moderate", "award", "reserve", "decline", "account"
]


@dataclass(frozen=True, slots=True)
class Guard:
    """From where an act is allowed, and in which stages of the round."""

    statuses: frozenset[Status]
    stages: frozenset[Stage]


def _guard(*statuses: Status, stages: tuple[Stage, ...]) -> Guard:
    return Guard(frozenset(statuses), frozenset(stages))


ACTS: Final[dict[Act, Guard]] = {
    "submit": _guard("changes-requested", stages=("applications",)),
    "request-changes": _guard("submitted", stages=("applications",)),
    "withdraw": _guard(
        "submitted", "changes-requested", "assessed", "reserve", "awarded",
        stages=("applications", "assessing", "deciding", "finished"),
    ),
    "score": _guard("submitted", stages=("assessing",)),
    "declare": _guard("submitted", "assessed", stages=("assessing",)),
    "moderate": _guard("submitted", "assessed", stages=("assessing",)),
    "award": _guard("assessed", "reserve", stages=("deciding",)),
    "reserve": _guard("assessed", stages=("deciding",)),
    "decline": _guard(
        "submitted", "changes-requested", "assessed", "reserve", stages=("applications", "assessing", "deciding")
    ),
    "account": _guard("awarded", stages=("deciding", "finished")),
}  # fmt: skip
"""`account` is what follows an award: payments, reports, and money that comes back."""

STAGES: Final[dict[Stage, frozenset[Stage]]] = {
    "assessing": frozenset({"applications"}),
    "deciding": frozenset({"assessing"}),
    "finished": frozenset({"deciding"}),
    "cancelled": frozenset({"applications", "assessing"}),
}
"""Into which stage a round may be moved, and from where."""

_IN_WORDS: Final[dict[Stage, str]] = {
    "applications": "is still taking applications, or was not opened for assessment yet",
    "assessing": "is being assessed",
    "deciding": "is being decided",
    "finished": "is finished",
    "cancelled": "is cancelled",
}


def not_allowed(act: Act, status: Status, stage: Stage) -> FieldError | None:
    """Why an act on an application is refused, or none where it is allowed."""
    guard = ACTS[act]
    if status not in guard.statuses:
        return FieldError(
            field="application_id",
            rule="illegal-move",
            message=f"This application is {status.replace('-', ' ')}.",
            mend=f"This can be done only with one that is {_either(guard.statuses)}.",
        )
    return None if stage in guard.stages else wrong_stage(stage)


def wrong_stage(stage: Stage) -> FieldError:
    return FieldError(
        field="round_id",
        rule="illegal-move",
        message=f"The round {_IN_WORDS[stage]}.",
        mend="Do this in the stage of the round that it belongs to.",
    )


def _either(statuses: frozenset[Status]) -> str:
    return " or ".join(sorted(status.replace("-", " ") for status in statuses))
