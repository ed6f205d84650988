"""What may be published of counts of people: small ones hidden, others rounded, and nothing to be had by subtraction.

Whatever is published tells something: a rounded count, that it is one of five numbers; a hidden one, that it is 1 to
7; a sum, that its parts come to it. A small count is safe where at least three numbers are possible for it, whatever
else is known. That is shown, and not supposed: `protect` looks for other worlds, a count moved by one and others to
make it good, in which everything that is published reads the same, and where it finds too few, it keeps something back.
"""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Key: TypeAlias = Hashable
Sum: TypeAlias = tuple[Key, Sequence[Key]]
"""A count, and those that come to it."""
Bounds: TypeAlias = tuple[int, int | None]
"""The least and the most that a count can be for all that is told of it alone."""

SMALL: Final = range(1, 8)
BASE: Final = 5
POSSIBLE: Final = 3
"""So many values at least have to be possible for a small count."""
UNTOLD: Final[Bounds] = (0, None)
ANY: Final[Bounds] = (-(10**9), None)
"""Of a difference, which may be less than nothing."""
NOT_SMALL: Final[Bounds] = (SMALL.stop, None)
TRIES: Final = 400
MOVED: Final = 14
"""A world is looked for with so many tries, and with so many counts moved at most: where it is not found in time, more
is kept back than had to be."""


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


@dataclass(slots=True)
class _Worlds:
    """The counts as they are, what is known of each, and the sums that each stands in."""

    counts: Mapping[Key, int]
    known: Mapping[Key, Bounds]
    sums: Sequence[Sum]
    of: dict[Key, list[int]] = field(default_factory=dict)
    sign: dict[tuple[int, Key], int] = field(default_factory=dict)
    tries: int = 0

    def __post_init__(self) -> None:
        for nth, (whole, parts) in enumerate(self.sums):
            for key, sign in ((whole, 1), *((part, -1) for part in parts)):
                self.of.setdefault(key, []).append(nth)
                self.sign[nth, key] = sign

    def possible(self, key: Key) -> int:
        """How many values of a count were found possible; it stops at enough."""
        found = 1
        for step in (1, -1):
            world = dict(self.counts)
            while found < POSSIBLE and (moved := self._other(world, key, step)):
                world.update({each: world[each] + by for each, by in moved.items()})
                found += 1
        return found

    def _other(self, world: Mapping[Key, int], key: Key, step: int) -> dict[Key, int]:
        """What else has to move by one when a count does; nothing where no way was found."""
        self.tries = TRIES
        moved = {key: step}
        fits = self._fits(world, key, step) and self._settle(world, moved, self.of.get(key, []))
        return moved if fits else {}

    def _fits(self, world: Mapping[Key, int], key: Key, step: int) -> bool:
        least, most = self.known.get(key, UNTOLD)
        return least <= world[key] + step and (most is None or world[key] + step <= most)

    def _settle(self, world: Mapping[Key, int], moved: dict[Key, int], looked_at: Sequence[int]) -> bool:
        """Moves counts until every sum holds again, and takes back what leads nowhere."""
        off = next(((nth, by) for nth in looked_at if (by := self._off(nth, moved))), None)
        if off is None:
            return True
        if len(moved) >= MOVED:
            return False
        for key, step in self._answers(world, moved, *off):
            self.tries -= 1
            moved[key] = step
            if self._settle(world, moved, [*looked_at, *self.of[key]]):
                return True
            del moved[key]
            if self.tries < 0:
                return False
        return False

    def _off(self, nth: int, moved: Mapping[Key, int]) -> int:
        return sum(self.sign.get((nth, key), 0) * step for key, step in moved.items())

    def _answers(
        self, world: Mapping[Key, int], moved: Mapping[Key, int], nth: int, off: int
    ) -> Iterator[tuple[Key, int]]:
        """The moves that bring a sum nearer to holding; those first that touch the fewest other sums."""
        whole, parts = self.sums[nth]
        towards = -1 if off > 0 else 1
        for key in sorted((whole, *parts), key=lambda each: len(self.of[each])):
            step = towards * self.sign[nth, key]
            if key not in moved and self._fits(world, key, step):
                yield key, step


def protect(
    counts: Mapping[Key, int],
    sums: Sequence[Sum],
    slices: Sequence[Sequence[Key]],
    before: Mapping[Key, Bounds] | None = None,
) -> set[Key]:
    """What of the counts that are to be published has to be kept back, besides those that are hidden as small.

    `slices` are what is to be published, the most important first: first single counts of them are kept back, none of
    them small, and a slice as a whole where that is not enough. `before` is what is known of counts by what was
    published earlier. Counts that are in neither are not published: they stand in sums, or could be had from them.
    """
    before = before or {}
    to_be_told = [part for part in slices if not before.keys() & set(part)]
    known = {key: bounds(counts[key]) for part in to_be_told for key in part} | dict(before)
    worlds = _Worlds(counts, known, sums)
    small = [key for key, count in counts.items() if count in SMALL]
    kept: set[Key] = set()
    while small := [key for key in small if worlds.possible(key) < POSSIBLE]:
        near = {key for each in small for nth in worlds.of.get(each, ()) for key in (sums[nth][0], *sums[nth][1])}
        single = _single(counts, to_be_told, near - kept)
        whole = None if single else _whole(to_be_told, near | set(small))
        if single:
            known[single[0]] = NOT_SMALL
            kept.add(single[0])
        elif whole is not None:
            known.update(dict.fromkeys(whole, UNTOLD))
            kept |= set(whole)
            to_be_told.remove(whole)
        else:
            break  # all that was new is kept back, and what was published earlier was safe
    return kept


def _single(counts: Mapping[Key, int], slices: Sequence[Sequence[Key]], near: Collection[Key]) -> tuple[Key, ...]:
    """The smallest of the larger counts that tell of a small one, in the least important slice."""
    for part in reversed(slices):
        if found := [key for key in part if key in near and counts[key] >= SMALL.stop]:
            return (min(found, key=lambda key: counts[key]),)
    return ()


def _whole(slices: Sequence[Sequence[Key]], near: Collection[Key]) -> Sequence[Key] | None:
    """The least important slice that tells of a small count; else the least important."""
    telling = (part for part in reversed(slices) if any(key in near for key in part))
    return next(telling, slices[-1] if slices else None)
