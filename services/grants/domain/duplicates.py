"""Applications that may be from the same people: flagged for staff, never refused."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

_NOISE: Final = frozenset(
    {"the", "and", "of", "ltd", "limited", "cic", "cio", "plc", "charity", "charitable", "trust", "company", "uk"}
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What of an application could be another's."""

    application_id: UUID
    organisation_id: str
    organisation_name: str
    title: str


def plain(name: str) -> str:
    """A name as two people who write it differently would both mean it."""
    words = re.findall(r"[a-z0-9]+", name.lower().replace("'", "").replace("&", " and "))
    return " ".join(word for word in words if word not in _NOISE) or " ".join(words)


def duplicates(applications: Iterable[Seen]) -> dict[UUID, list[UUID]]:
    """By application, those of other organisations with the same name, number or title."""
    alike: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for seen in applications:
        number = seen.organisation_id.rpartition("-")[2].lstrip("SC0")
        alike["name", plain(seen.organisation_name)].append(seen)
        alike["title", plain(seen.title)].append(seen)
        if number.isdigit() and len(number) >= 5:
            alike["number", number].append(seen)
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for those in alike.values():
        for one in those:
            found[one.application_id] |= {
                other.application_id for other in those if other.organisation_id != one.organisation_id
            }
    return {application: sorted(others) for application, others in found.items() if others}
