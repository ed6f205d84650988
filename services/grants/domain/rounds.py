"""A round of a fund: when it takes applications, for how much, and what it has promised."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.calendar import LONDON
from contracts.refusal import FieldError


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

    @property
    def remaining_pence(self) -> int:
        return self.budget_pence - self.awarded_pence


def pounds(pence: int) -> str:
    return f"£{pence / 100:,.2f}" if pence % 100 else f"£{pence // 100:,}"


def london(at: datetime) -> str:
    """A moment as people in Leeds read it, to the second."""
    local = at.astimezone(LONDON)
    return f"{local:%H:%M:%S} on {local.day} {local:%B %Y} (Europe/London)"


def round_errors(wanted: Round, before: Round | None, *, fund_is_open: bool) -> Sequence[FieldError]:
    """Why a round cannot be as staff want it."""
    errors = [] if fund_is_open else [UNKNOWN_FUND]
    if wanted.closes_at <= wanted.opens_at:
        errors.append(CLOSES_FIRST)
    if wanted.minimum_pence > wanted.maximum_pence:
        errors.append(MINIMUM_ABOVE_MAXIMUM)
    if wanted.maximum_pence > wanted.budget_pence:
        errors.append(MAXIMUM_ABOVE_BUDGET)
    if before and wanted.budget_pence < before.awarded_pence:
        errors.append(_already_promised(before.awarded_pence))
    if before and wanted.fund_id != before.fund_id:
        errors.append(ANOTHER_FUND)
    return errors


def application_errors(round_: Round | None, pence: int, received_at: datetime) -> Sequence[FieldError]:
    """Why a round does not take an application."""
    if round_ is None:
        return [UNKNOWN_ROUND]
    if received_at < round_.opens_at:
        return [_not_open(round_, received_at)]
    if received_at >= round_.closes_at:
        return [_closed(round_, received_at)]
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
ANOTHER_FUND: Final = FieldError(
    field="fund_id",
    rule="illegal-move",
    message="The round belongs to another fund, and stays with it.",
    mend="Keep its fund, or open a round with an id of its own.",
)


def _already_promised(pence: int) -> FieldError:
    return FieldError(
        field="budget_pence",
        rule="over-budget",
        message=f"{pounds(pence)} of this round is already awarded.",
        mend="Keep the budget at that or above.",
    )


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
        message=f"The round closed at {london(round_.closes_at)}. Your application came at {london(received_at)}.",
        mend="Look for a round that is open.",
    )


def _amount(rule: str, bound: str, pence: int) -> FieldError:
    return FieldError(
        field="amount_pence",
        rule=rule,
        message=f"This round gives {bound} {pounds(pence)} to a project.",
        mend=f"Ask for {bound} {pounds(pence)}.",
    )
