"""Whether a project may be funded at all: the questions of the round, and how a group on no register is safe to pay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.grants import Question, RoundRules
from contracts.refusal import FieldError
from services.grants.domain.organisation import OrganisationId


@dataclass(frozen=True, slots=True)
class Standing:
    """How a group that is on no register can hold a grant; one of these is enough."""

    host: str | None = None
    two_signatories: bool = False
    in_kind: bool = False

    @property
    def is_safe(self) -> bool:
        return bool(self.host) or self.two_signatories or self.in_kind


def eligibility_errors(
    rules: RoundRules, answers: Mapping[str, str], organisation: OrganisationId, standing: Standing
) -> Sequence[FieldError]:
    """Every reason at once, in the order of the questions."""
    asked = {question.code for question in rules.questions}
    errors = [_UNKNOWN_ANSWER] if set(answers) - asked else []
    for question in rules.questions:
        answer = answers.get(question.code)
        if answer is None:
            errors.append(_unanswered(question))
        elif question.must and answer != question.must:
            errors.append(_not_eligible(question))
    if organisation.register is None and not standing.is_safe:
        errors.append(UNREGISTERED)
    return errors


UNREGISTERED: Final = FieldError(
    field="standing",
    rule="unregistered-group",
    message="A group on no register is welcome, if the money is safe with it.",
    mend="Name a host organisation, say that your account has two unrelated signatories, or ask for help in kind.",
)
_UNKNOWN_ANSWER: Final = FieldError(
    field="answers",
    rule="unknown-question",
    message="There is an answer to a question that this round does not ask.",
    mend="Answer the questions of the round, and no others.",
)


def _unanswered(question: Question) -> FieldError:
    return FieldError(
        field=f"answers.{question.code}",
        rule="missing",
        message=f"This is not answered: {question.text}",
        mend="Answer yes or no.",
    )


def _not_eligible(question: Question) -> FieldError:
    return FieldError(
        field=f"answers.{question.code}",
        rule="not-eligible",
        message=f"This fund needs the answer {question.must} to: {question.text}",
        mend="If the answer is right, this round cannot fund the project; look for another.",
    )
