"""How far what was found differs from what is owed."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owed:
    """One kind of effect: how many are missing, how many are there too often, and how many came out of order."""

    effect: str
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    examples: tuple[str, ...] = ()

    @property
    def is_wrong(self) -> bool:
        return bool(self.lost or self.doubled or self.disordered)


def compare(effect: str, expected: Iterable[Hashable], found: Iterable[Hashable]) -> Owed:
    """Both are multisets: every expected one must be found as often as it is expected, and no other."""
    owed, seen = Counter(list(expected)), Counter(list(found))
    missing, more = owed - seen, seen - owed
    return Owed(effect, missing.total(), more.total(), examples=_some([*missing, *more]))


def compare_order(effect: str, expected: Mapping[str, Sequence[str]], found: Mapping[str, Sequence[str]]) -> Owed:
    """For each key, what is found must be what is expected, in the same order."""
    lost = doubled = disordered = 0
    wrong = [key for key in {**expected, **found} if list(expected.get(key, ())) != list(found.get(key, ()))]
    for key in wrong:
        owed, seen = Counter(expected.get(key, ())), Counter(found.get(key, ()))
        lost += (owed - seen).total()
        doubled += (seen - owed).total()
        disordered += owed == seen
    return Owed(effect, lost, doubled, disordered, _some(wrong))


def _some(wrong: Iterable[Hashable]) -> tuple[str, ...]:
    return tuple(sorted(map(str, wrong))[:3])
