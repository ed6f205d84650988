"""How far a person is: the published policy, and the score it gives."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import product
from typing import Final

GROUPS: Final[Mapping[str, frozenset[str]]] = {
    "money": frozenset({"low-income", "urgent-money-need"}),
    "health-or-disability": frozenset(
        {"long-term-condition", "disability", "learning-disability", "mental-health", "drug-or-alcohol"}
    ),
    "communication": frozenset({"needs-english", "needs-interpreter", "needs-reading-support"}),
    "housing-or-safety": frozenset({"homeless", "no-right-to-work", "domestic-abuse"}),
    "isolation": frozenset({"offline", "no-support-network"}),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The same points for each group that applies, however many barriers are in it, plus a step for the area.

    So coarse that nothing published proves a yes to one circumstance. `area_steps` are (decile up to, points).
    """

    version: str = "leeds-1"
    points_a_group: int = 15
    area_steps: tuple[tuple[int, int], ...] = ((2, 10), (5, 5), (10, 0))
    default_decile: int = 5
    groups: Mapping[str, frozenset[str]] = field(default_factory=lambda: GROUPS)

    def proves(self) -> frozenset[str]:
        """The circumstances of which a published score, with the number of groups, could prove a yes.

        Whoever knows that all groups apply, or one of them alone by its points, may know no more than that.
        """
        by_count: dict[int, frozenset[str]] = {}
        for codes in product(*(["", *sorted(group)] for group in self.groups.values())):
            told = frozenset(codes) - {""}
            by_count[len(told)] = by_count.get(len(told), told) & told
        return frozenset[str]().union(*by_count.values())


@dataclass(frozen=True, slots=True)
class Score:
    points: int
    groups: int
    area_step: int
    policy: str


def area_step(policy: Policy, decile: int | None) -> int:
    """Points for the deprivation of an area; without one, those of the published default decile."""
    known = decile or policy.default_decile
    return next(points for up_to, points in policy.area_steps if known <= up_to)


def score(policy: Policy, told: AbstractSet[str], decile: int | None) -> Score:
    """`told` are the circumstances answered with a yes; nothing else counts."""
    groups = sum(1 for codes in policy.groups.values() if codes & told)
    step = area_step(policy, decile)
    return Score(groups * policy.points_a_group + step, groups, step, policy.version)
