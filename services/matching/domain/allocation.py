"""Who gets which free place: the best by rank that the places allow, each from the narrowest place that is left."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple
from uuid import UUID

from contracts.vocabulary import Kind
from services.matching.domain.fit import Asks, Need, Place, PlaceKey, Terms, suits


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


Asked = tuple[Asks, frozenset[PlaceKey]]
"""What a need asks, and where it is barred: needs alike in both can go to the same places."""


@dataclass(slots=True)
class _Table:
    """The places as they are being given. A place that is full stays full, though who holds it may change.

    `fitting` and `roomy` are, for needs that ask the same, all places that suit and those not known to be
    full, narrowest first. From a place that is `exhausted`, no re-arranging frees a unit.
    """

    by_ward: dict[tuple[Kind, str | None], list[Place]]
    left: dict[PlaceKey, int]
    holders: dict[PlaceKey, dict[UUID, Need]]
    given: dict[UUID, PlaceKey] = field(default_factory=dict)
    fitting: dict[Asked, list[PlaceKey]] = field(default_factory=dict)
    roomy: dict[Asked, deque[PlaceKey]] = field(default_factory=dict)
    exhausted: set[PlaceKey] = field(default_factory=set)

    @classmethod
    def of(cls, places: Iterable[Place]) -> "_Table":
        free = [place for place in places if place.free > 0]
        by_ward: dict[tuple[Kind, str | None], list[Place]] = {}
        for place in sorted(free, key=lambda place: (breadth(place.terms), place.key)):
            for ward in place.terms.wards or [None]:
                by_ward.setdefault((place.terms.kind, ward), []).append(place)
        return cls(by_ward, {place.key: place.free for place in free}, {place.key: {} for place in free})

    def serve(self, need: Need) -> None:
        """Finds the shortest chain of moves that ends at a free unit, and makes it; else nothing can be done."""
        came_with: dict[PlaceKey, Need] = {}
        movers, asked = deque([need]), {(need.asks, need.barred)}
        while movers:
            mover = movers.popleft()
            if free := self._narrowest_free(mover):
                came_with[free] = mover
                self._move(free, came_with)
                return
            for place in self._fitting(mover):
                if place not in came_with and place not in self.exhausted:
                    came_with[place] = mover
                    holders = {(holder.asks, holder.barred): holder for holder in self.holders[place].values()}
                    movers.extend(holder for alike, holder in holders.items() if alike not in asked)
                    asked |= holders.keys()
        self.exhausted |= came_with.keys()

    def _move(self, place: PlaceKey, came_with: dict[PlaceKey, Need]) -> None:
        self.left[place] -= 1
        to: PlaceKey | None = place
        while to:
            mover = came_with[to]
            left_behind = self.given.get(mover.need_id)
            self.given[mover.need_id] = to
            self.holders[to][mover.need_id] = mover
            if left_behind:
                del self.holders[left_behind][mover.need_id]
            to = left_behind

    def _narrowest_free(self, need: Need) -> PlaceKey | None:
        asked = need.asks, need.barred
        if asked not in self.roomy:
            self.roomy[asked] = deque(self._fitting(need))
        roomy = self.roomy[asked]
        while roomy and not self.left[roomy[0]]:
            roomy.popleft()
        return roomy[0] if roomy else None

    def _fitting(self, need: Need) -> list[PlaceKey]:
        asked = need.asks, need.barred
        if asked not in self.fitting:
            wards = [need.asks.ward, None] if need.asks.ward else [None]
            near = [place for ward in wards for place in self.by_ward.get((need.asks.kind, ward), ())]
            self.fitting[asked] = [p.key for p in near if p.key not in need.barred and suits(need.asks, p.terms)]
        return self.fitting[asked]
