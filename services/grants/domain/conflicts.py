"""Who may not judge what: an assessor's own interests, as declared and as they follow from the application."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from contracts.refusal import FieldError

Conflict = Literal["own-organisation", "registered-interest", "ward-of-a-councillor", "declared"]


@dataclass(frozen=True, slots=True)
class Assessor:
    """`organisations` are those they work or volunteer for, `interests` what a councillor has in the register,
    `wards` those they sit for, `declared` the applications that they said themselves they must not judge."""

    assessor: str
    organisations: frozenset[str] = frozenset()
    interests: frozenset[str] = frozenset()
    wards: frozenset[str] = frozenset()
    declared: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Stakes:
    """Whose application it is: the organisation, its hosts and its partners, and the wards that it is for."""

    application_id: UUID
    organisations: frozenset[str]
    wards: frozenset[str] = frozenset()


def conflict(assessor: Assessor, stakes: Stakes) -> Conflict | None:
    if assessor.organisations & stakes.organisations:
        return "own-organisation"
    if assessor.interests & stakes.organisations:
        return "registered-interest"
    if assessor.wards & stakes.wards:
        return "ward-of-a-councillor"
    return "declared" if stakes.application_id in assessor.declared else None


def free_of_conflict(assessors: Iterable[Assessor], stakes: Stakes) -> list[str]:
    return [each.assessor for each in assessors if conflict(each, stakes) is None]


def conflict_error(found: Conflict) -> FieldError:
    why = {
        "own-organisation": "The assessor belongs to this organisation, its host or one of its partners.",
        "registered-interest": "The assessor has a registered interest in this organisation, its host or a partner.",
        "ward-of-a-councillor": "The assessor is a councillor for a ward that the project is for.",
        "declared": "The assessor declared a conflict with this application.",
    }
    return FieldError(
        field="application_id", rule=found, message=why[found], mend="Leave it to an assessor without such an interest."
    )
