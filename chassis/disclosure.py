"""What may be published of counts of people: small ones hidden, others rounded, and nothing to be had by subtraction.

Whatever is published tells something: a rounded count, that it is one of five numbers; a hidden one, that it is 1 to
7; a sum, that its parts come to it. A small count is safe where at least three numbers are possible for it, whatever
else is known. That is shown, and not supposed: `protect` looks for other worlds, with somebody more or fewer or of
another sort, in which everything that is published reads the same. Where it finds too few, it keeps something back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from chassis.worlds import UNTOLD, Bounds, Counts, People, Price, World, Worlds, holds, numbers, of

SMALL: Final = range(1, 8)
BASE: Final = 5
NOT_SMALL: Final[Bounds] = (SMALL.stop, None)


def published(count: int) -> int | None:
    """None hides 1 to 7; 0 stays 0; from 8 on the nearest 5."""
    if count in SMALL:
        return None
    return (count + BASE // 2) // BASE * BASE


def percentage(part: int | None, whole: int | None) -> int | None:
    """Of published counts, so that it tells nothing that they do not; none where one of them is hidden or nought."""
    return None if part is None or not whole else min(100, round(100 * part / whole))


def bounds(count: int) -> Bounds:
    """What is known of a count that is published by the rule."""
    shown = published(count)
    if shown is None:
        return SMALL[0], SMALL[-1]
    return (0, 0) if shown == 0 else (max(SMALL.stop, shown - BASE // 2), shown + BASE // 2)


def protect(
    people: People, slices: Sequence[Sequence[int]], before: Mapping[int, Sequence[Bounds]] | None = None
) -> frozenset[int]:
    """What of the counts that are to be published has to be kept back, besides those that are hidden as small.

    `slices` are what is to be published, the most important first: single counts of them are kept back, none of them
    small, and a slice as a whole where that is not enough. `before` is all that was ever told of a count: nothing
    follows from what does not hold any more, and what does hold cannot be kept back any more.
    """
    counts = people.counts
    still = {
        key: bound for key, told in (before or {}).items() if (bound := _still(counts.get(key, 0), told)) != UNTOLD
    }
    known = still | {key: bounds(counts.get(key, 0)) for part in slices for key in part}
    earlier = of(before or ())
    small = [key for key, count in counts.items() if count in SMALL]
    worlds, telling = Worlds(people, known, of(small)), _Telling(counts, slices, still)
    for key in small:
        while not worlds.show(key) and telling.told:
            world = worlds.nearest(key, Price(telling.told, telling.cost))
            if world is not None:
                _give_way(worlds, telling, world)
            elif beside := worlds.beside(earlier | 1 << key) & telling.told:
                worlds.tell_less(telling.keep_back(beside))
            else:
                break
    return frozenset(telling.kept)


def _give_way(worlds: Worlds, telling: "_Telling", world: World) -> None:
    """Keeps back what is told otherwise in another world, so that this one is possible, too."""
    while wrong := of(worlds.wrong(world)) & telling.told:
        worlds.tell_less(telling.keep_back(wrong))
    if not worlds.wrong(world):
        worlds.found(world)


def _still(count: int, told: Sequence[Bounds]) -> Bounds:
    """What follows from all that was told of a count, one after another: what contradicts what was known before takes
    its place. From what does not hold nothing follows."""
    known = UNTOLD
    for bound in told:
        known = _both(known, bound) or bound
    return known if holds(count, known) else UNTOLD


def _both(one: Bounds, other: Bounds) -> Bounds | None:
    ends = [most for _, most in (one, other) if most is not None]
    least, most = max(one[0], other[0]), min(ends, default=None)
    return None if most is not None and least > most else (least, most)


@dataclass(slots=True)
class _Telling:
    """What is to be told, what of it is kept back, and what is known of it all the same."""

    counts: Mapping[int, int]
    slices: Sequence[Sequence[int]]
    still: Mapping[int, Bounds]
    kept: set[int] = field(default_factory=set)
    told: Counts = 0
    place: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.place = {key: n for n, part in enumerate(self.slices) for key in part}
        self.told = of([key for key in self.place if self.still.get(key) != bounds(self.counts.get(key, 0))])

    def _goes_alone(self, key: int) -> bool:
        return key not in self.kept and self.counts.get(key, 0) > SMALL.stop

    def cost(self, key: int) -> float:
        """What matters less costs less, and a slice as much as all that it tells."""
        place = self.place[key]
        worth = 2 - place / len(self.slices)
        return worth if self._goes_alone(key) else worth * len(self.slices[place])

    def keep_back(self, keys: Counts) -> dict[int, Bounds]:
        """Larger counts alone, so that they may still be known not to be small; others with their slices."""
        known: dict[int, Bounds] = {}
        for key in numbers(keys & self.told):
            alone = self._goes_alone(key)
            known |= dict.fromkeys([key] if alone else self.slices[self.place[key]], NOT_SMALL if alone else UNTOLD)
        self.kept |= known.keys()
        self.told &= ~of([key for key, bound in known.items() if bound == UNTOLD])
        return {key: self.still.get(key, bound) for key, bound in known.items()}
