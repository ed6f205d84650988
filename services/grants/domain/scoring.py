"""What scores come to: weighted, independent, and settled by people where they are too far apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from contracts.grants import Criterion, Feedback, RoundRules
from contracts.refusal import FieldError

HUNDRED: Final = 10_000
"""A hundred points, in hundredths."""

Verdict = Literal["waiting", "third", "moderate", "settled"]
Scores = Mapping[str, int]
"""Points by criterion."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`points` are in hundredths, where scores are settled."""

    verdict: Verdict
    points: int = 0


def needed(rules: RoundRules, amount_pence: int) -> int:
    """How many independent scores an application needs: two, or one for a small sum, which an approver decides."""
    if not rules.criteria:
        return 0
    return 1 if amount_pence < rules.one_assessor_below_pence else 2


def score_errors(criteria: Sequence[Criterion], scores: Scores) -> list[FieldError]:
    asked = {criterion.code: criterion for criterion in criteria}
    errors = [_UNKNOWN_CRITERION] if set(scores) - set(asked) else []
    for code, criterion in asked.items():
        if not 0 <= scores.get(code, -1) <= criterion.most:
            errors.append(_out_of_range(criterion))
    return errors


def weighted(criteria: Sequence[Criterion], scores: Scores) -> int:
    """From 0 to 10,000 hundredths: every criterion counts for its share of the weights."""
    weights = sum(criterion.weight for criterion in criteria)
    share = sum((Fraction(scores[c.code] * c.weight, c.most * weights) for c in criteria), Fraction())
    return _rounded(share * HUNDRED)


def outcome(rules: RoundRules, amount_pence: int, points: Sequence[int]) -> Outcome:
    """Two that agree settle it by their mean; two too far apart ask for a third, and then the nearest two count.

    Where even these are too far apart, an approver moderates.
    """
    want = needed(rules, amount_pence)
    if len(points) < want:
        return Outcome("waiting")
    if len(points) < 2:
        return Outcome("settled", sum(points))
    near = min(zip(sorted(points), sorted(points)[1:], strict=False), key=lambda pair: pair[1] - pair[0])
    if near[1] - near[0] <= rules.spread_limit * 100:
        return Outcome("settled", _rounded(Fraction(sum(near), 2)))
    return Outcome("third" if len(points) == want else "moderate")


def feedback(criteria: Sequence[Criterion], scores: Sequence[Scores]) -> list[Feedback]:
    """The mean of each criterion, for the letter."""
    if not scores:
        return []
    return [
        Feedback(
            criterion=criterion.code,
            points=_rounded(Fraction(100 * sum(each[criterion.code] for each in scores), len(scores))),
            most=criterion.most,
        )
        for criterion in criteria
    ]


def _rounded(number: Fraction) -> int:
    """Halves go up, so that nobody loses by them."""
    return int(number + Fraction(1, 2))


_UNKNOWN_CRITERION: Final = FieldError(
    field="scores",
    rule="unknown-criterion",
    message="There are points for a criterion that this round does not have.",
    mend="Score by the criteria of the round, and by all of them.",
)


def _out_of_range(criterion: Criterion) -> FieldError:
    return FieldError(
        field=f"scores.{criterion.code}",
        rule="out-of-range",
        message=f"This criterion is scored from 0 to {criterion.most}.",
        mend=f"Give a whole number from 0 to {criterion.most}.",
    )
