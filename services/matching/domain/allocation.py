"""Who gets which free place: the best by rank that the places allow, each from the place that suits them best.

Of the places that a need could be given, it is first one of whoever referred it, where that is a champion; then the
narrowest; then one of the partner who gives this person something else, too; then the champion with the least to do.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from heapq import heappop, heapreplace
from math import inf
from typing import Literal, NamedTuple
from uuid import UUID

from contracts.vocabulary import Kind
from services.matching.domain.fit import Need, Place, PlaceKey, Terms, suits


class Match(NamedTuple):
    need: Need
    place: PlaceKey


def breadth(terms: Terms) -> tuple[float, ...]:
    """How much a place could be used for otherwise: the narrowest is given first. An empty limit is the widest."""
    limits = (terms.wards, terms.open_to, {terms.scheme} - {None}, terms.languages, terms.formats)
    return (*(len(limit) or inf for limit in limits), len(terms.requirements))


def allocate(needs: Iterable[Need], places: Iterable[Place]) -> list[Match]:
    """The matches, in the order of rank.

    A need that is served stays served, but may be moved to another place that suits it where this lets a
    lower one be served too; so no place goes to a lower need while a higher one could have been served.
    """
    table = _Table.of(places)
    ranked = sorted(needs, key=lambda need: need.rank)
    for need in ranked:
        table.serve(need)
    return [Match(need, table.given[need.need_id]) for need in ranked if need.need_id in table.given]


class Choice(NamedTuple):
    """A place that a need could be given, in the order of what suits it best."""

    is_stranger: bool
    breadth: tuple[float, ...]
    is_other: bool
    load: float
    place: PlaceKey


class Entry(NamedTuple):
    """The same for all needs that do not ask whose place it is."""

    breadth: tuple[float, ...]
    load: float
    place: PlaceKey


@dataclass(frozen=True, slots=True)
class Shelf:
    """Places that suit needs which ask the same: a bit for each, and a heap of those that are not known to be full."""

    mask: int
    roomy: list[Entry]


Alike = tuple[int, ...]
"""The shelves that have the places for a need."""
Whose = tuple[Literal["all", "open-to", "of"], str]
"""Places that are open to all, those open to a partner among others, or those of a partner."""


@dataclass(slots=True)
class _Table:
    """The places as they are being given. A place that is full stays full, though who holds it may change.

    From a place that is `exhausted`, a bit by its number, no re-arranging frees a unit.
    """

    names: list[PlaceKey]
    numbers: dict[PlaceKey, int]
    places: dict[PlaceKey, Place]
    left: dict[PlaceKey, int]
    breadth: dict[PlaceKey, tuple[float, ...]]
    holders: dict[PlaceKey, dict[Alike, dict[UUID, Need]]]
    lists: dict[tuple[Kind, str | None, Whose], list[Place]] = field(default_factory=dict)
    shelves: dict[tuple[object, ...], Shelf] = field(default_factory=dict)
    asked: dict[tuple[object, ...], list[Shelf]] = field(default_factory=dict)
    given: dict[UUID, PlaceKey] = field(default_factory=dict)
    exhausted: int = 0

    @classmethod
    def of(cls, places: Iterable[Place]) -> "_Table":
        free = sorted((place for place in places if place.free > 0), key=lambda place: place.key)
        table = cls(
            [place.key for place in free],
            {place.key: number for number, place in enumerate(free)},
            {place.key: place for place in free},
            {place.key: place.free for place in free},
            {place.key: breadth(place.terms) for place in free},
            {place.key: {} for place in free},
        )
        for place in free:
            whose: list[Whose] = [("open-to", partner) for partner in place.terms.open_to] or [("all", "")]
            for each in (*whose, ("of", place.key.partner)):
                for ward in place.terms.wards or [None]:
                    table.lists.setdefault((place.terms.kind, ward, each), []).append(place)
        return table

    def serve(self, need: Need) -> None:
        """Finds the shortest chain of moves that ends at a free unit, and makes it; else nothing can be done.

        Of needs that can go to the same places, one is as good as another for that.
        """
        came_with: dict[PlaceKey, Need] = {}
        movers, asked, unseen = deque([need]), {self._alike(need)}, ~self.exhausted
        while movers:
            mover = movers.popleft()
            if free := self._best_free(mover):
                came_with[free] = mover
                self._move(free, came_with)
                return
            for shelf in self.suiting(mover):
                for place in self._named(shelf.mask & unseen):
                    came_with[place] = mover
                    for alike, holders in self.holders[place].items():
                        if alike not in asked:
                            asked.add(alike)
                            movers.append(next(iter(holders.values())))
                unseen &= ~shelf.mask
        self.exhausted |= ~unseen

    def _alike(self, need: Need) -> Alike:
        return tuple(map(id, self.suiting(need)))

    def _named(self, mask: int) -> Iterator[PlaceKey]:
        while mask:
            lowest = mask & -mask
            yield self.names[lowest.bit_length() - 1]
            mask ^= lowest

    def _move(self, place: PlaceKey, came_with: dict[PlaceKey, Need]) -> None:
        self.left[place] -= 1
        to: PlaceKey | None = place
        while to:
            mover = came_with[to]
            alike, left_behind = self._alike(mover), self.given.get(mover.need_id)
            self.given[mover.need_id] = to
            self.holders[to].setdefault(alike, {})[mover.need_id] = mover
            if left_behind:
                others = self.holders[left_behind][alike]
                del others[mover.need_id]
                if not others:
                    del self.holders[left_behind][alike]
            to = left_behind

    def _best_free(self, need: Need) -> PlaceKey | None:
        best = [top for shelf in self.suiting(need) if (top := self._top(shelf))]
        return min(_choice(need, top) for top in best).place if best else None

    def _top(self, shelf: Shelf) -> Entry | None:
        while shelf.roomy:
            top = shelf.roomy[0]
            if not self.left[top.place]:
                heappop(shelf.roomy)
            elif top.load != (load := self._load(self.places[top.place])):
                heapreplace(shelf.roomy, top._replace(load=load))
            else:
                return top
        return None

    def _load(self, place: Place) -> float:
        """It only grows while places are given."""
        return 1 - self.left[place.key] / place.capacity if place.terms.kind == "champion" else 0

    def suiting(self, need: Need) -> list[Shelf]:
        """All places that suit a need, some of them on two shelves."""
        asked = need.asks, need.barred, need.shuns, need.prefers
        if asked not in self.asked:
            self.asked[asked] = self._suiting(need)
        return self.asked[asked]

    def _suiting(self, need: Need) -> list[Shelf]:
        asks = need.asks
        whose: list[Whose] = [("all", ""), ("open-to", asks.partner)]
        if asks.kind == "champion":
            whose.append(("of", asks.partner))
        if need.prefers:
            whose.append(("of", need.prefers))
        wards = (asks.ward, None) if asks.ward else (None,)
        return [
            self._shelf(need, ward, each) for each in whose for ward in wards if (asks.kind, ward, each) in self.lists
        ]

    def partners(self, need: Need) -> set[str]:
        """Those who have a place that suits it."""
        return {key.partner for shelf in self.suiting(need) for key in self._named(shelf.mask)}

    def _shelf(self, need: Need, ward: str | None, whose: Whose) -> Shelf:
        asks = need.asks
        partner = None if whose[0] == "all" else asks.partner
        asked = asks.requirements, asks.languages, asks.formats, asks.schemes
        key = (asks.kind, whose, ward, partner, asked, need.barred, need.shuns)
        if key not in self.shelves:
            near = self.lists[asks.kind, ward, whose]
            fit = [place for place in near if not _is_barred(need, place.key) and suits(asks, place.terms)]
            roomy = sorted(Entry(self.breadth[place.key], self._load(place), place.key) for place in fit)
            self.shelves[key] = Shelf(sum(1 << self.numbers[place.key] for place in fit), roomy)
        return self.shelves[key]


def _is_barred(need: Need, place: PlaceKey) -> bool:
    return place in need.barred or place.partner in need.shuns


def _choice(need: Need, entry: Entry) -> Choice:
    is_stranger = need.asks.kind == "champion" and entry.place.partner != need.asks.partner
    is_other = need.prefers is not None and entry.place.partner != need.prefers
    return Choice(is_stranger, entry.breadth, is_other, entry.load, entry.place)


def bundled(needs: Iterable[Need], places: Iterable[Place], helping: Mapping[UUID, Iterable[str]]) -> list[Need]:
    """The needs, those of one person preferring the partner that could give most of them.

    `helping` names the partners that give something to a referral already, once for each thing.
    """
    those = list(needs)
    siblings: dict[UUID, list[Need]] = {}
    for need in those:
        siblings.setdefault(need.referral_id, []).append(need)
    table = _Table.of(places)
    prefers: dict[UUID, str] = {}
    for referral_id, own in siblings.items():
        given = Counter(helping.get(referral_id, ()))
        if len(own) + given.total() > 1:
            could = Counter(partner for need in own for partner in table.partners(need))
            most = {partner: n + given[partner] for partner, n in could.items() if n + given[partner] > 1}
            if most:
                prefers[referral_id] = min(most, key=lambda partner: (-most[partner], partner))
    return [replace(need, prefers=prefers.get(need.referral_id)) for need in those]
