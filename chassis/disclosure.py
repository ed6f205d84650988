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
TRIES: Final = 500
NEARLY: Final = 8
MENDED: Final = 3
SINGLES: Final = 5
WORK: Final = 200_000
FEW: Final = 50
"""Where no other world is found in so many tries, more is kept back than perhaps had to be: of the changes that would
give away at most `MENDED` other counts, so many are tried to be mended. Single counts are
kept back in so many rounds at most, then slices. After so much `WORK` fewer are tried."""


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


Change: TypeAlias = tuple[Sort | None, Sort | None]
"""Somebody is no longer of one sort, and is of another; none stands for nobody."""
NOBODY: Final[frozenset[Key]] = frozenset()


@dataclass(slots=True)
class World:
    """How it differs from the true one: by how much counts moved, and how many are no longer of a sort."""

    moved: Counter[Key] = field(default_factory=Counter)
    gone: Counter[Sort] = field(default_factory=Counter)


@dataclass(slots=True)
class _Worlds:
    """The people as they are, and what is known of each count of them."""

    people: People
    counts: dict[Key, int]
    known: dict[Key, Bounds]
    counted_in: dict[Sort, frozenset[Key] | None] = field(default_factory=dict)
    inside: dict[Key, list[Sort]] = field(default_factory=dict)
    spent: int = 0

    def __post_init__(self) -> None:
        for sort in self.people.of_sort:
            for key in self._counted(sort) or ():
                self.inside.setdefault(key, []).append(sort)

    def _counted(self, sort: Sort) -> frozenset[Key] | None:
        if sort not in self.counted_in:
            self.counted_in[sort] = self.people.counted_in(sort)
        return self.counted_in[sort]

    def in_the_way_of(self, key: Key) -> Counter[Key] | None:
        """None where a count is safe; else how often each other count stood in the way of another world."""
        found, blocked = 1, Counter[Key]()
        for step in (1, -1):
            world = World()
            while found < POSSIBLE and self._turn(world, key, step, blocked):
                found += 1
        return blocked if found < POSSIBLE else None

    def _turn(self, world: World, key: Key, step: int, blocked: Counter[Key]) -> bool:
        """Makes a count one more or less, by one change or by two more that mend what the first would give away."""
        nearly: list[tuple[list[Key], Change]] = []
        for change in islice(self._changes(key, step), TRIES if self.spent < WORK else FEW):
            self.spent += 1
            if not self._is_possible(world, change, key, step):
                continue
            wrong = self._wrong(world, change)
            if not wrong:
                self._apply(world, change)
                return True
            blocked.update(each for each in wrong if each != key)
            if len(wrong) <= MENDED and len(nearly) < NEARLY and self.spent < WORK:
                nearly.append((wrong, change))
        return any(self._mends(world, key, *each) for each in sorted(nearly, key=lambda each: len(each[0])))

    def _mends(self, world: World, key: Key, wrong: Sequence[Key], change: Change) -> bool:
        """Whether other changes make good what one change would give away, and leave the count as it is then."""
        tried = World(world.moved.copy(), world.gone.copy())
        self._apply(tried, change)
        for each in wrong:
            step = -1 if world.moved[each] < tried.moved[each] else 1
            for other in islice(self._changes(each, step), TRIES // NEARLY):
                self.spent += 1
                if self._is_possible(tried, other, each, step) and not self._touches(other, key):
                    left = set(self._wrong(tried, other)) - {each}
                    if not left - set(wrong):
                        self._apply(tried, other)
                        break
            else:
                return False
        if not all(self._fits(each, tried.moved[each]) for each in tried.moved):
            return False
        world.moved, world.gone = tried.moved, tried.gone
        return True

    def _is_possible(self, world: World, change: Change, key: Key, step: int) -> bool:
        """Whether there is somebody who could change so, somebody may be so, and the count then moves as wanted."""
        before, after = change
        if before is not None and self.people.of_sort[before] <= world.gone[before]:
            return False
        now = self._of(after)
        return now is not None and (key in now) - (key in (self._of(before) or ())) == step

    def _of(self, sort: Sort | None) -> frozenset[Key] | None:
        return self._counted(sort) if sort is not None else NOBODY

    def _wrong(self, world: World, change: Change) -> list[Key]:
        """The counts that would not read as they do."""
        was, now = self._of(change[0]) or NOBODY, self._of(change[1]) or NOBODY
        wrong = [each for each in now - was if not self._fits(each, world.moved[each] + 1)]
        return wrong + [each for each in was - now if not self._fits(each, world.moved[each] - 1)]

    def _touches(self, change: Change, key: Key) -> bool:
        return (key in (self._of(change[0]) or NOBODY)) != (key in (self._of(change[1]) or NOBODY))

    def _apply(self, world: World, change: Change) -> None:
        was, now = self._of(change[0]) or NOBODY, self._of(change[1]) or NOBODY
        world.moved.update(now - was)
        world.moved.subtract(was - now)
        world.gone.update([change[0]] if change[0] is not None else [])

    def _fits(self, key: Key, moved: int) -> bool:
        least, most = self.known.get(key, UNTOLD)
        count = self.counts.get(key, 0) + moved
        return least <= count and (most is None or count <= most)

    def _changes(self, key: Key, step: int) -> Iterator[Change]:
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
    rounds = 0
    while exposed := {key: found for key in small if (found := worlds.in_the_way_of(key)) is not None}:
        small, rounds = list(exposed), rounds + 1
        rank = {key: n for n, part in enumerate(telling) for key in part if counts[key] >= SMALL.stop}
        singles = {_single(found, rank, kept) for found in exposed.values()} - {None} if rounds <= SINGLES else set()
        known |= dict.fromkeys(singles, NOT_SMALL)
        kept |= singles
        if not singles and not telling:
            break  # nothing new is told, and what was published earlier was safe
        for whole in [] if singles else _wholes(telling, exposed):
            known |= dict.fromkeys(whole, UNTOLD)
            kept |= set(whole)
            telling.remove(whole)
    return frozenset(kept)


def _holds(count: int, bound: Bounds) -> bool:
    return bound[0] <= count and (bound[1] is None or count <= bound[1])


def _most(in_the_way: Mapping[Key, int]) -> list[Key]:
    """What stood in the way about as often as anything did."""
    often = max(in_the_way.values(), default=0)
    return [key for key, n in in_the_way.items() if 10 * n >= 9 * often]


def _single(in_the_way: Mapping[Key, int], rank: Mapping[Key, int], kept: Collection[Key]) -> Key | None:
    """Of the larger counts that stood most in the way, the least important."""
    those = [key for key in _most(in_the_way) if key in rank and key not in kept]
    return max(those, key=lambda key: rank[key], default=None)


def _wholes(slices: Sequence[Sequence[Key]], exposed: Mapping[Key, Mapping[Key, int]]) -> list[Sequence[Key]]:
    """For each exposed count the shortest slice with what stood in its way; else the least important."""
    chosen: list[Sequence[Key]] = []
    for key, in_the_way in exposed.items():
        near = {key, *_most(in_the_way)}
        telling = [part for part in reversed(slices) if any(each in near for each in part)]
        whole = min(telling, key=len, default=slices[-1])
        chosen += [] if whole in chosen else [whole]
    return chosen
