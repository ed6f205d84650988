"""What may be published of counts of people: small ones hidden, others rounded, and nothing to be had by subtraction.

Whatever is published tells something: a rounded count, that it is one of five numbers; a hidden one, that it is 1 to
7; a sum, that its parts come to it. A small count is safe where at least three numbers are possible for it, whatever
else is known. That is shown, and not supposed: `protect` looks for other worlds, with somebody more or fewer or of
another sort, in which everything that is published reads the same. Where it finds too few, it keeps something back.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any, Final, TypeAlias

Key: TypeAlias = Any  # whatever can be hashed
"""Of a count that is published."""
Sort: TypeAlias = tuple[Any, ...]
"""All that is counted of somebody, a place for each: people of one sort are counted in the same counts."""
Bounds: TypeAlias = tuple[int, int | None]
"""The least and the most that a count can be for all that is told of it alone."""

SMALL: Final = range(1, 8)
BASE: Final = 5
POSSIBLE: Final = 3
"""So many values at least have to be possible for a small count."""
UNTOLD: Final[Bounds] = (0, None)
NOT_SMALL: Final[Bounds] = (SMALL.stop, None)
TRIES: Final = 2_000
"""Where no other world is found in so many tries, more is kept back than perhaps had to be."""


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


@dataclass(frozen=True, slots=True)
class People:
    """How many there are of each sort; in which counts a sort is counted, none where nobody can be of it; and which
    places of a sort decide whether it is counted in a count."""

    of_sort: Mapping[Sort, int]
    counted_in: Callable[[Sort], frozenset[Key] | None]
    places: Callable[[Key], Sequence[int]]


@dataclass(slots=True)
class _Worlds:
    """The people as they are, and what is known of each count of them."""

    people: People
    counts: dict[Key, int]
    known: dict[Key, Bounds]
    counted_in: dict[Sort, frozenset[Key] | None] = field(default_factory=dict)
    inside: dict[Key, list[Sort]] = field(default_factory=dict)
    in_the_way: Counter[Key] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for sort in self.people.of_sort:
            for key in self._counted(sort) or ():
                self.inside.setdefault(key, []).append(sort)

    def _counted(self, sort: Sort) -> frozenset[Key] | None:
        if sort not in self.counted_in:
            self.counted_in[sort] = self.people.counted_in(sort)
        return self.counted_in[sort]

    def is_safe(self, key: Key) -> bool:
        found = 1
        for step in (1, -1):
            moved, gone = Counter[Key](), Counter[Sort]()
            while found < POSSIBLE and self._turn(key, step, moved, gone):
                found += 1
        return found >= POSSIBLE

    def _turn(self, key: Key, step: int, moved: Counter[Key], gone: Counter[Sort]) -> bool:
        """Finds a world in which the count is one more or less; notes what moved, and who is no longer of a sort."""
        for before, after in islice(self._changes(key, step), TRIES):
            if before is not None and self.people.of_sort[before] <= gone[before]:
                continue
            was = (self._counted(before) or frozenset()) if before else frozenset[Key]()
            now = self._counted(after) if after else frozenset[Key]()
            if now is None or (key in now) - (key in was) != step:
                continue
            blocked = [each for each in now - was if not self._fits(each, moved[each] + 1)]
            blocked += [each for each in was - now if not self._fits(each, moved[each] - 1)]
            if not blocked:
                moved.update(now - was)
                moved.subtract(was - now)
                gone.update([before] if before else [])
                return True
            self.in_the_way.update(blocked)
        return False

    def _fits(self, key: Key, moved: int) -> bool:
        least, most = self.known.get(key, UNTOLD)
        count = self.counts.get(key, 0) + moved
        return least <= count and (most is None or count <= most)

    def _changes(self, key: Key, step: int) -> Iterator[tuple[Sort | None, Sort | None]]:
        """Somebody who is no longer there, and somebody who is: of a sort that is counted, or that differs only in
        what decides whether it is."""
        inside = self.inside.get(key, [])
        places = self.people.places(key)
        if step > 0:
            yield from ((None, sort) for sort in inside)
        else:
            yield from ((sort, None) for sort in inside)
        outside = (sort for sort in self.people.of_sort if key not in (self._counted(sort) or ()))
        for other, sort in product(outside, inside[:4]):
            yield (other, _like(other, sort, places)) if step > 0 else (sort, _like(sort, other, places))


def _like(sort: Sort, other: Sort, places: Collection[int]) -> Sort:
    """A sort that is like another one in these places."""
    return tuple(other[n] if n in places else each for n, each in enumerate(sort))


def protect(
    people: People, slices: Sequence[Sequence[Key]], before: Mapping[Key, Bounds] | None = None
) -> frozenset[Key]:
    """What of the counts that are to be published has to be kept back, besides those that are hidden as small.

    `slices` are what is to be published, the most important first: single counts of them are kept back, none of them
    small, and a slice as a whole where that is not enough. `before` is what is known of counts that were published
    earlier: of those that do not hold any more, nothing follows.
    """
    counts = Counter[Key]()
    for sort, number in people.of_sort.items():
        counts.update(dict.fromkeys(people.counted_in(sort) or (), number))
    known = {key: bound for key, bound in (before or {}).items() if _holds(counts[key], bound)}
    known |= {key: bounds(counts[key]) for part in slices for key in part}
    worlds = _Worlds(people, dict(counts), known)
    telling, kept = [part for part in slices if part], set[Key]()
    small = [key for key, count in counts.items() if count in SMALL]
    while small := [key for key in small if not worlds.is_safe(key)]:
        in_the_way, worlds.in_the_way = worlds.in_the_way, Counter()
        single = _single(counts, telling, in_the_way, kept)
        if single is not None:
            known[single] = NOT_SMALL
            kept.add(single)
        elif telling:
            whole = _whole(telling, in_the_way.keys() | set(small))
            known.update(dict.fromkeys(whole, UNTOLD))
            kept |= set(whole)
            telling.remove(whole)
        else:
            break  # nothing new is told, and what was published earlier was safe
    return frozenset(kept)


def _holds(count: int, bound: Bounds) -> bool:
    return bound[0] <= count and (bound[1] is None or count <= bound[1])


def _single(
    counts: Mapping[Key, int], slices: Sequence[Sequence[Key]], in_the_way: Mapping[Key, int], kept: Collection[Key]
) -> Key | None:
    """The larger count that most often stood in the way; of several, the least important."""
    those = [key for part in reversed(slices) for key in part if counts[key] >= SMALL.stop and key not in kept]
    most = max(those, key=lambda key: in_the_way.get(key, 0), default=None)
    return most if most is not None and in_the_way.get(most, 0) else None


def _whole(slices: Sequence[Sequence[Key]], near: Collection[Key]) -> Sequence[Key]:
    """The least important slice that tells of a small count; else the least important."""
    return next((part for part in reversed(slices) if any(key in near for key in part)), slices[-1])
