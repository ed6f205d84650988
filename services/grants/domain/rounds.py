"""A round of a fund: when it takes applications, for how much, and what it has promised."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from contracts.calendar import LONDON
from contracts.grants import RoundRules
from contracts.refusal import FieldError
from services.grants.domain.states import STAGES, Phase, Stage, wrong_stage


@dataclass(frozen=True, slots=True)
class Round:
    """Takes applications from `opens_at` until before `closes_at`: at the deadline itself it is closed."""

    round_id: str
    fund_id: str
    budget_pence: int
    maximum_pence: int
    minimum_pence: int
    opens_at: datetime
    closes_at: datetime
    awarded_pence: int = 0
    stage: Stage = "applications"
    rules: RoundRules = field(default_factory=RoundRules)

    @property
    def remaining_pence(self) -> int:
        return self.budget_pence - self.awarded_pence

    @property
    def last_moment(self) -> datetime:
        """Before this, whoever had a draft when the round closed may submit it."""
        return self.closes_at + timedelta(minutes=self.rules.grace_minutes)

    def phase(self, at: datetime) -> Phase:
        if self.stage != "applications":
            return self.stage
        if at < self.opens_at:
            return "planned"
        return "open" if at < self.closes_at else "closed"


def pounds(pence: int) -> str:
    return f"£{pence / 100:,.2f}" if pence % 100 else f"£{pence // 100:,}"


def london(at: datetime) -> str:
    """A moment as people in Leeds read it, to the second."""
    local = at.astimezone(LONDON)
    return f"{local:%H:%M:%S} on {local.day} {local:%B %Y} (Europe/London)"


def round_errors(
    wanted: Round, before: Round | None, at: datetime, *, fund_is_open: bool, why: str | None = None
) -> Sequence[FieldError]:
    """Why a round cannot be as staff want it. One that has opened is amended with a reason."""
    if before and before.stage != "applications":
        return [wrong_stage(before.stage)]
    errors = [] if fund_is_open else [UNKNOWN_FUND]
    if wanted.closes_at <= wanted.opens_at:
        errors.append(CLOSES_FIRST)
    if wanted.minimum_pence > wanted.maximum_pence:
        errors.append(MINIMUM_ABOVE_MAXIMUM)
    if wanted.maximum_pence > wanted.budget_pence:
        errors.append(MAXIMUM_ABOVE_BUDGET)
    if before and wanted.fund_id != before.fund_id:
        errors.append(ANOTHER_FUND)
    if before and before.opens_at <= at and wanted != before and not why:
        errors.append(NO_REASON)
    return [*errors, *_rule_errors(wanted.rules)]


def _rule_errors(rules: RoundRules) -> list[FieldError]:
    codes = [question.code for question in rules.questions], [criterion.code for criterion in rules.criteria]
    names = ("rules.questions", "rules.criteria")
    return [_twice(name) for name, those in zip(names, codes, strict=True) if len(set(those)) < len(those)]


def stage_errors(
    round_: Round | None, to: Stage, at: datetime, *, awaited: int, unassessed: int, undecided: int
) -> Sequence[FieldError]:
    """Why a round cannot move on: `awaited` changes, applications without a result, or without a decision, hold it."""
    if round_ is None:
        return [NO_ROUND]
    if round_.stage not in STAGES[to]:
        return [wrong_stage(round_.stage)]
    if to == "assessing" and at < round_.last_moment:
        return [_still_open(round_.last_moment)]
    holds = {
        "assessing": (awaited, "changes-awaited", "may still be changed", "Wait for their changes, or decline them."),
        "deciding": (unassessed, "not-assessed", "lack a result", "Collect their scores, or moderate them."),
        "finished": (
            undecided,
            "not-decided",
            "are not decided",
            "Award or decline each of them, and those in reserve.",
        ),
    }
    number, *words = holds.get(to, (0, "", "", ""))
    return [_held(number, *words)] if number else []


def time_errors(
    round_: Round | None,
    received_at: datetime,
    drafted_at: datetime | None = None,
    changes_until: datetime | None = None,
) -> Sequence[FieldError]:
    """Why a round takes no application now. Changes that staff asked for have a deadline of their own."""
    if round_ is None:
        return [UNKNOWN_ROUND]
    if received_at < round_.opens_at:
        return [_not_open(round_, received_at)]
    if round_.stage != "applications":
        return [_closed(round_, received_at)]
    closes_at = round_.last_moment if drafted_at and drafted_at < round_.closes_at else round_.closes_at
    return [] if received_at < max(closes_at, changes_until or closes_at) else [_closed(round_, received_at)]


def amount_errors(round_: Round, pence: int) -> Sequence[FieldError]:
    if pence > round_.maximum_pence:
        return [_amount("over-maximum", "at most", round_.maximum_pence)]
    if pence < round_.minimum_pence:
        return [_amount("under-minimum", "at least", round_.minimum_pence)]
    return []


UNKNOWN_FUND: Final = FieldError(
    field="fund_id", rule="unknown-fund", message="There is no such fund.", mend="Open the fund first."
)
UNKNOWN_ROUND: Final = FieldError(
    field="round_id", rule="unknown-round", message="There is no such round.", mend="Use the id of an open round."
)
NO_ROUND: Final = FieldError(
    field="round_id", rule="not-found", message="There is no such round.", mend="Look at the list of rounds."
)
"""The round that something is asked of; `UNKNOWN_ROUND` is one that somebody applied to."""
CLOSES_FIRST: Final = FieldError(
    field="closes_at",
    rule="closes-before-it-opens",
    message="The round would close before it opens.",
    mend="Give a `closes_at` after `opens_at`.",
)
MINIMUM_ABOVE_MAXIMUM: Final = FieldError(
    field="minimum_pence",
    rule="minimum-above-maximum",
    message="The minimum is above the maximum.",
    mend="Lower `minimum_pence`, or raise `maximum_pence`.",
)
MAXIMUM_ABOVE_BUDGET: Final = FieldError(
    field="maximum_pence",
    rule="maximum-above-budget",
    message="One grant could be more than the whole budget.",
    mend="Lower `maximum_pence`, or raise `budget_pence`.",
)
NO_REASON: Final = FieldError(
    field="why",
    rule="missing",
    message="The round has opened: applicants rely on it, so what is amended is recorded with a reason.",
    mend="Say in `why` why it is changed.",
)
ANOTHER_FUND: Final = FieldError(
    field="fund_id",
    rule="illegal-move",
    message="The round belongs to another fund, and stays with it.",
    mend="Keep its fund, or open a round with an id of its own.",
)


def _twice(field: str) -> FieldError:
    return FieldError(
        field=field, rule="twice", message="Two of them have the same code.", mend="Give each a code of its own."
    )


def _still_open(until: datetime) -> FieldError:
    return FieldError(
        field="round_id",
        rule="illegal-move",
        message=f"Applications are taken until {london(until)}.",
        mend="Wait until then, or amend the deadline.",
    )


def _held(number: int, rule: str, how: str, mend: str) -> FieldError:
    return FieldError(field="round_id", rule=rule, message=f"{number} applications of this round {how}.", mend=mend)


def _not_open(round_: Round, received_at: datetime) -> FieldError:
    return FieldError(
        field="round_id",
        rule="not-open-yet",
        message=f"The round opens at {london(round_.opens_at)}. Your application came at {london(received_at)}.",
        mend="Send it again once the round is open.",
    )


def _closed(round_: Round, received_at: datetime) -> FieldError:
    return FieldError(
        field="round_id",
        rule="closed",
        message=f"The round closed at {london(round_.closes_at)}{_grace(round_)}. "
        f"Your application came at {london(received_at)}.",
        mend="Look for a round that is open.",
    )


def _amount(rule: str, bound: str, pence: int) -> FieldError:
    return FieldError(
        field="amount_pence",
        rule=rule,
        message=f"This round gives {bound} {pounds(pence)} to a project.",
        mend=f"Ask for {bound} {pounds(pence)}.",
    )


def _grace(round_: Round) -> str:
    minutes = round_.rules.grace_minutes
    return f", and {minutes} minutes later for drafts begun before that" if minutes else ""
