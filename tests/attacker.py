"""Who wants to know how many people stand behind a hidden count, and has everything that is published."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import Bounds as Box
from scipy.optimize import LinearConstraint, milp

from chassis.worlds import Bounds

MANY = 10_000


@dataclass(slots=True)
class Solver:
    """Knows bounds of sums of unknown numbers, and finds the least and the most that other sums of them can be."""

    unknown: Sequence[Hashable]
    known: Sequence[tuple[Iterable[Hashable], Bounds]]
    place: dict[Hashable, int] = field(default_factory=dict)
    constraints: list[LinearConstraint] = field(default_factory=list)
    box: Box = field(default_factory=Box)

    def __post_init__(self) -> None:
        self.place = {key: nth for nth, key in enumerate(self.unknown)}
        self.box = Box(np.zeros(len(self.unknown)), np.full(len(self.unknown), MANY))
        if self.known:
            rows = np.array([self.row(keys) for keys, _ in self.known])
            least = [low for _, (low, _) in self.known]
            most = [np.inf if high is None else high for _, (_, high) in self.known]
            self.constraints = [LinearConstraint(rows, least, most)]

    def row(self, keys: Iterable[Hashable]) -> "np.ndarray[Any, np.dtype[np.float64]]":
        row = np.zeros(len(self.unknown))
        row[[self.place[key] for key in keys]] = 1
        return row

    def extremes(self, keys: Iterable[Hashable]) -> tuple[int, int]:
        goal = self.row(keys)
        return self._least(goal), -self._least(-goal)

    def _least(self, goal: "np.ndarray[Any, np.dtype[np.float64]]") -> int:
        found = milp(goal, integrality=np.ones(len(goal), dtype=np.int8), bounds=self.box, constraints=self.constraints)
        assert found.success, "what is published contradicts itself"
        return round(float(found.fun))
