"""Who wants to know how many people stand behind a hidden count, and has everything that is published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds as Box
from scipy.optimize import LinearConstraint, milp

from chassis.disclosure import UNTOLD, Bounds, Key, Sum

MANY = 10_000


@dataclass(slots=True)
class Attacker:
    """Solves for the least and the most that a count can be, in whole numbers, by what is told of all of them."""

    keys: Sequence[Key]
    sums: Sequence[Sum]
    known: Mapping[Key, Bounds]
    place: dict[Key, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.place = {key: nth for nth, key in enumerate(self.keys)}

    def bounds(self, key: Key) -> tuple[int, int]:
        return self._extreme(key, 1), self._extreme(key, -1)

    def _extreme(self, key: Key, sign: int) -> int:
        told = [self.known.get(each, UNTOLD) for each in self.keys]
        goal = np.zeros(len(self.keys))
        goal[self.place[key]] = sign
        found = milp(
            goal,
            integrality=np.ones(len(self.keys)),
            bounds=Box([least for least, _ in told], [MANY if most is None else most for _, most in told]),
            constraints=[LinearConstraint(self._matrix(), 0, 0)] if self.sums else [],
        )
        assert found.success, "what is published contradicts itself"
        return round(float(found.fun)) * sign

    def _matrix(self) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
        matrix = np.zeros((len(self.sums), len(self.keys)))
        for row, (whole, parts) in enumerate(self.sums):
            matrix[row, self.place[whole]] += 1
            for part in parts:
                matrix[row, self.place[part]] -= 1
        return matrix
