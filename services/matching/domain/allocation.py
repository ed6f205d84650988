"""Who gets which free place: the best by rank that the places allow, each from the place that suits them best.

Of the places that a need could be given, it is first one of whoever referred it, where that is a champion; then the
narrowest; then one of the partner who gives this person something else, too; then the champion with the least to do.
"""

from bisect import insort
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from contracts.vocabulary import Kind
from services.matching.domain.fit import Need, Place, PlaceKey
from services.matching.domain.index import Bits, Index, by_kind, lowest


class Match(NamedTuple):
    need: Need
    place: PlaceKey


def allocate(needs: Iterable[Need], places: Iterable[Place]) -> list[Match]:
    """The matches, in the order of rank.

    A need that is served stays served, but may be moved to another place that suits it where this lets a
    lower one be served too; so no place goes to a lower need while a higher one could have been served.
    """
    tables = {kind: _Table(index) for kind, index in by_kind(places).items()}
    ranked = sorted(needs, key=lambda need: need.rank)
    for need in ranked:
        tables[need.asks.kind].serve(need)
    given = ((need, tables[need.asks.kind].place_of(need)) for need in ranked)
    return [Match(need, place) for need, place in given if place]


class _Table:
    """The places of a kind as they are being given, by their numbers. A place that is full stays full, though who holds
    it may change. From those that are `exhausted` no re-arranging frees a unit.
    """

    def __init__(self, index: Index) -> None:
        self.index = index
        self.left = [place.free for place in self.index.places]
        self.holders: list[dict[int, dict[UUID, Need]]] = [{} for _ in self.left]
        self.given: dict[UUID, int] = {}
        self.free, self.exhausted = self.index.all, 0
        self.suits: list[Bits] = []
        self.alike: dict[Bits, int] = {}
        self.numbers: dict[UUID, int] = {}
        self.loads: list[float] = []
        self.loaded: dict[float, Bits] = {}
        for number in range(len(self.left)):
            self._note_load(number)

    def serve(self, need: Need) -> None:
        """Finds the shortest chain of moves that ends at a free unit, and makes it; else nothing can be done.

        Of needs that can go to the same places, one is as good as another for that.
        """
        came_with: dict[int, Need] = {}
        number = self._number(need)
        movers, asked, unseen = deque([(number, need)]), {number}, ~self.exhausted
        while movers:
            number, mover = movers.popleft()
            could = self.suits[number]
            if could & self.free:
                free = self._best_free(mover, could & self.free)
                came_with[free] = mover
                self._move(free, came_with)
                return
            new = could & unseen
            unseen ^= new
            for place in _numbers(new):
                came_with[place] = mover
                for alike, holders in self.holders[place].items():
                    if alike not in asked:
                        asked.add(alike)
                        movers.append((alike, next(iter(holders.values()))))
        self.exhausted |= ~unseen & self.index.all

    def place_of(self, need: Need) -> PlaceKey | None:
        place = self.given.get(need.need_id)
        return None if place is None else self.index.places[place].key

    def _number(self, need: Need) -> int:
        """The same for needs that can go to the same places."""
        if need.need_id not in self.numbers:
            bits = self.index.suiting(need)
            if bits not in self.alike:
                self.alike[bits] = len(self.suits)
                self.suits.append(bits)
            self.numbers[need.need_id] = self.alike[bits]
        return self.numbers[need.need_id]

    def _move(self, place: int, came_with: dict[int, Need]) -> None:
        self._give(place)
        to: int | None = place
        while to is not None:
            mover = came_with[to]
            alike, left_behind = self._number(mover), self.given.get(mover.need_id)
            self.given[mover.need_id] = to
            self.holders[to].setdefault(alike, {})[mover.need_id] = mover
            if left_behind is not None:
                others = self.holders[left_behind][alike]
                del others[mover.need_id]
                if not others:
                    del self.holders[left_behind][alike]
            to = left_behind

    def _give(self, place: int) -> None:
        self.loaded[self._load(place)] &= ~(1 << place)
        self.left[place] -= 1
        if not self.left[place]:
            self.free &= ~(1 << place)
        self._note_load(place)

    def _note_load(self, number: int) -> None:
        load = self._load(number)
        if load not in self.loaded:
            self.loaded[load] = 0
            insort(self.loads, load)
        self.loaded[load] |= 1 << number

    def _load(self, number: int) -> float:
        """How much of what a champion can do is taken. Others are not spread."""
        place = self.index.places[number]
        return 1 - self.left[number] / place.capacity if place.terms.kind == "champion" else 0

    def _best_free(self, need: Need, free: Bits) -> int:
        """Among these, of which there are some."""
        if need.asks.kind == "champion":
            free = free & self.index.of.get(need.asks.partner, 0) or free
        free &= self.index.peers[lowest(free)]
        if need.prefers:
            free = free & self.index.of.get(need.prefers, 0) or free
        return lowest(next(alike for load in self.loads if (alike := free & self.loaded[load])))


def _numbers(bits: Bits) -> Iterator[int]:
    while bits:
        yield lowest(bits)
        bits &= bits - 1


def bundled(needs: Iterable[Need], places: Iterable[Place], helping: Mapping[UUID, Iterable[str]]) -> list[Need]:
    """The needs, those of one person preferring the partner that could give most of them.

    `helping` names the partners that give something to a referral already, once for each thing.
    """
    those = list(needs)
    siblings: dict[UUID, list[Need]] = {}
    for need in those:
        siblings.setdefault(need.referral_id, []).append(need)
    indexes = by_kind(places)
    prefers = {
        referral_id: _helper(own, indexes, Counter(helping.get(referral_id, ())))
        for referral_id, own in siblings.items()
    }
    return [replace(need, prefers=prefers[need.referral_id]) for need in those]


def _helper(own: Sequence[Need], indexes: Mapping[Kind, Index], given: Counter[str]) -> str | None:
    """The partner that could give, with what it gives already, the most of what a person needs, if more than one."""
    most, helper = 1, None
    if len(own) + given.total() == 1:
        return helper
    could = [(indexes[need.asks.kind].of, indexes[need.asks.kind].suiting(need)) for need in own]
    giving = Counter(partner for of, _ in could for partner in of)
    for partner in sorted(partner for partner, many in giving.items() if many + given[partner] > 1):
        many = sum(1 for of, bits in could if bits & of.get(partner, 0))
        if many and many + given[partner] > most:
            most, helper = many + given[partner], partner
            if most == len(own) + given.total():
                break
    return helper
