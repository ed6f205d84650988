"""Who may not judge what: an assessor's own interests, as declared and as they follow from the application."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from contracts.refusal import FieldError
from services.grants.domain.duplicates import plain
from services.grants.domain.organisation import recipient_id

Conflict = Literal["own-organisation", "registered-interest", "ward-of-a-councillor", "declared"]


@dataclass(frozen=True, slots=True)
class Assessor:
    """`organisations` are those they work or volunteer for, `interests` what a councillor has in the register, both as
    `as_known` has them; `wards` are those they sit for, `declared` what they said themselves they must not judge."""

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


def as_known(id_: str, name: str) -> frozenset[str]:
    """By what an organisation may be known: registers of interests have names, applications numbers."""
    return frozenset({recipient_id(id_, None, None).id, f"name:{plain(name)}"})


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
        "own-organisation": "They belong to this organisation, its host or one of its partners.",
        "registered-interest": "They have a registered interest in this organisation, its host or a partner.",
        "ward-of-a-councillor": "They are a councillor for a ward that the project is for.",
        "declared": "They declared a conflict with this application.",
    }
    return FieldError(
        field="application_id", rule=found, message=why[found], mend="Leave it to somebody without such an interest."
    )
