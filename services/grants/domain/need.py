"""How much waiting need a project would meet: counted from what may be published, and from nothing finer.

Where a count is hidden, the middle of what it may be stands for it. What is shown beside a project, and what its
points can tell, is therefore no more than what is published anyway.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from contracts.vocabulary import Kind

HIDDEN_COUNTS_AS: Final = 4
STEP: Final = 5
DEPRIVED_UP_TO: Final = 2
"""Deciles of deprivation from which silence is not read as no need."""

Publish = Callable[[int], int | None]
Gaps = Mapping[tuple[Kind, str], Mapping[str, int]]
"""By kind and area: how many needs no place can meet, by the partner that referred."""


@dataclass(frozen=True, slots=True)
class Project:
    """What of an application meets need: kinds with what it could help of each, and where; no wards is everywhere.

    `refers_as` are the partners by which the applicant itself refers: those referrals do not count for it.
    """

    kinds: Sequence[Kind]
    wards: Sequence[str]
    capacity: Mapping[Kind, int]
    refers_as: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind in one area: how many people as published (none hides 1 to 7), and as how many it counts."""

    kind: Kind
    area: str
    people: int | None
    counted: int
    low_reach: bool


@dataclass(frozen=True, slots=True)
class GapWeight:
    """Why an application has its gap points: what it meets, of the most that one application of the round meets."""

    points: int
    met: int
    most_met: int
    cells: Sequence[Cell]


def low_reach(deciles: Mapping[str, int], referrals: Mapping[str, int], publish: Publish) -> frozenset[str]:
    """Deprived wards from which so few are referred that the number itself is hidden, or nobody is."""
    deprived = [ward for ward, decile in deciles.items() if decile <= DEPRIVED_UP_TO]
    return frozenset(ward for ward in deprived if not publish(referrals.get(ward, 0)))


def weigh(
    projects: Sequence[Project], gaps: Gaps, low: frozenset[str], floor: int, most_points: int, publish: Publish
) -> list[GapWeight]:
    """The weight of each, in the order given: who meets the most gets all the points, the others their share."""
    cells = [_cells(project, gaps, low, floor, publish) for project in projects]
    met = [_met(project, its) for project, its in zip(projects, cells, strict=True)]
    most = max(met, default=0)
    return [
        GapWeight(int(Fraction(number * most_points, most) + Fraction(1, 2)) if most else 0, number, most, its)
        for number, its in zip(met, cells, strict=True)
    ]


def _cells(project: Project, gaps: Gaps, low: frozenset[str], floor: int, publish: Publish) -> list[Cell]:
    everywhere = {area for _, area in gaps} | low
    areas = sorted(set(project.wards) if project.wards else everywhere)
    cells = [
        _cell(kind, area, gaps.get((kind, area), {}), project.refers_as, floor if area in low else 0, publish)
        for kind in sorted(set(project.kinds))
        for area in areas
    ]
    return [cell for cell in cells if cell.counted or cell.people != 0]


def _cell(
    kind: Kind, area: str, by_partner: Mapping[str, int], own: frozenset[str], floor: int, publish: Publish
) -> Cell:
    people = publish(sum(by_partner.values()))
    theirs = sum(number for partner, number in by_partner.items() if partner in own)
    known = HIDDEN_COUNTS_AS if people is None else people
    left = known if not theirs else max(0, known - theirs) // STEP * STEP
    return Cell(kind, area, people, max(left, floor), bool(floor))


def _met(project: Project, cells: Sequence[Cell]) -> int:
    """At most what the project could help of each kind."""
    waiting = {kind: sum(cell.counted for cell in cells if cell.kind == kind) for kind in set(project.kinds)}
    return sum(min(number, project.capacity.get(kind, number)) for kind, number in waiting.items())
