"""Other worlds than the true one, in which everything that is told reads the same.

Counts are numbered, and a set of them is an int with a bit for each: whether a change would be seen is then a few
operations on all of them at once. There is no chance in the search: the same numbers give the same answer.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain, islice, zip_longest
from operator import or_
from random import Random
from typing import Any, Final, TypeAlias

Sort: TypeAlias = tuple[Any, ...]
"""All that is counted of somebody, a place for each: people of one sort are counted in the same counts."""
Bounds: TypeAlias = tuple[int, int | None]
"""The least and the most that a count can be for all that is told of it alone."""
Counts: TypeAlias = int
"""A set of counts: a bit for each."""
Change: TypeAlias = tuple[Sort | None, Sort | None]
"""Somebody is no longer of one sort, and is of another; none stands for nobody."""

POSSIBLE: Final = 3
"""So many values at least have to be possible for a small count."""
UNTOLD: Final[Bounds] = (0, None)
TRIES: Final = 300
MENDS: Final = 200
NEARLY: Final = 12
STEPS: Final = 10
SEVERAL: Final = 8
WORSE: Final = 2
MANY: Final = 50
TURNS: Final = 40
WORK: Final = 3_000_000
FEW: Final = 50
"""Where no other world is found, more is kept back than perhaps had to be. So many changes are tried for each, and of
those that give something away the nearest are mended, in so many steps, by so many other changes for each of several
counts; a step may leave fewer than so many more wrong. Where they do not help others are tried, in so many turns, and
fewer after so much `WORK`."""


@dataclass(frozen=True, slots=True)
class People:
    """How many there are of each sort, and in each count; in which counts a sort is counted, none where nobody can be
    of it; and which places of a sort decide whether it is counted in a count."""

    of_sort: Mapping[Sort, int]
    counts: Mapping[int, int]
    counted_in: Callable[[Sort], Counts | None]
    places: Callable[[int], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Price:
    """What it costs to tell no more of some counts, which may be given away for it."""

    counts: Counts
    of: Callable[[int], float]


FREE: Final = Price(0, lambda key: 1)


@dataclass(slots=True)
class World:
    """How it differs from the true one: by how much counts moved, and how many are no longer of a sort. A count that
    is `full` would read otherwise if it were one more, one that is `bare` if it were one less."""

    full: Counts
    bare: Counts
    moved: Counter[int] = field(default_factory=Counter)
    gone: Counter[Sort] = field(default_factory=Counter)

    def copy(self) -> "World":
        return World(self.full, self.bare, self.moved.copy(), self.gone.copy())


@dataclass(slots=True)
class Worlds:
    """The people as they are, and what is known of each count of them. `possible` is by how much a small count differs
    in other worlds that were found; what is kept back later takes none of them away."""

    people: People
    known: dict[int, Bounds]
    small: Counts
    true: World = field(default_factory=lambda: World(0, 0))
    possible: dict[int, set[int]] = field(default_factory=lambda: defaultdict(lambda: {0}))
    counted: dict[Sort, Counts] = field(default_factory=dict)
    inside: dict[int, list[Sort]] = field(default_factory=dict)
    alike: dict[tuple[tuple[int, ...], int], dict[Sort, list[Sort]]] = field(default_factory=dict)
    values: list[list[Any]] = field(default_factory=list)
    spent: int = 0

    def __post_init__(self) -> None:
        self.counted = {sort: self.people.counted_in(sort) or 0 for sort in self.people.of_sort}
        self.values = [list(dict.fromkeys(each)) for each in zip(*self.people.of_sort, strict=True)]
        self.tell_less(self.known)

    def tell_less(self, known: Mapping[int, Bounds]) -> None:
        self.known = {**self.known, **known}
        for key in known:
            self._mark(self.true, key)

    def show(self, key: int) -> bool:
        """Whether enough is possible for a count, by worlds that were found for this one or another."""
        for step in (1, -1):
            world = self.true.copy()
            while len(self.possible[key]) < POSSIBLE and self._turn(world, key, step):
                self.found(world)
        return len(self.possible[key]) >= POSSIBLE

    def nearest(self, key: int, price: Price) -> World | None:
        """Another world in which a count is yet another, and that costs as little as any."""
        for turn in range(TURNS):
            tried = [self.true.copy(), self.true.copy()]
            for world, step in zip(tried, (1, -1), strict=True):
                while world.moved[key] in self.possible[key] and self._turn(world, key, step, price, turn):
                    pass
            if found := [world for world in tried if world.moved[key] not in self.possible[key]]:
                return min(found, key=lambda world: sum(map(price.of, self.wrong(world))))
        return None

    def wrong(self, world: World) -> list[int]:
        """The counts that would not read as they do."""
        return [key for key, by in world.moved.items() if not self._fits(key, by)]

    def found(self, world: World) -> None:
        for key in numbers(of([key for key, by in world.moved.items() if by]) & self.small):
            self.possible[key].add(world.moved[key])

    def beside(self, keys: Counts) -> Counts:
        """The counts that count somebody who is counted in these, too."""
        return reduce(or_, (counts for counts in self.counted.values() if counts & keys), 0)

    def _turn(self, world: World, key: int, step: int, price: Price = FREE, turn: int = 0) -> bool:
        """Makes a count one more or less, by one change or by more that mend what the first would give away."""
        nearly: list[tuple[Counts, Change]] = []
        cheapest: tuple[float, Change] | None = None
        for change, wrong in self._tried(world, key, step, turn):
            if not wrong:
                self._apply(world, change)
                return True
            if wrong & ~price.counts:
                nearly += [] if wrong >> key & 1 else [(wrong & ~price.counts, change)]
            elif cheapest is None or wrong.bit_count() <= SEVERAL:
                costs = sum(map(price.of, numbers(wrong)))
                cheapest = (costs, change) if cheapest is None or costs < cheapest[0] else cheapest
        if cheapest is not None:
            self._apply(world, cheapest[1])
            return True
        nearly.sort(key=lambda each: each[0].bit_count())
        return any(self._mends(world, key, *each, price.counts) for each in nearly[:NEARLY])

    def _tried(self, world: World, key: int, step: int, turn: int) -> Iterator[tuple[Change, Counts]]:
        """Changes that are possible, and the counts that would not read as they do."""
        tries = TRIES if self.spent < WORK else FEW
        changes = list(islice(self._changes(key, step), SEVERAL * tries if turn else tries))
        if turn:
            changes = Random(turn).sample(changes, min(tries, len(changes)))  # noqa: S311 - others, the same each time
        for change in changes:
            self.spent += 1
            if (both := self._possible(world, change, key, step)) is not None:
                yield change, _wrong(world, *both)

    def _mends(self, world: World, key: int, wrong: Counts, change: Change, free: Counts) -> bool:
        """Whether other changes make good what one change would give away, and leave the count as it is then."""
        tried = world.copy()
        self._apply(tried, change)
        for _ in range(STEPS):
            each = islice(numbers(wrong), SEVERAL)
            better = (self._better(tried, key, one, wrong, change, free) for one in each)
            if (other := next(filter(None, better), None)) is None:
                return False
            self._apply(tried, other)
            if not (wrong := of(self.wrong(tried)) & ~free):
                world.full, world.bare, world.moved, world.gone = tried.full, tried.bare, tried.moved, tried.gone
                return True
        return False

    def _better(self, tried: World, key: int, each: int, wrong: Counts, first: Change, free: Counts) -> Change | None:
        """The change that moves one count back and leaves the fewest wrong, not many more than there are."""
        too_many = of([n for n in numbers(wrong) if tried.moved[n] > 0])
        step = -1 if too_many >> each & 1 else 1
        least, best = wrong.bit_count() + WORSE, None
        for change in chain(self._back(first), islice(self._changes(each, step), MENDS)):
            self.spent += 1
            both = self._possible(tried, change, each, step)
            if both is None or (both[0] ^ both[1]) >> key & 1:
                continue
            was, now = both
            mended = too_many & was & ~now | wrong & ~too_many & now & ~was
            if (left := (wrong & ~mended | _wrong(tried, was, now) & ~free).bit_count()) < least:
                least, best = left, change
        return best

    def _back(self, change: Change) -> Iterator[Change]:
        """Somebody else who goes the other way: most counts are then as they were."""
        before, after = change
        if before is None or after is None:
            return iter(())
        place = next(n for n, was in enumerate(before) if was != after[n])
        others = self._alike((place,), -1)[after[place],]
        return islice(((other, _with(other, place, before[place])) for other in others), MENDS)

    def _possible(self, world: World, change: Change, key: int, step: int) -> tuple[Counts, Counts] | None:
        """In which counts somebody was and is then; none where there is nobody who could change so, nobody can be so,
        or the count does not move as wanted."""
        before, after = change
        if before is not None and self.people.of_sort[before] <= world.gone[before]:
            return None
        was, now = self._of(before) or 0, self._of(after)
        return None if now is None or (now >> key & 1) - (was >> key & 1) != step else (was, now)

    def _of(self, sort: Sort | None) -> Counts | None:
        known = 0 if sort is None else self.counted.get(sort)
        return self.people.counted_in(sort) if known is None and sort is not None else known

    def _apply(self, world: World, change: Change) -> None:
        was, now = self._of(change[0]) or 0, self._of(change[1]) or 0
        for key in numbers(was ^ now):
            world.moved[key] += 1 if now >> key & 1 else -1
            self._mark(world, key)
        world.gone.update([change[0]] if change[0] is not None else [])

    def _mark(self, world: World, key: int) -> None:
        bit, (least, most) = 1 << key, self.known.get(key, UNTOLD)
        count = self.people.counts.get(key, 0) + world.moved[key]
        world.full = world.full | bit if most is not None and count >= most else world.full & ~bit
        world.bare = world.bare | bit if count <= least else world.bare & ~bit

    def _fits(self, key: int, moved: int) -> bool:
        return holds(self.people.counts.get(key, 0) + moved, self.known.get(key, UNTOLD))

    def _changes(self, key: int, step: int) -> Iterator[Change]:
        """Somebody who differs in one place only, then in all that decide; somebody who was not there, or no longer."""
        if key not in self.inside:
            self.inside[key] = [sort for sort, counts in self.counted.items() if counts >> key & 1]
        inside, places = self.inside[key], tuple(self.people.places(key))
        others = (s for s, counts in self.counted.items() if len(inside) <= MANY and not counts >> key & 1)
        if step > 0:
            near = [self._joining(inside, places, place) for place in places]
            far = ((other, _like(other, sort, places)) for other in others for sort in inside)
            return chain(_in_turn(near), ((None, sort) for sort in inside), far)
        near = [self._leaving(inside, place) for place in places]
        far = ((sort, _like(sort, other, places)) for other in others for sort in inside)
        return chain(_in_turn(near), ((sort, None) for sort in inside), far)

    def _leaving(self, inside: Sequence[Sort], place: int) -> Iterator[Change]:
        return ((sort, _with(sort, place, value)) for value in self.values[place] for sort in inside)

    def _joining(self, inside: Sequence[Sort], places: tuple[int, ...], place: int) -> Iterator[Change]:
        alike = self._alike(places, place)
        for pattern in dict.fromkeys(tuple(sort[n] for n in places) for sort in inside):
            value = pattern[places.index(place)]
            others = alike[_with(pattern, places.index(place), None)]
            yield from ((other, _with(other, place, value)) for other in others)

    def _alike(self, places: tuple[int, ...], but: int) -> dict[Sort, list[Sort]]:
        """Sorts by what they are at these places but for one."""
        if (places, but) not in self.alike:
            found = self.alike[places, but] = defaultdict(list)
            for sort in self.people.of_sort:
                found[tuple(None if n == but else sort[n] for n in places)].append(sort)
        return self.alike[places, but]


def _in_turn(several: Sequence[Iterator[Change]]) -> Iterator[Change]:
    for those in zip_longest(*several):
        yield from (each for each in those if each is not None)


def _wrong(world: World, was: Counts, now: Counts) -> Counts:
    """The counts that would not read as they do."""
    return now & ~was & world.full | was & ~now & world.bare


def _with(sort: Sort, place: int, value: Any) -> Sort:
    return (*sort[:place], value, *sort[place + 1 :])


def _like(sort: Sort, other: Sort, places: Collection[int]) -> Sort:
    """A sort that is like another one in these places."""
    return tuple(other[n] if n in places else each for n, each in enumerate(sort))


def of(numbers: Collection[int]) -> Counts:
    return sum(1 << number for number in numbers)


def numbers(counts: Counts) -> Iterator[int]:
    while counts:
        yield (counts & -counts).bit_length() - 1
        counts &= counts - 1


def holds(count: int, bound: Bounds) -> bool:
    return bound[0] <= count and (bound[1] is None or count <= bound[1])
